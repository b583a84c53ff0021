"""What was so, one measure a file: each ``judge(case)`` yields checks of a drill against the truth log.

A new measure gets its oracle by a file here and its name in :data:`ORACLES`.
"""

from collections.abc import Callable, Iterator, Mapping

from tests.truth.case import Case, Check
from tests.truth.oracles import (
    attempts,
    client_outage,
    failback,
    findings,
    ledger,
    phases,
    recovery_time,
    replication_lag,
)

Oracle = Callable[[Case], Iterator[Check]]

ORACLES: Mapping[str, Oracle] = {
    "attempts": attempts.judge,
    "recovery time": recovery_time.judge,
    "client outage": client_outage.judge,
    "phases": phases.judge,
    "replication lag": replication_lag.judge,
    "ledger": ledger.judge,
    "failback": failback.judge,
    "findings": findings.judge,
}


def judged(case: Case) -> list[Check]:
    """Return all checks of a drill."""
    return [check for oracle in ORACLES.values() for check in oracle(case)]
