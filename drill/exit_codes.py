"""The exit codes, in one table for the program, its ``--help`` and the README."""

from collections.abc import Mapping

MET = 0
BREACHED = 1
INCONCLUSIVE = 2
ROLLBACK_INCOMPLETE = 3
REFUSED = 4
STOPPED = 5
USAGE = 64
TAMPERED = 65
INTERNAL = 70
INTERRUPTED = 130

MEANING: Mapping[int, str] = {
    MET: "met; an audit or check found nothing",
    BREACHED: "breached; an audit or check found something",
    INCONCLUSIVE: "inconclusive; an audit could not look at all of it",
    ROLLBACK_INCOMPLETE: "rollback incomplete (wins over all)",
    REFUSED: "refused by a guard; nothing was touched",
    STOPPED: "stopped by a stop condition and rolled back",
    USAGE: "usage: bad input; nothing was touched",
    TAMPERED: "evidence of a run was changed (`drill verify`)",
    INTERNAL: "internal error",
    INTERRUPTED: "interrupted and rolled back",
}
