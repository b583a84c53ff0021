"""A drill that was played, and everything that is known of it: what it measured, and what was so."""

import json
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from drill import journal, record, runs
from drill.measure.bounds import nanoseconds
from drill.model import Between, Goodness, Measurement, Observation
from drill.observations import Store
from drill.record import Record
from drill.target import Target
from infra.lab import truth as truth_log
from scenarios.region_outage import CLIENTS
from tests.truth.cloud import ADDRESSES
from tests.truth.draw import Drill
from tests.truth.play import Played
from tests.truth.runner import PLANTED

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """An interval that was measured, beside what was so.

    Attributes:
        measure: Which measure, for example ``recovery_time``.
        part: Which part of it.
        low_ns: The measured lower bound.
        high_ns: The measured upper bound; None if it is censored.
        true_ns: What was so; two values where the definition leaves a stretch, all of which must lie inside.
        allowed_ns: How wide it may be; None where no width is asked.

    """

    measure: str
    part: str
    low_ns: int
    high_ns: int | None
    true_ns: tuple[int, int]
    allowed_ns: int | None

    @property
    def inside(self) -> bool:
        """Whether what was so lies in the interval."""
        return self.low_ns <= self.true_ns[0] and (self.high_ns is None or self.true_ns[1] <= self.high_ns)

    @property
    def width_ns(self) -> int | None:
        """How wide it is; None if it has no end."""
        return None if self.high_ns is None else self.high_ns - self.low_ns

    @property
    def narrow(self) -> bool:
        """Whether it is as narrow as its probe's interval allows; one without an end is not."""
        return self.allowed_ns is None or (self.width_ns is not None and self.width_ns <= self.allowed_ns)

    def __str__(self) -> str:
        high = "∞" if self.high_ns is None else f"{self.high_ns / 1e9:.6f}"
        true = " to ".join(f"{one / 1e9:.6f}" for one in dict.fromkeys(self.true_ns))
        wide = "" if self.narrow else f", wider than {(self.allowed_ns or 0) / 1e9:.6f}"
        return f"{self.measure} {self.part}: [{self.low_ns / 1e9:.6f}, {high}] s, true {true} s{wide}"


@dataclass(frozen=True, slots=True)
class Same:
    """Something that must be exactly as it was so."""

    measure: str
    part: str
    measured: object
    true: object

    @property
    def inside(self) -> bool:
        """Whether both are the same."""
        return self.measured == self.true

    def __str__(self) -> str:
        return f"{self.measure} {self.part}: measured {self.measured}, true {self.true}"


Check = Span | Same


@dataclass
class Case:
    """One drill with its evidence.

    Attributes:
        drill: What was drawn.
        folder: The run's folder.
        truth: The truth log.
        target: What was drilled.
        record: What was measured.
        observations: What the probes saw, by probe.
        events: The truth log of the cloud, in the order of time.
        planted: Numbers of the orders that were tampered with.

    """

    drill: Drill
    folder: Path
    truth: Path
    target: Target
    record: Record
    observations: Mapping[str, Sequence[Observation]]
    events: Sequence[Event]
    planted: Sequence[int]

    @classmethod
    def of(cls, played: Played) -> "Case":
        """Read what a drill left."""
        folder = played.folder
        assert folder is not None, played.complaint
        with Store.open(folder / runs.OBSERVATIONS) as store:
            reader = store.reader()
            reader.more()
            # What they saw besides is read from the file when it is asked for: have it all now.
            by_probe = {
                probe: [replace(one, detail=dict(one.detail)) for one in seen]
                for probe, seen in reader.seen.items()
            }
        return cls(
            drill=played.drill,
            folder=folder,
            truth=played.truth,
            target=_target(folder),
            record=record.read(folder / runs.RECORD),
            observations=by_probe,
            events=_events(played.truth),
            planted=json.loads((folder / PLANTED).read_text(encoding="utf-8")),
        )

    @property
    def starved(self) -> bool:
        """Whether the drill says that its probes were starved."""
        return "starved" in self.record.reason

    @cached_property
    def unserved(self) -> list[Observation]:
        """The clients' attempts that went bad though no fault was in their way."""
        back = self.routed_ns(self.under_fault, self.target.standby.name)
        dark_ns, back_ns = self.dark_ns, back[-1] if back else None

        def explained(one: Observation) -> bool:
            if dark_ns is None or (one.done_ns or 0) < dark_ns:
                return False
            return back_ns is None or (one.sent_ns or 0) <= back_ns

        every = self.observations.get(CLIENTS, ())
        bad = [one for one in every if one.sent_ns is not None and one.goodness is Goodness.BAD]
        return [one for one in bad if not explained(one)]

    @cached_property
    def disturbed(self) -> bool:
        """Whether the lab itself answered late, as its canary saw too, so that clients or checkers gave up.

        That is no fault of the drill's, and nobody knows how long it really lasted.
        """
        if any(True for _ in self._checks_unwell):
            return True
        if self.drill.starves:
            return False
        late = [(one["since_ns"], one["at_ns"]) for one in self.of_kind("answered_late")]
        return any(
            since_ns < (one.done_ns or 0) and until_ns > (one.sent_ns or 0)
            for one in self.unserved
            for since_ns, until_ns in late
        )

    @property
    def _checks_unwell(self) -> Iterator[Event]:
        """Yield when a health check turned though nothing stood between its checkers and its endpoint."""
        watched = Between(self.record.marks.probes_started_ns, self.injected.earliest_ns)
        for region, within in (
            (self.target.primary, watched),
            (self.target.standby, Between(watched.earliest_ns, self._last_ns)),
        ):
            yield from self.of_kind(
                "health_changed", within, health_check_id=region.health_check_id, healthy=False
            )

    @property
    def _last_ns(self) -> int:
        return self.record.marks.settled_ns or self.undone.latest_ns

    def measured(self, name: str, part: str = "") -> Measurement | None:
        """Return one measurement."""
        every = self.record.measured.measurements
        return next((one for one in every if (one.name, one.part) == (name, part)), None)

    def findings(self, code: str) -> list[str]:
        """Return what the findings of one code say."""
        return [f"{one.title} {one.detail}" for one in self.record.measured.findings if one.code == code]

    def of_kind(self, kind: str, within: Between | None = None, **fields: object) -> Iterator[Event]:
        """Yield the truth's events of one kind, in the order of time."""
        for event in self.events:
            if event["kind"] != kind or any(event[name] != value for name, value in fields.items()):
                continue
            if within is None or within.earliest_ns <= event["at_ns"] <= within.latest_ns:
                yield event

    @property
    def injected(self) -> Between:
        """When the engine injected."""
        assert self.record.marks.injected is not None
        return self.record.marks.injected

    @property
    def undone(self) -> Between:
        """When the engine rolled back."""
        assert self.record.marks.undone is not None
        return self.record.marks.undone

    @cached_property
    def faulted_ns(self) -> int:
        """When AWS's API had taken the call that broke the region."""
        return self._accepted_ns(self.injected)

    @cached_property
    def mended_ns(self) -> int:
        """When AWS's API had taken the call that mended it."""
        return self._accepted_ns(self.undone)

    def _accepted_ns(self, within: Between) -> int:
        if self.drill.method == "inversion":
            check = self.target.primary.health_check_id
            return int(next(self.of_kind("check_updated", within, health_check_id=check))["at_ns"])
        lines = (self.folder / journal.FILE).read_text(encoding="utf-8").splitlines()
        captured = next(one["captured"] for one in map(json.loads, lines) if one.get("step") == "cut-network")
        (acl,) = captured["acls"]
        changes = [one["at_ns"] for one in self.of_kind("acl_changed", within, acl_id=acl)]
        # One entry for each direction: the first denies, and what is denied ends with the second.
        return int(changes[-2] if within == self.injected else changes[1])

    @cached_property
    def dark_ns(self) -> int | None:
        """When the primary's packets began to vanish; None if they never did."""
        closed = self.of_kind("path_closed", self.under_fault, region=self.target.primary.name)
        # Loopback addresses of different systems differ, and so do those of their gates.
        ours = [one["at_ns"] for one in closed if one["address"] == self.address(self.target.primary.name)]
        return ours[0] if ours else None

    def address(self, region: str) -> str:
        """Return where a region's load balancer answers."""
        document = json.loads((self.truth.parent / ADDRESSES).read_text(encoding="utf-8"))
        return str(document[self.drill.name][region])

    @property
    def under_fault(self) -> Between:
        """From the injection to the rollback."""
        return Between(self.injected.earliest_ns, self.undone.earliest_ns)

    @property
    def since_undo(self) -> Between:
        """From the rollback to the end."""
        return Between(self.undone.earliest_ns, self._last_ns)

    def shown_ns(self, within: Between, *, healthy: bool) -> list[int]:
        """Return when the name server's answers turned with the primary's health check."""
        check = self.target.primary.health_check_id
        events = self.of_kind("health_shown", within, health_check_id=check, healthy=healthy)
        return [int(event["at_ns"]) for event in events]

    def routed_ns(self, within: Between, region: str) -> list[int]:
        """Return from when on the clients' resolver would have named a region, for each time that it did.

        What it kept had expired at ``expired_ns``, and nobody asked until ``at_ns``: any question
        in between would have been answered as the name server then answered.
        """
        found = []
        for event in self.of_kind("answer_changed", within, name=f"{self.target.service.host}."):
            if event["server"] == "resolver" and event["after"] == [self.address(region)]:
                healthy = region == self.target.primary.name
                shown = self.shown_ns(Between(0, event["at_ns"]), healthy=healthy)
                found.append(max(event["expired_ns"] or 0, shown[-1]))
        return found

    def interval_ns(self, probe: str) -> int:
        """Return a probe's interval."""
        return nanoseconds(next(one.interval_s for one in self.record.probes if one.name == probe))

    @cached_property
    def gave_up_ns(self) -> int:
        """How long the longest of the clients' attempts took that went bad while the region was dark."""
        bad = (one for one in self.observations.get(CLIENTS, ()) if one.goodness is Goodness.BAD)
        took = [(one.done_ns or 0) - (one.sent_ns or 0) for one in bad if one.sent_ns is not None]
        return max(took, default=0)

    def took_ns(self, probe: str, done_ns: int) -> int:
        """Return how long the attempt took that was done at an instant; 0 if none was."""
        every = self.observations.get(probe, ())
        took = [done_ns - one.sent_ns for one in every if one.done_ns == done_ns and one.sent_ns is not None]
        return max(took, default=0)


@lru_cache(maxsize=4)
def _events(path: Path) -> Sequence[Event]:
    """Return a cloud's truth; it is over when the first of its drills is judged."""
    return sorted(truth_log.read(path), key=operator.itemgetter("at_ns"))


def _target(folder: Path) -> Target:
    from drill import plan

    return plan.read(folder).target


def length_ns(between: Between) -> int:
    """Return how long a call took."""
    return between.latest_ns - between.earliest_ns


def ns(seconds: float | None) -> int | None:
    """Return seconds as whole nanoseconds; None stays None."""
    return None if seconds is None else nanoseconds(seconds)
