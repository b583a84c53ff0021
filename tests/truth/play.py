"""Plays drills: a cloud for each group of seeds, and its drills side by side in it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from infra.lab.ready import TRUTH
from tests.truth.cloud import READY
from tests.truth.draw import SIDE_BY_SIDE, Drill

# No account is known here, whoever runs this.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
START_S = 180.0
DRILL_S = 180.0
DRILLS = "drills.json"


@dataclass(frozen=True, slots=True)
class Played:
    """A drill that was run.

    Attributes:
        drill: Which.
        folder: The run's folder; None if there is none.
        truth: The cloud's truth log.
        complaint: Why it did not come to a record; empty if it did.

    """

    drill: Drill
    folder: Path | None
    truth: Path
    complaint: str = ""


def play(folder: Path, drills: Sequence[Drill]) -> list[Played]:
    """Run the drills of one cloud, some side by side and those rounds one after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps([drill.document() for drill in drills])
    (folder / DRILLS).write_text(document, encoding="utf-8")
    with _cloud(folder):
        played = []
        for first in range(0, len(drills), SIDE_BY_SIDE):
            running = [(one, _begin(folder, one)) for one in drills[first : first + SIDE_BY_SIDE]]
            played += [_ended(folder, drill, process) for drill, process in running]
        return played


@contextmanager
def _cloud(folder: Path) -> Iterator[None]:
    with (folder / "cloud.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.truth.cloud", str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(),
        )
    try:
        until = time.monotonic() + START_S
        while not (folder / READY).exists():
            if process.poll() is not None or time.monotonic() > until:
                tail = (folder / "cloud.log").read_text(encoding="utf-8", errors="replace")[-2000:]
                msg = f"the cloud of {folder} did not start: {tail}"
                raise RuntimeError(msg)
            time.sleep(0.02)
        yield
    finally:
        process.communicate()


def _begin(folder: Path, drill: Drill) -> "subprocess.Popen[bytes]":
    with (folder / f"{drill.name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.truth.runner", str(folder), str(drill.seed)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
        )


def _ended(folder: Path, drill: Drill, process: "subprocess.Popen[bytes]") -> Played:
    try:
        status = process.wait(DRILL_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        status = process.wait()
    played = _played(folder, drill)
    return played if status == 0 else replace(played, complaint=f"ended with {status}: {_log(folder, drill)}")


def kept(folder: Path) -> list[Played]:
    """Return the drills that were played in a folder before."""
    drills = json.loads((folder / DRILLS).read_text(encoding="utf-8"))
    return [_played(folder, Drill.of(drill)) for drill in drills]


def _played(folder: Path, drill: Drill) -> Played:
    runs = sorted(path.parent for path in (folder / drill.name).glob("*/planted.json"))
    if not runs:
        return Played(drill, None, folder / TRUTH, _log(folder, drill))
    return Played(drill, runs[-1], folder / TRUTH)


def _log(folder: Path, drill: Drill) -> str:
    """Return the end of what a drill said."""
    return (folder / f"{drill.name}.log").read_text(encoding="utf-8", errors="replace").strip()[-1500:]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **ENVIRONMENT}
