"""The open-loop schedule: what an attempt does never delays the next."""

import asyncio
from typing import ClassVar

import pytest

from drill import clock
from drill.model import Goodness, Observation, ProbeSpec
from drill.probes.contract import Context, Probe, Seen
from drill.probes.http import HttpProbe
from drill.probes.loop import precise_loop
from drill.probes.schedule import Schedule
from drill.probes.stalls import Stalls
from tests.drill.probes.scripted import Place


class Waiting(Probe):
    """A probe whose attempts take a given time."""

    kind: ClassVar[str] = "waiting"
    takes_s = 0.0
    free_slots = 100

    @property
    def slots(self) -> int:
        """Return as many slots as the test wants."""
        return self.free_slots

    async def attempt(self, number: int) -> Seen:
        """Wait, then be good."""
        await asyncio.sleep(self.takes_s)
        return Seen(Goodness.GOOD, "us-east-1", {"number": number})


class Broken(Waiting):
    """A probe with a bug."""

    async def attempt(self, number: int) -> Seen:
        """Fail."""
        msg = "a bug"
        raise RuntimeError(msg)


def run(
    probe: Probe, lasts_s: float, drain_s: float = 10, stall_s: float = 0, last_stall_s: float = 0
) -> tuple[int, list[Observation]]:
    """Run a probe's schedule for a while, with the whole process stalled at first or at last if wanted."""

    async def sample() -> tuple[int, list[Observation]]:
        kept: list[Observation] = []
        await probe.open()
        start_ns = clock.monotonic_ns()
        stalls = Stalls()
        schedule = Schedule(probe, start_ns, kept.append, stalls)
        clock.sleep(stall_s)
        await asyncio.sleep(lasts_s)
        clock.sleep(last_stall_s)
        schedule.stop()
        await schedule.drain(drain_s)
        stalls.stop()
        await probe.close()
        if schedule.failed.done():
            schedule.failed.result()
        return start_ns, kept

    with asyncio.Runner(loop_factory=precise_loop) as runner:
        return runner.run(sample())


def make_waiting(place: Place, interval_s: float, takes_s: float = 0.0, slots: int = 100) -> Waiting:
    """Return a waiting probe."""
    probe = Waiting(ProbeSpec("waiting", "waiting", interval_s, 10), place())
    probe.takes_s, probe.free_slots = takes_s, slots
    return probe


class TestOpenLoop:
    def test_due_at_start_plus_n_intervals(self, place: Place) -> None:
        """Every number has its own due instant, whatever happened before, and none is missing."""
        start_ns, kept = run(make_waiting(place, 0.01), 0.25)

        assert len(kept) >= 25
        assert [start_ns + number * 10_000_000 for number in range(len(kept))] == [
            each.due_ns for each in sorted(kept, key=lambda each: each.number)
        ]

    def test_order_of_instants(self, place: Place) -> None:
        """An attempt is due, then sent, then done; how long it took shows."""
        _, kept = run(make_waiting(place, 0.02, takes_s=0.05), 0.2)

        sent = [each for each in kept if each.sent_ns is not None and each.done_ns is not None]
        assert len(sent) >= 5
        for each in sent:
            assert each.due_ns <= (each.sent_ns or 0)
            assert 0.05 <= ((each.done_ns or 0) - (each.sent_ns or 0)) / 1e9

    def test_hanging_attempts_overlap(self, place: Place, silent: int) -> None:
        """Against a server that hangs, attempts go on being sent at their own times."""
        probe = HttpProbe(ProbeSpec("clients", "http", 0.02, 0.6), place(silent))
        start_ns, kept = run(probe, 0.55)

        first_done_ns = min(each.done_ns for each in kept if each.done_ns is not None)
        before = [each for each in kept if each.sent_ns is not None and each.sent_ns < first_done_ns]
        assert ["timeout"] * len(before) == [each.detail["error"] for each in before]
        # A closed loop would have sent one; an open one has sent one for each interval.
        assert len(before) >= 0.8 * (first_done_ns - start_ns) / 20_000_000

    def test_timers_are_finer_than_milliseconds(self) -> None:
        """A timer can be kept within a millisecond, which one that waits in epoll never is."""

        async def one_kept() -> bool:
            for _ in range(2000):
                begun_ns = clock.monotonic_ns()
                await asyncio.sleep(0.0003)
                if clock.monotonic_ns() - begun_ns < 1_000_000:
                    return True
            return False

        with asyncio.Runner(loop_factory=precise_loop) as runner:
            assert runner.run(one_kept())


class TestUnsent:
    def test_no_free_slot(self, place: Place) -> None:
        """Attempts that find no slot are kept as unsent and unknown, in their places."""
        _, kept = run(make_waiting(place, 0.02, takes_s=0.5, slots=2), 0.3)

        unsent = [each for each in kept if each.sent_ns is None]
        assert len(kept) - 2 <= len(unsent)
        assert {(None, Goodness.UNKNOWN)} == {(each.done_ns, each.goodness) for each in unsent}
        # On a busy machine some are late besides.
        assert "no_free_slot" in {each.detail["error"] for each in unsent} <= {"no_free_slot", "late"}
        assert list(range(len(kept))) == sorted(each.number for each in kept)

    def test_stalled_process(self, place: Place) -> None:
        """What was due while the process stood still is kept as unsent, not sent in a burst."""
        _, kept = run(make_waiting(place, 0.05), 0.2, stall_s=0.5)

        unsent = [each for each in kept if each.sent_ns is None]
        assert 7 <= len(unsent)
        assert list(range(len(unsent))) == [each.number for each in unsent]
        assert {"late"} == {each.detail["error"] for each in unsent}

    def test_a_stall_is_no_outage(self, place: Place, silent: int) -> None:
        """What times out while the process stands still is unknown; what times out while it runs is bad."""
        spec = ProbeSpec("clients", "http", 0.02, 0.3)
        _, stalled = run(HttpProbe(spec, place(silent)), 0.05, last_stall_s=0.6)
        _, running = run(HttpProbe(spec, place(silent)), 0.1)

        of_a_stall = [one for one in stalled if one.detail["error"] == "stalled"]
        assert {(None, Goodness.UNKNOWN)} == {(one.sent_ns, one.goodness) for one in of_a_stall}
        looked_at = [one for one in (*stalled, *running) if one.goodness is Goodness.BAD]
        assert {"timeout"} == {one.detail["error"] for one in looked_at}
        assert Goodness.BAD in {one.goodness for one in running}

    def test_stalled_until_the_end(self, place: Place) -> None:
        """What was due by the end is accounted for, although no timer came round any more."""
        _, kept = run(make_waiting(place, 0.05), 0.02, last_stall_s=0.4)

        assert len([each for each in kept if each.sent_ns is None]) >= 5


class TestEnd:
    def test_waits_for_attempts_in_flight(self, place: Place) -> None:
        """An attempt that was sent before the end is kept with its own answer."""
        _, kept = run(make_waiting(place, 0.05, takes_s=0.3), 0.12)

        assert {Goodness.GOOD} == {each.goodness for each in kept if each.sent_ns is not None}
        assert list(range(len(kept))) == sorted(each.number for each in kept)

    def test_gives_up_at_the_limit(self, place: Place) -> None:
        """After the limit they are kept as sent, and unknown."""
        _, kept = run(make_waiting(place, 0.05, takes_s=60), 0.12, drain_s=0.1)

        assert {(Goodness.UNKNOWN, "stopped")} == {
            (each.goodness, each.detail["error"]) for each in kept if each.sent_ns is not None
        }
        assert len(kept) >= 3

    def test_a_bug_is_not_an_observation(self, place: Place) -> None:
        """A probe that raises is a bug of ours and ends the sampling."""
        probe = Broken(ProbeSpec("broken", "waiting", 0.01, 1), place())

        with pytest.raises(RuntimeError, match="a bug"):
            run(probe, 0.05)


def test_context_goes_through_json(place: Place) -> None:
    """The sampler's process gets the same context as the engine has."""
    context = place(name_servers=("127.0.0.1:53",), resolver="127.0.0.1:54")

    assert context == Context.from_document(context.document())
