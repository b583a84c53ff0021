"""The API fault matrix: whatever calls fail, a drill ends restored, or with 3 and the names of what is left.

``DRILL_EVERY_SEED=1``, as ``make faults`` sets it, tries ``DRILL_SEEDS`` seeds of each way; without it
one, drawn by ``DRILL_SEED``. Runner, watchdog and probes all reach AWS's API through the failing proxy.
"""

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drill import dead_man, journal, lease_table, rollback, runs, target
from drill.aws import Aws
from tests.e2e.conftest import Lab
from tests.e2e.test_crash import WAYS
from tests.faultmatrix.proxy import Proxy, Request, Weather

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

SEED = int(os.environ.get("DRILL_SEED", "20261124"))
EVERY = os.environ.get("DRILL_EVERY_SEED") == "1"
SEEDS = int(os.environ.get("DRILL_SEEDS", "30")) if EVERY else 1
RATE = 0.3
TIMEOUT_S = 1.0
# What a drill that is restored may end with.
RESTORED = {0, 1, 2, 4, 5, 64}


@pytest.fixture(scope="module")
def proxy(lab: Lab) -> Iterator[Proxy]:
    """Give a proxy before the lab's API."""
    assert lab.target.endpoint_url is not None
    with Proxy(lab.target.endpoint_url) as made:
        yield made


@dataclass(frozen=True)
class Failing:
    """Drills whose calls of the API go through a proxy that fails them."""

    lab: Lab
    proxy: Proxy
    target_path: Path
    folder: Path

    def run(self, way: tuple[str, ...], weather: Weather) -> "tuple[Path, subprocess.CompletedProcess[str]]":
        """Run one drill; all is well again when it has ended."""
        root = self.folder / f"runs-{len(list(self.folder.iterdir()))}"
        root.mkdir()
        self.proxy.set(weather)
        return root, self.type("run", *way, "--target", str(self.target_path), "--runs", str(root))

    @staticmethod
    def type(*arguments: str) -> "subprocess.CompletedProcess[str]":
        """Type a command."""
        command = [sys.executable, "-m", "drill", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)

    def left(self, root: Path, before: str) -> list[str]:
        """Return what is left of the only run of a folder."""
        aws = Aws.of(self.lab.target, as_operator=True)
        item = lease_table.left(aws, self.lab.target)
        left = [f"step {step} in the lease" for step in item.steps] if item else []
        left += [f"{folder.name} unfinished" for folder in runs.unfinished(root)]
        for folder in runs.folders(root):
            left += [f"schedule {name}" for name in dead_man.armed(aws, self.lab.target, folder.name)]
        return left if self.lab.fingerprint() == before else [*left, "another fingerprint"]

    def wrong(self, root: Path, ended: "subprocess.CompletedProcess[str]", before: str) -> str:
        """Return what the drill did wrong; puts back what it said to be left."""
        printed = ended.stdout + ended.stderr
        left = self.left(root, before)
        if "Traceback" in printed or ended.returncode not in {*RESTORED, 3}:
            return f"exit {ended.returncode}: {printed}"
        if ended.returncode != 3:
            return f"exit {ended.returncode} with {left}: {printed}" if left else ""
        unsaid = [name for name in self.pending(root) if name not in printed]
        if unsaid or not left:
            return f"exit 3 with {left}, and nothing said of {unsaid}: {printed}"
        again = self.type("recover", "--runs", str(root))
        left = self.left(root, before)
        return f"recover ended with {again.returncode}: {left}: {again}" if again.returncode or left else ""

    @staticmethod
    def pending(root: Path) -> list[str]:
        """Return the names of what is still to be undone."""
        left = []
        for folder in runs.unfinished(root):
            entries = journal.read(folder)
            left += [step.step for step in journal.pending(entries)]
            left += [rollback.DISARMING] if journal.armed(entries) else []
        return left


@pytest.fixture(scope="module")
def failing(lab: Lab, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Failing:
    """Give drills with short waits, whose calls go through the proxy."""
    timing = lab.target.timing.model_copy(
        update={
            "warm_up_s": 0.8,
            "settle_s": 0.8,
            "deadline_s": 10.0,
            "failback_s": 15.0,
            "effect_s": 15.0,
            "api_timeout_s": TIMEOUT_S,
        }
    )
    path = tmp_path_factory.mktemp("failing") / "target.yaml"
    target.dump(lab.target.model_copy(update={"timing": timing, "endpoint_url": proxy.url}), path)
    return Failing(lab, proxy, path, tmp_path_factory.mktemp("runs"))


def breaks(request: Request) -> bool:
    """Say whether a call begins to break something: a seed that refuses the drill tells nothing."""
    own = request.action == "CreateNetworkAcl" or b"steps.#step" in request.body
    return own or (request.scope[1] in {"scheduler", "fis"} and request.method != "GET")


def chosen(way: tuple[str, ...]) -> list[int]:
    """Return the seeds of a way."""
    return random.Random(f"{SEED} {way}").sample(range(10_000), SEEDS)


def _last(ended: "subprocess.CompletedProcess[str]") -> str:
    """Return what a drill came to, in its own words."""
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if not line.startswith("report:")]
    return said[-1][:90] if said else ""


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_at_three_failures_in_ten_all_is_put_back_or_told(failing: Failing, way: tuple[str, ...]) -> None:
    """Each drill ends restored, or with 3 and what is left, which recover then puts back."""
    before = failing.lab.fingerprint()
    broken, injected, codes = [], Counter[str](), Counter[int]()
    for turn, seed in enumerate(chosen(way)):
        # One in five fails from the first call on; the others when there is something to lose.
        from_first = turn % 5 == 4
        until = (lambda _: True) if from_first else breaks
        root, ended = failing.run(way, Weather(seed, RATE, TIMEOUT_S, until))
        kinds = Counter(failing.proxy.injected)
        failing.proxy.set(Weather())
        wrong = failing.wrong(root, ended, before)
        injected += kinds
        codes[ended.returncode] += 1
        row = f"{' '.join(way):28} {seed:5} {kinds.total():4} faults  exit {ended.returncode}"
        print(f"{row}  {wrong or _last(ended)}")
        if wrong:
            broken.append((seed, wrong))
            failing.type("recover", "--runs", str(root))
    print(
        f"{' '.join(way)}: {SEEDS} seeds, exit codes {dict(sorted(codes.items()))}, {len(broken)} left broken"
    )
    print("  " + ", ".join(f"{kind} {count}" for kind, count in sorted(injected.items())))
    assert injected.total() > 0
    assert broken == []
