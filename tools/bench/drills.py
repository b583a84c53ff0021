"""What a drill itself costs, on a lab that is up: time beyond what it waited for, memory, and a rescue."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from bench.running import CHAOS, DRILL, Table, ran, spread

from drill import journal, record, runs
from drill.record import Record

RUNS = 3
LONG_S = 60.0


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab with the system on it.

    Attributes:
        target: Its target file.
        folder: Where runs go.

    """

    target: Path
    folder: Path

    def with_timing(self, **timing: float) -> Path:
        """Return another target file with these times."""
        document = yaml.safe_load(self.target.read_text(encoding="utf-8"))
        document["timing"] |= timing
        path = self.folder / f"target-{len(list(self.folder.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path


@contextmanager
def lab() -> Iterator[Lab]:
    """Yield a lab that is up, and stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="drill-bench-") as name:
        place = Path(name)
        place.chmod(0o755)  # as root its databases run under another user
        state = place / "lab"
        ran([DRILL, "lab", "up", "--state", state, "--hours", "1"])
        try:
            (place / "runs").mkdir()
            yield Lab(state / "target.yaml", place / "runs")
        finally:
            ran([DRILL, "lab", "down", "--state", state])


def overhead(place: Lab) -> Table:
    """Return how long whole drills took beyond what they had to wait for."""
    rows = []
    for arguments in ((), ("--blackout",)):
        beyond, whole = [], []
        for turn in range(RUNS):
            root = place.folder / f"overhead{'-'.join(arguments)}-{turn}"
            one = ran([DRILL, "run", "region-outage", *arguments, "--target", place.target, "--runs", root])
            finished = record.read(runs.find(root, "latest") / runs.RECORD)
            whole.append(one.wall_s)
            beyond.append(one.wall_s - _waited_s(finished, place.target))
        rows.append((" ".join(("region-outage", *arguments)), spread(whole), spread(beyond)))
    how = (
        f"Wall seconds of {RUNS} whole drills each, and what is left of them without the warm-up, the time "
        "from the injection's end to the recovery's, and the time from the rollback's end to the steady "
        "state: starting, guards, arming, injecting, reading the ledgers, rolling back, measuring, rendering."
    )
    return Table("A drill's own time", how, ("drill", "whole, s", "its own, s"), tuple(rows))


def _waited_s(finished: Record, target: Path) -> float:
    marks = finished.marks
    if not (marks.injected and marks.recovery_ended_ns and marks.undone and marks.settled_ns):
        sys.exit(f"{finished.run_id} did not go to its end: {finished.reason}")
    warm_up_s = yaml.safe_load(target.read_text(encoding="utf-8"))["timing"]["warm_up_s"]
    recovery_ns = marks.recovery_ended_ns - marks.injected.latest_ns
    settle_ns = marks.settled_ns - marks.undone.latest_ns
    return float(warm_up_s) + (recovery_ns + settle_ns) / 1e9


def memory(place: Lab) -> Table:
    """Return how a long drill's memory grows with what it has observed."""
    target = place.with_timing(warm_up_s=LONG_S, probe_interval_s=0.004, write_interval_s=0.05)
    root = place.folder / "memory"
    command = [str(DRILL), "run", "region-outage", "--target", str(target), "--runs", str(root)]
    seen: list[tuple[float, float]] = []
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as process:
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            rss = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
            if rss:
                seen.append((time.monotonic() - began, int(rss[0]) / 1024))
            time.sleep(0.5)
    finished = record.read(runs.find(root, "latest") / runs.RECORD)
    observed = sum(one.due for one in finished.probe_health)
    early = [mb for at_s, mb in seen if LONG_S * 0.2 < at_s < LONG_S * 0.3]
    late = [mb for at_s, mb in seen if LONG_S * 0.9 < at_s < LONG_S]
    grown = sum(late) / len(late) - sum(early) / len(early)
    per = grown * 1e6 / (observed * 0.7 * LONG_S / (seen[-1][0]))
    row = (
        f"{observed}",
        f"{sum(early) / len(early):.0f}",
        f"{sum(late) / len(late):.0f}",
        f"{per:.0f}",
        f"{max(mb for _, mb in seen):.0f}",
    )
    how = f"One region-outage with a warm-up of {LONG_S:g} s and 250 client attempts a second."
    heads = (
        "observations",
        "MB after a quarter of the warm-up",
        "MB at its end",
        "bytes grown per observation",
        "MB at most, report included",
    )
    return Table("A long drill's memory (the runner's)", how, heads, (row,))


def rescue(place: Lab) -> Table:
    """Return how long after a kill -9 of the runner the system was back, by the watchdog."""
    taken = []
    for turn in range(RUNS):
        root = place.folder / f"rescue-{turn}"
        command = [str(DRILL), "run", "region-outage", "--blackout", "--target", str(place.target)]
        process = subprocess.Popen(
            [*command, "--runs", str(root)], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        folder = _await(lambda root=root: _broken(root))
        killed = time.monotonic()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _await(lambda folder=folder: not journal.unfinished(journal.read(folder)))
        taken.append(time.monotonic() - killed)
    lease_s = yaml.safe_load(place.target.read_text(encoding="utf-8"))["timing"]["lease_s"]
    how = (
        f"kill -9 of the runner right after a blackout, {RUNS} times: seconds until its watchdog had put "
        f"everything back and checked it. The lease says after {lease_s:g} s of silence that a runner is "
        "dead; the watchdog sees a death on its own machine at once. Chaos Toolkit's fault is a file that "
        "its method makes and that its rollbacks, which it is told to do always, remove; it is looked for "
        f"{lease_s:g} s after its runner's death."
    )
    left = sum(_chaos_left(lease_s) for _ in range(RUNS))
    rows = (("drill", spread(taken), f"0 of {RUNS}"), ("Chaos Toolkit", "-", f"{left} of {RUNS}"))
    return Table("Crash recovery", how, ("runner", "killed and put back, s", "fault left in place"), rows)


def _chaos_left(wait_s: float) -> bool:
    """Kill Chaos Toolkit in the midst of its method; say whether its fault is there after a while."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fault = folder / "fault"

        def doing(title: str, path: str, *arguments: str) -> dict[str, object]:
            provider = {"type": "process", "path": path, "arguments": list(arguments)}
            return {"type": "action", "name": title, "provider": provider}

        experiment = {
            "title": "killed",
            "description": "killed in the midst of its method",
            "method": [doing("break", "touch", str(fault)), doing("watch", "sleep", str(2 * wait_s))],
            "rollbacks": [doing("mend", "rm", "-f", str(fault))],
        }
        (folder / "experiment.json").write_text(json.dumps(experiment), encoding="utf-8")
        command = [CHAOS, "--no-version-check", "run", "--rollback-strategy", "always", "experiment.json"]
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _await(fault.exists)
            process.kill()
            process.wait()
            time.sleep(wait_s)
            return fault.exists()
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # the sleep outlives it


def _broken(root: Path) -> Path | None:
    for path in root.glob(f"*/{journal.FILE}"):
        lines = path.read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines if line.endswith("}")]
        if any(one["kind"] == "injected" and one["step"] == "cut-network" for one in entries):
            return path.parent
    return None


def _await(holds):  # noqa: ANN001, ANN202 (whatever it returns)
    while not (found := holds()):
        time.sleep(0.01)
    return found
