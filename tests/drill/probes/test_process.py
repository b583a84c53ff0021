"""The sampler as a process: it starts, ends, dies with its parent, and is seen to die."""

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from drill import clock
from drill.errors import DrillError
from drill.model import Goodness, Observation, ProbeSpec
from drill.observations import Store
from drill.probes.process import Sampler
from drill.probes.sampler import Order
from drill.probes.turn import NICE, SLICE_NS
from tests.drill.probes.scripted import Place, Serve

PARENT = """
import sys, time
from pathlib import Path
from drill.model import ProbeSpec
from drill.probes.contract import Context
from drill.probes.process import Sampler
from drill.probes.sampler import Order
context = Context("run-1", None, ("a", "b"), "127.0.0.1", int(sys.argv[2]))
sampler = Sampler.start([ProbeSpec("clients", "http", 0.05, 0.3)], context, Path(sys.argv[1]))
print(sampler.pid, flush=True)
time.sleep(60)
"""


def clients(interval_s: float = 0.05, timeout_s: float = 5, **options: str) -> ProbeSpec:
    """Return the spec of an http probe."""
    return ProbeSpec("clients", "http", interval_s, timeout_s, options)


def await_until(condition: Callable[[], bool], limit_s: float = 20) -> None:
    """Wait until something holds; fail if it never does."""
    give_up_ns = clock.monotonic_ns() + round(limit_s * 1e9)
    while not condition():
        assert clock.monotonic_ns() < give_up_ns, "it never came"
        clock.sleep(0.02)


def observed(path: Path) -> list[Observation]:
    """Return all that is in a store."""
    with Store.open(path) as store:
        return store.read()[0]


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in text.split()]


def runs(pid: int) -> bool:
    """Say whether a process runs; one that is dead and not yet reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def slice_ns(pid: int) -> int:
    """Return a process's slice; 0 where the kernel tells none, or lets nobody ask for one (before 6.12)."""
    path, release = Path(f"/proc/{pid}/sched"), [int(one) for one in platform.release().split(".")[:2]]
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() and release >= [6, 12] else []
    return next((int(line.rpartition(":")[2]) for line in lines if line.startswith("se.slice")), 0)


class TestSampler:
    def test_samples_and_stops(self, tmp_path: Path, serve: Serve, place: Place) -> None:
        """What it sees can be read while it runs; at the end no number is missing."""
        path = tmp_path / "observations.sqlite"
        service = serve(lambda *_: (200, {"region": "us-east-1"}))
        specs = [clients(), ProbeSpec("writer", "writer", 0.1, 5)]

        sampler = Sampler.start(specs, place(service.port), path)
        await_until(lambda: len(observed(path)) >= 10)
        alive = [sampler.alive]
        sampler.stop()
        alive.append(sampler.alive)

        assert [True, False] == alive
        kept = observed(path)
        for name in ("clients", "writer"):
            numbers = sorted(each.number for each in kept if each.probe == name)
            assert list(range(len(numbers))) == numbers
        assert sampler.started_ns == min(each.due_ns for each in kept)
        sent = [each for each in kept if each.probe == "clients" and each.sent_ns is not None]
        assert {Goodness.GOOD} == {each.goodness for each in sent}
        with Store.open(path) as store:
            assert len(store.clocks()) >= 1

    def test_stop_waits_for_what_hangs(self, tmp_path: Path, silent: int, place: Place) -> None:
        """Attempts in flight at the stop are waited for up to their time-out, and kept."""
        path = tmp_path / "observations.sqlite"
        sampler = Sampler.start([clients(0.05, 1)], place(silent), path)
        clock.sleep(0.5)
        assert [each for each in observed(path) if each.sent_ns is not None] == []
        sampler.stop()

        kept = observed(path)
        assert len(kept) >= 5
        assert {"timeout"} == {each.detail["error"] for each in kept if each.sent_ns is not None}

    def test_a_stalled_process_is_unknown(self, tmp_path: Path, serve: Serve, place: Place) -> None:
        """While it stands still nothing is known: those attempts are unsent and unknown."""
        path = tmp_path / "observations.sqlite"
        service = serve(lambda *_: (200, {"region": "us-east-1"}))
        sampler = Sampler.start([clients()], place(service.port), path)
        await_until(lambda: len(observed(path)) >= 3)
        os.kill(sampler.pid, signal.SIGSTOP)
        clock.sleep(0.8)
        os.kill(sampler.pid, signal.SIGCONT)
        await_until(lambda: any(each.sent_ns is None for each in observed(path)))
        sampler.stop()

        unsent = [each for each in observed(path) if each.sent_ns is None]
        assert len(unsent) >= 10
        assert {(Goodness.UNKNOWN, None)} == {(each.goodness, each.done_ns) for each in unsent}

    def test_outlives_no_parent(self, tmp_path: Path, silent: int) -> None:
        """When its parent is killed it ends by itself, and what it saw is in the store."""
        path = tmp_path / "observations.sqlite"
        command = [sys.executable, "-c", PARENT, str(path), str(silent)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            await_until(lambda: len(observed(path)) >= 1)
            parent.kill()

        await_until(lambda: not runs(pid))
        kept = observed(path)
        assert list(range(len(kept))) == sorted(each.number for each in kept)

    def test_term_ends_it(self, tmp_path: Path, serve: Serve, place: Place) -> None:
        """SIGTERM ends it in order, SIGINT does not: the terminal's Ctrl-C is for the runner."""
        path = tmp_path / "observations.sqlite"
        service = serve(lambda *_: (200, {}))
        sampler = Sampler.start([clients()], place(service.port), path)
        os.kill(sampler.pid, signal.SIGINT)
        await_until(lambda: len(observed(path)) >= 3)
        os.kill(sampler.pid, signal.SIGTERM)
        await_until(lambda: not sampler.alive)

        sampler.stop()

    def test_its_death_is_seen(self, tmp_path: Path, serve: Serve, place: Place) -> None:
        """A sampler that was killed is not alive, and its stop says so."""
        service = serve(lambda *_: (200, {}))
        sampler = Sampler.start([clients()], place(service.port), tmp_path / "observations.sqlite")
        os.kill(sampler.pid, signal.SIGKILL)
        await_until(lambda: not sampler.alive)

        with pytest.raises(
            DrillError, match=r"the probes failed: the sampler ended with status -9; see: .*log"
        ):
            sampler.stop()


class TestApiProbes:
    def test_have_a_process_of_their_own(
        self, tmp_path: Path, serve: Serve, silent: int, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What calls AWS's API is seen from another process, and all of it is in the one store at the end."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        path = tmp_path / "observations.sqlite"
        table = ProbeSpec("table", "table", 0.1, 0.4, {"table": "t", "region": "us-east-1"})
        service = serve(lambda *_: (200, {"region": "us-east-1"}))
        context = place(service.port, endpoint_url=f"http://127.0.0.1:{silent}")

        sampler = Sampler.start([clients(), table], context, path)
        (other,) = children(sampler.pid)
        nice = [os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, sampler.pid, other)]
        slices = [slice_ns(pid) for pid in (sampler.pid, other)]
        await_until(lambda: {each.probe for each in observed(path)} == {"clients", "table"})
        sampler.stop()

        if slices[1]:
            assert slices[0] == SLICE_NS < slices[1]
        # Who may not come first is as all others are; who calls AWS's API never comes first.
        assert nice[0] == nice[2]
        asked = f"import os; os.setpriority(os.PRIO_PROCESS, 0, {NICE})"
        allowed = subprocess.run([sys.executable, "-c", asked], stderr=subprocess.DEVNULL, check=False)
        assert nice[1] == (nice[0] if allowed.returncode else NICE)
        kept = [each for each in observed(path) if each.probe == "table"]
        assert list(range(len(kept))) == sorted(each.number for each in kept)
        assert sampler.started_ns == min(each.due_ns for each in observed(path))
        assert not runs(other)

    def test_their_death_is_seen(self, tmp_path: Path, serve: Serve, place: Place) -> None:
        """When that process dies the sampler ends and says what is missing."""
        table = ProbeSpec("table", "table", 0.1, 0.4, {"table": "t", "region": "us-east-1"})
        service = serve(lambda *_: (200, {}))
        context = place(service.port, endpoint_url="http://127.0.0.1:9")
        sampler = Sampler.start([clients(), table], context, tmp_path / "observations.sqlite")
        os.kill(children(sampler.pid)[0], signal.SIGKILL)
        await_until(lambda: not sampler.alive)

        with pytest.raises(DrillError, match="the probes of AWS's API ended; nobody knows"):
            sampler.stop()

    def test_outlive_no_sampler(self, tmp_path: Path, serve: Serve, place: Place) -> None:
        """When the sampler is killed that process ends by itself."""
        table = ProbeSpec("table", "table", 0.1, 0.4, {"table": "t", "region": "us-east-1"})
        context = place(serve(lambda *_: (200, {})).port, endpoint_url="http://127.0.0.1:9")
        sampler = Sampler.start([clients(), table], context, tmp_path / "observations.sqlite")
        (other,) = children(sampler.pid)
        os.kill(sampler.pid, signal.SIGKILL)

        await_until(lambda: not runs(other))
        with pytest.raises(DrillError, match="status -9"):
            sampler.stop()


class TestStart:
    def test_too_few_open_files(self, tmp_path: Path, place: Place) -> None:
        """Where a machine lets a process have too few open files, that is said before anything is asked."""
        path = tmp_path / "order.json"
        Order((clients(0.01, 5),), place(), tmp_path / "observations.sqlite", 1).write(path)
        Store.create(tmp_path / "observations.sqlite").close()
        limited = [
            "sh",
            "-c",
            'ulimit -n 300; exec "$0" -m drill.probes.sampler "$1"',
            sys.executable,
            str(path),
        ]

        ended = subprocess.run(limited, input="", capture_output=True, text=True, check=False)

        assert (1, "") == (ended.returncode, ended.stdout)
        assert "hold up to 789 files open and this machine lets a process have 300" in ended.stderr

    @pytest.mark.parametrize(
        ("spec", "complaint"),
        [
            (ProbeSpec("a", "nosuch", 1, 1), "no kind 'nosuch'; it is one of alarm, dns, health_check"),
            (ProbeSpec("a", "table", 1, 1), r"option 'table' must be a text"),
            (ProbeSpec("a", "http", 0, 1), "must be above zero"),
            (ProbeSpec("a", "http", 0.0005, 5), "up to 10508 attempts in flight .* more than 8000: choose"),
        ],
    )
    def test_a_wrong_spec(self, tmp_path: Path, place: Place, spec: ProbeSpec, complaint: str) -> None:
        """A probe that can't be made is told by its name before anything is asked."""
        with pytest.raises(DrillError, match=f"probe 'a'.*{complaint}"):
            Sampler.start([spec], place(), tmp_path / "observations.sqlite")

    def test_two_of_one_name(self, tmp_path: Path, place: Place) -> None:
        """Two probes of one name could not be told apart."""
        with pytest.raises(DrillError, match="two probes are named 'clients'"):
            Sampler.start([clients(), clients()], place(), tmp_path / "observations.sqlite")

    def test_a_damaged_store(self, tmp_path: Path, place: Place) -> None:
        """A store that can't be used is told, and the log is named."""
        path = tmp_path / "observations.sqlite"
        path.write_bytes(b"not a database, " * 100)

        with pytest.raises(DrillError, match=r"did not start: .*file is not a database.*see: .*probes\.log"):
            Sampler.start([clients()], place(), path)

    def test_no_secret_is_written(
        self, tmp_path: Path, serve: Serve, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Credentials reach it through the environment and stand in none of its files."""
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "extremely-secret")
        sampler = Sampler.start([clients()], place(serve(lambda *_: (200, {})).port), tmp_path / "o.sqlite")
        sampler.stop()

        assert all(b"extremely-secret" not in file.read_bytes() for file in tmp_path.iterdir())
