"""Plays drills cloud by cloud, some clouds side by side, and judges each."""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from tests.truth.case import Case, Same
from tests.truth.draw import Drill, drill_of
from tests.truth.play import Played, kept, play
from tests.truth.verdicts import Verdict, verdict

TOOK = "took"
TRIES = 6
# What a busy machine did not keep up with is played again in slow motion.
SLOWER = 1.5
# A guard that refuses since a checker did not get its answer in time.
BUSY = "Refused: check-is-healthy"
# What the guard of the probes' pace says before anything is touched.
REFUSED = "Refused: pace"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be played.

    Attributes:
        seeds: Which drills.
        longest_s: No client probe's interval is longer.
        at_once: How many clouds are side by side.
        keep: Where what the drills leave is kept; a folder that is removed if there is none.

    """

    seeds: Sequence[int]
    longest_s: float = 1.0
    at_once: int = 2
    keep: Path | None = None


@dataclass
class Done:
    """What it came to.

    Attributes:
        asked: What was to be played.
        verdicts: Of each drill, by seed.
        again: How often a drill was played again, since the machine was too busy to measure on.
        took_s: All of it.

    """

    asked: Asked
    verdicts: list[Verdict] = field(default_factory=list)
    again: int = 0
    took_s: float = 0.0


def played_out(asked: Asked, told: Callable[[str], None]) -> Done:
    """Play and judge all drills; ``told`` hears a line of each."""
    began = time.monotonic()
    root = asked.keep or Path(tempfile.mkdtemp(prefix="truth-"))
    root.mkdir(parents=True, exist_ok=True)
    done = Done(asked)
    left = [drill_of(seed, longest_s=asked.longest_s) for seed in asked.seeds]
    for attempt in range(1, TRIES + 1):
        judged = _all(root / str(attempt), left, asked.at_once, told)
        left = [drill.stretched(SLOWER) for drill, found in judged if found is None]
        done.verdicts += [found for _, found in judged if found is not None]
        if not left:
            break
        done.again += len(left)
    done.verdicts += [Verdict(drill, (), complaint=f"{TRIES} times the lab was too busy") for drill in left]
    done.verdicts.sort(key=lambda one: one.drill.seed)
    done.took_s = time.monotonic() - began
    (root / TOOK).write_text(str(done.took_s), encoding="utf-8")
    if asked.keep is None:
        shutil.rmtree(root, ignore_errors=True)
    return done


def _all(
    root: Path, drills: Sequence[Drill], at_once: int, told: Callable[[str], None]
) -> list[tuple[Drill, Verdict | None]]:
    """Play and judge drills once, some clouds of them side by side."""
    groups = [list(group) for _, group in groupby(drills, key=lambda drill: drill.cloud.group)]

    def played(group: list[Drill]) -> list[tuple[Drill, Verdict | None]]:
        return [(one.drill, _judged(one, told)) for one in play(root / str(group[0].cloud.group), group)]

    with ThreadPoolExecutor(at_once) as pool:
        return [one for some in pool.map(played, groups) for one in some]


def judged_again(folders: Sequence[Path], told: Callable[[str], None]) -> Done:
    """Judge what was kept of drills that were played before."""
    verdicts: dict[int, Verdict] = {}
    done = Done(Asked(()))
    for root in folders:
        done.took_s += float((root / TOOK).read_text(encoding="utf-8"))
        for cloud in sorted(root.glob("*/*/drills.json")):
            for one in kept(cloud.parent):
                found = _judged(one, told)
                done.again += found is None
                if found is not None:
                    verdicts[one.drill.seed] = found
    done.verdicts = [verdict for _, verdict in sorted(verdicts.items())]
    return done


def _judged(played: Played, told: Callable[[str], None]) -> Verdict | None:
    """Judge a drill; None if the machine was too busy for it, and it is to be played again."""
    drill = played.drill
    about = f"seed {drill.seed:3} {drill.method:9} {drill.plant or 'clean':11} every {drill.probe_s:.4f} s"
    if BUSY in played.complaint:
        told(f"{about}: again, the lab's checkers gave up before anything was broken")
        return None
    if drill.plant == "overcommit":
        refused = Same(
            "outcome", "an interval that can't be kept is refused", REFUSED in played.complaint, True
        )
        told(f"{about}: {'refused' if refused.inside else 'RED'}")
        return Verdict(drill, (refused,), starved=True)
    if played.folder is None:
        told(f"{about}: {played.complaint}")
        return Verdict(drill, (), complaint=played.complaint)
    case = Case.of(played)
    unready = case.record.marks.injected is None or case.record.marks.undone is None
    if unready or (case.starved and not drill.starves) or case.disturbed:
        told(f"{about}: again, {'the lab answered late' if not unready else case.record.reason}")
        return None
    found = verdict(case)
    found = replace(found, complaint=played.complaint)
    told(f"{about}: {len(found.checks)} checks, {'true' if not found.wrong else 'RED'}")
    for what in found.wrong:
        told(f"    {what}")
    if found.wrong:
        told(f"    alone: make truth ARGS='--seed {drill.seed} --keep FOLDER'")
    return found
