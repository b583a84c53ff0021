"""The crash matrix: wherever a drill dies, its watchdog alone or ``drill recover`` alone puts all back.

Every registered scenario is in it. ``DRILL_EVERY_POINT=1``, as ``make crash`` sets it, tries each point
both ways, or so many of each scenario as ``DRILL_POINTS`` says; without it a few of one scenario, and of
a blackout, are drawn by ``DRILL_SEED``.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from drill import dead_man, runs, target
from drill.aws import Aws
from drill.faults import network_acls, peerings
from drill.faults.network_acls import is_denial
from tests.e2e.conftest import Lab, tried

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

SEED = int(os.environ.get("DRILL_SEED", "20261124"))
EVERY = os.environ.get("DRILL_EVERY_POINT") == "1"
SOME = int(os.environ.get("DRILL_POINTS", "0"))
# Besides the plain way of each scenario.
MORE_WAYS: dict[str, tuple[tuple[str, ...], ...]] = {"region-outage": (("--blackout",),)}
if EVERY:
    MORE_WAYS |= {
        "peering-deletion": (("--mode", "delete"),),
        "aurora-snapshot-restore": (("--fresh", "--cut-over"),),
    }
WAYS = [
    (name, *flags)
    for name in sorted(entry.name for entry in entry_points(group="drill.scenarios"))
    for flags in ((), *MORE_WAYS.get(name, ()))
]
if not (EVERY or os.environ.get("DRILL_EVERY_SEED") == "1"):
    other = random.Random(SEED).choice([way for way in WAYS if way != ("region-outage", "--blackout")])
    WAYS = [("region-outage", "--blackout"), other]
DRAWN = 2
# Two of three intents are in the new journal then; the first of the undoing requests is sent then.
DEATHS_IN_RESCUE = (3, 5)
WAIT_S = 120.0


@pytest.fixture(scope="module")
def hasty(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a target file of the lab with short waits."""
    timing = lab.target.timing.model_copy(
        update={"warm_up_s": 0.8, "settle_s": 0.8, "deadline_s": 20.0, "lease_s": 5.0}
    )
    path = tmp_path_factory.mktemp("hasty") / "target.yaml"
    target.dump(lab.target.model_copy(update={"timing": timing}), path)
    return path


class Deaths:
    """Drills of one lab that die."""

    def __init__(self, lab: Lab, target_path: Path, folder: Path) -> None:
        """Take what is drilled and a folder for all runs."""
        self.lab, self.target_path, self.folder = lab, target_path, folder
        self._configuration = lab.configuration()
        self._points: dict[tuple[str, ...], list[str]] = {}
        self._count = 0

    def points(self, way: tuple[str, ...]) -> list[str]:
        """Return the names of all points of a drill that lives."""
        if way not in self._points:
            lived = tried(lambda: self._once(way, -1, "alive"), lambda lived: "line injected" not in lived[1])
            assert not runs.unfinished(lived[0])
            self._points[way] = lived[1]
        return self._points[way]

    def run(self, way: tuple[str, ...], number: int, watchdog: str) -> tuple[Path, list[str]]:
        """Run a drill that dies at a point; return the folder of its runs and the points that it passed.

        A drill that ends before it comes there, as on a busy machine it may, is run again.
        """
        return tried(lambda: self._once(way, number, watchdog), lambda died: number >= len(died[1]))

    def _once(self, way: tuple[str, ...], number: int, watchdog: str) -> tuple[Path, list[str]]:
        self._count += 1
        self._name_the_peering()
        root = self.folder / f"runs-{self._count}"
        passed = self.folder / f"passed-{self._count}"
        arguments = ["run", *way, "--no-audit", "--target", str(self.target_path), "--runs", str(root)]
        ended = self.python(number, passed, watchdog, "-", *arguments)
        names = passed.read_text(encoding="utf-8").splitlines()
        assert (ended.returncode < 0) is (0 <= number < len(names)), ended
        return root, names

    def _name_the_peering(self) -> None:
        """Put the peering that there is now into the target file: a deleted one was made anew."""
        before, aws = target.load(self.target_path), Aws.of(self.lab.target, as_operator=True)
        primary = before.primary
        now = peerings.standing(aws, primary.name, primary.vpc_id, before.peering_id)
        assert now is not None
        if now.id != before.peering_id:
            target.dump(before.model_copy(update={"peering_id": now.id}), self.target_path)

    @staticmethod
    def python(
        number: int, passed: Path, watchdog: str, undo: str, *arguments: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run the command line that may die."""
        command = [
            sys.executable,
            "-m",
            "tests.e2e.dying",
            str(number),
            str(passed),
            watchdog,
            undo,
            *arguments,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)

    def left(self, root: Path, before: str) -> str:
        """Return what is left of the only run of a folder; empty if nothing is."""
        aws = Aws.of(self.lab.target, as_operator=True)
        for folder in runs.folders(root):
            if armed := dead_man.armed(aws, self.lab.target, folder.name):
                return f"schedules {armed}"
        if runs.unfinished(root):
            return "an unfinished journal"
        if self.lab.fingerprint() == before:
            return ""
        return f"another fingerprint: {'; '.join(changed(self._configuration, self.lab.configuration()))}"


def changed(before: object, now: object, path: str = "") -> Iterator[str]:
    """Yield where two configurations differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            if before.get(key) != now.get(key):
                yield from changed(before.get(key), now.get(key), f"{path}/{key}")
    else:
        yield f"{path} was {before!r:.200} and is {now!r:.200}"


@pytest.fixture(scope="module")
def deaths(lab: Lab, hasty: Path, tmp_path_factory: pytest.TempPathFactory) -> Deaths:
    """Give drills that die."""
    return Deaths(lab, hasty, tmp_path_factory.mktemp("deaths"))


def recover(root: Path) -> "subprocess.CompletedProcess[str]":
    """Type ``drill recover``."""
    command = [sys.executable, "-m", "drill", "recover", "--runs", str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_S)


def await_watchdog(root: Path) -> None:
    """Wait until nothing is left in the journals of a folder, or the time is over."""
    until = time.monotonic() + WAIT_S
    while runs.unfinished(root) and time.monotonic() < until:
        time.sleep(0.1)


def chosen(names: list[str], way: tuple[str, ...]) -> list[int]:
    """Return the points to try: all, or a few; some while the faults are in place are among them."""
    if EVERY and not SOME:
        return list(range(len(names)))
    inside = [number for number, name in enumerate(names) if name == "line intend"]
    undone = [number for number, name in enumerate(names) if name == "line undone"]
    drawn = random.Random(f"{SEED} {way}")
    return sorted(drawn.sample(range(inside[0], undone[-1]), SOME or DRAWN))


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_wherever_it_dies_all_is_put_back(deaths: Deaths, way: tuple[str, ...]) -> None:
    """At each point the watchdog alone, or recover alone, leaves the system as it was before."""
    before = deaths.lab.fingerprint()
    names = deaths.points(way)
    broken = []
    tried = 0
    for turn, number in enumerate(chosen(names, way)):
        for rescuer in ("watchdog", "recover") if EVERY else (("watchdog", "recover")[turn % 2],):
            root, passed = deaths.run(way, number, "alive" if rescuer == "watchdog" else "dead")
            watched = any("injected" in name or "intend" in name for name in passed)
            if rescuer == "watchdog" and watched:
                await_watchdog(root)
            else:
                recover(root)
            left = deaths.left(root, before)
            tried += 1
            print(f"{' '.join(way):28} {number:3} {passed[-1]:32} {rescuer:9} {left or 'restored'}")
            if left:
                broken.append((number, passed[-1], rescuer, left))
                recover(root)
    print(f"{' '.join(way)}: {tried} tried of {len(names)} points, {len(broken)} left broken")
    assert broken == []


# What a network-blackout puts in goes with the ACLs of own-network-acl too: its undo is not missed there.
@pytest.mark.parametrize(
    "kind", ["own-network-acl", *(("health-check-inversion", "replication-pause") if EVERY else ())]
)
def test_a_missing_undo_is_seen(deaths: Deaths, kind: str, tmp_path: Path) -> None:
    """With the undo of a fault taken out, the same comparison is not satisfied."""
    before = deaths.lab.fingerprint()
    way = ("region-outage",) if kind == "health-check-inversion" else ("region-outage", "--blackout")
    names = deaths.points(way)
    last = max(number for number, name in enumerate(names) if name == "line injected")
    root, _ = deaths.run(way, last, "dead")
    kept = tmp_path / "kept"
    shutil.copytree(root, kept)

    deaths.python(-1, tmp_path / "passed", "alive", kind, "recover", "--runs", str(root))
    left = deaths.left(root, before)
    recovered = recover(kept)

    assert left.startswith("another fingerprint: ")
    assert recovered.returncode == 0, recovered
    assert deaths.left(kept, before) == "", recovered


def test_another_machine_puts_back_what_a_lost_one_left(
    deaths: Deaths, lab: Lab, hasty: Path, tmp_path: Path
) -> None:
    """With the machine's processes and folder gone, the lease has all that an undo needs.

    Who tries is killed while the journal is written anew, and again while it undoes; each time the
    next goes on from there.
    """
    before = lab.fingerprint()
    way = ("region-outage", "--blackout")
    names = deaths.points(way)
    last = max(number for number, name in enumerate(names) if name == "line injected")
    root, _ = deaths.run(way, last, "dead")
    shutil.rmtree(root)
    elsewhere = tmp_path / "runs"
    lost = ["recover", "--lost-machine", str(hasty), "--runs", str(elsewhere)]

    assert lab.fingerprint() != before
    for number in DEATHS_IN_RESCUE:
        killed = deaths.python(number, tmp_path / "passed", "dead", "-", *lost)
        assert -signal.SIGKILL == killed.returncode, killed
    then = recover(elsewhere)
    again = subprocess.run(
        [sys.executable, "-m", "drill", *lost], capture_output=True, text=True, check=False, timeout=WAIT_S
    )

    assert 0 == then.returncode, then
    assert (0, True) == (again.returncode, "nothing is left to undo" in again.stdout), again
    assert deaths.left(elsewhere, before) == ""


@pytest.mark.parametrize(
    "way", [("region-outage", "--blackout"), *([("region-outage",)] if EVERY else [])], ids=" ".join
)
def test_with_all_processes_gone_the_schedules_put_it_back(
    deaths: Deaths, lab: Lab, tmp_path: Path, way: tuple[str, ...]
) -> None:
    """Runner and watchdog both dead: AWS itself sets the health check as it was, or lights the region."""
    before = lab.fingerprint()
    timing = lab.target.timing.model_copy(
        update={"warm_up_s": 0.8, "settle_s": 0.8, "deadline_s": 3.0, "effect_s": 1.0, "lease_s": 2.0}
    )
    path = tmp_path / "target.yaml"
    target.dump(lab.target.model_copy(update={"timing": timing}), path)
    alone = Deaths(lab, path, tmp_path)
    last = max(number for number, name in enumerate(deaths.points(way)) if name == "line injected")
    root, _ = alone.run(way, last, "dead")
    check, vpc = lab.target.primary.health_check_id, lab.target.primary.vpc_id
    aws = Aws.of(lab.target, as_operator=True)

    def broken() -> bool:
        acls = network_acls.read(aws, lab.target.primary.name, vpc).values()
        dark = any(is_denial(entry) for acl in acls for entry in acl.entries)
        found = aws.client("route53", "global").get_health_check(HealthCheckId=check)
        return dark or bool(found["HealthCheck"]["HealthCheckConfig"].get("Inverted"))

    assert broken()
    until = time.monotonic() + WAIT_S
    while broken():
        assert time.monotonic() < until
        time.sleep(0.1)
    assert runs.unfinished(root)
    assert 0 == recover(root).returncode
    assert alone.left(root, before) == ""
