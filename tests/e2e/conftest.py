"""One lab for all end-to-end tests: each drill must leave it as it was."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import pytest
from tenacity import Retrying, retry_if_result, stop_after_attempt

from drill import record, runs, target
from drill.aws import Aws
from drill.errors import DrillError
from drill.exit_codes import BREACHED, INCONCLUSIVE, MET, REFUSED, STOPPED
from drill.observations import Store
from drill.record import Record
from drill.target import Target
from infra.lab import ready, session, truth
from infra.lab.control_plane.decreases import FORGETS
from infra.lab.fingerprint import configuration, fingerprint
from infra.lab.fingerprint.sections import Clients

Came = TypeVar("Came")


@dataclass(frozen=True)
class Lab:
    """A lab that is up, with the system deployed.

    Attributes:
        state: Its folder.
        target: What is drilled.
        target_path: Where the target file is.

    """

    state: Path
    target: Target
    target_path: Path

    def timed(self, path: Path, **timing: float) -> "Lab":
        """Return the same lab with another target file, which has other durations."""
        changed = self.target.timing.model_copy(update=timing)
        drilled = self.target.model_copy(update={"timing": changed})
        target.dump(drilled, path)
        return replace(self, target=drilled, target_path=path)

    def fingerprint(self) -> str:
        """Return the hash of everything drillable, as AWS's API shows it now."""
        return fingerprint(*self._drillable())

    def configuration(self) -> dict[str, Any]:
        """Return what the fingerprint is of."""
        return configuration(*self._drillable())

    def _drillable(self) -> tuple[Clients, tuple[str, str]]:
        regions = (self.target.primary.name, self.target.standby.name)
        return Aws.of(self.target, as_operator=True).client, regions

    def truth(self) -> list[dict[str, object]]:
        """Return what the lab knows of what really happened."""
        return truth.read(self.state / ready.TRUTH)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start a lab, deploy the system, and stop it after the last test."""
    # The database's own user must be able to reach the folder, and pytest's are closed to others.
    state = session.folder()
    # DynamoDB's quota of decreases would end the drills that lower a capacity after the fourth.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FORGETS, "1")
        # Long enough for every point of `make crash`; it ends by itself all the same.
        session.up(state, "fast", None, 7200, print)
    try:
        yield Lab(state, target.load(state / session.TARGET), state / session.TARGET)
    finally:
        session.down(state)


@dataclass(frozen=True)
class Ended:
    """A drill that was run as a person would.

    Attributes:
        code: Its exit code.
        printed: What it printed, both streams.
        record: What it came to.
        folder: The run's folder.

    """

    code: int
    printed: str
    record: Record
    folder: Path


def tried(attempt: Callable[[], Came], in_vain: Callable[[Came], bool]) -> Came:
    """Do something, and again, twice at most, where a busy machine kept it from coming to what is tested."""
    trying = Retrying(
        retry=retry_if_result(in_vain),
        stop=stop_after_attempt(3),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )
    return trying(attempt)


def busy(reason: str) -> bool:
    """Say whether a reason is one that a drill gives where the machine is too busy to begin or to measure."""
    said = ("The probes were starved", "nothing was injected", "The steady state did not come back")
    return any(words in reason for words in said)


def late(folder: Path) -> bool:
    """Say whether the clients' resolver, which no fault touches, left questions of a run unanswered."""
    with contextlib.suppress(DrillError):  # there are no observations, or the test took them away
        asked = Store.open(folder / runs.OBSERVATIONS).by_probe("resolver")
        return any(one.detail.get("error") == "timeout" for one in asked)
    return False


def _too_busy(ended: "subprocess.CompletedProcess[str]") -> bool:
    """Say whether the machine was too busy for a drill: it said so, or the lab answered late in it."""
    printed = ended.stdout + ended.stderr
    if ended.returncode == REFUSED:
        return "check-is-healthy" in printed
    if ended.returncode not in {MET, BREACHED, INCONCLUSIVE, STOPPED}:
        return False
    if busy(printed) or "no renewal came back in time" in printed:
        return True
    reported = re.search(r"^report: (file://\S+)$", printed, re.MULTILINE)
    return reported is not None and late(Path(unquote(urlsplit(reported[1]).path)).parent)


def unsure(ended: "subprocess.CompletedProcess[str]") -> bool:
    """Say whether a drill that is met on a quiet machine could not tell, for whatever reason."""
    return ended.returncode == INCONCLUSIVE or _too_busy(ended)


def unstarved(
    command: list[str],
    in_vain: Callable[["subprocess.CompletedProcess[str]"], bool] = _too_busy,
    **environment: str,
) -> "subprocess.CompletedProcess[str]":
    """Run a drill; again if this machine was too busy to measure, which is what it is to say then."""
    started = partial(subprocess.run, command, capture_output=True, text=True, check=False, timeout=180)
    return tried(partial(started, env={**os.environ, **environment}), in_vain)


def run_on(lab: Lab, root: Path, *arguments: str) -> Ended:
    """Run ``drill run`` on a lab in a process of its own, and read its record from a folder of runs."""
    command = [sys.executable, "-m", "drill", "run", *arguments]
    where = ["--target", str(lab.target_path), "--runs", str(root)]
    ended = unstarved([*command, *where], unsure)
    assert list(runs.folders(root)), ended.stdout + ended.stderr
    folder = runs.find(root, "latest")
    read = record.read(folder / runs.RECORD)
    return Ended(ended.returncode, ended.stdout + ended.stderr, read, folder)


@pytest.fixture
def drill_run(lab: Lab, tmp_path: Path) -> Callable[..., Ended]:
    """Return a function that runs ``drill run`` in a process of its own and reads its record."""
    return partial(run_on, lab, tmp_path / "runs")
