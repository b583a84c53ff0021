"""Intervals of whole drills against the lab's log: the true instant inside, no wider than was looked, sharp.

An edge between orders lies between two instants that the table itself told: it met the last order that
was still bad, then the first that was good.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from drill.model import Between, Goodness, Measurement, Observation
from drill.observations import Store
from drill.record import Record
from drill.runs import OBSERVATIONS
from tests.e2e.conftest import Ended, Lab

# By so much more than its width is an interval moved, to see that it is missed then.
MARGIN_S = 0.05
# So many bad orders with fewer good ones than the other between them are an outage: see docs/objectives.md.
OUTAGE, GOOD_BETWEEN = 3, 3

Event = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """What became of one order, as the table told it.

    Attributes:
        seen: What its client saw.
        refused_ns: When the table first refused it for want of capacity; None if it never did.
        accepted_ns: When the table took it.
        settled_ns: When the application noted in the table that the database has it.

    """

    seen: Observation
    refused_ns: int | None
    accepted_ns: int | None
    settled_ns: int | None

    @property
    def met_ns(self) -> int:
        """When the table first met it; when it was sent, if it never did."""
        told = [at for at in (self.refused_ns, self.accepted_ns) if at is not None]
        return min(told, default=self.seen.sent_ns or 0)

    @property
    def in_database(self) -> bool:
        """Whether its answer said that the database has it; the table must have been told so before."""
        stores = self.seen.detail.get("stores")
        said = self.seen.goodness is Goodness.GOOD and isinstance(stores, dict)
        written = said and isinstance(stores, dict) and stores.get("aurora") == "written"
        if written:
            assert self.settled_ns is not None, self
            assert self.settled_ns <= (self.seen.done_ns or 0), self
        return written


def since(lab: Lab, record: Record, kind: str, **told: object) -> Iterator[Event]:
    """Yield what the lab knows to have happened from the drill's injection on."""
    injected = record.marks.injected
    assert injected is not None
    for event in lab.truth():
        at_ns = int(str(event["at_ns"]))
        if event["kind"] == kind and at_ns >= injected.earliest_ns and told.items() <= event.items():
            yield event


def alerted_ns(lab: Lab, record: Record) -> int:
    """Return when the alert of the standby's way to the primary was in the queue that drills read."""
    region = lab.target.standby
    name = region.alarms["reachability"]
    off = next(since(lab, record, "alarm_changed", alarm=name, after="ALARM"))
    queue = str(region.drill_queue_url).rpartition("/")[2]
    arrived = since(lab, record, "message_arrived", region=region.name, queue=queue)
    return next(int(one["at_ns"]) for one in arrived if one["at_ns"] >= off["at_ns"])


def orders(lab: Lab, ended: Ended, probe: str = "writer") -> list[Order]:
    """Return the run's own orders that one probe sent, by their numbers, with what the table told of each."""
    written: dict[int, list[int]] = {}
    refused: dict[int, list[int]] = {}
    kinds = {"item_written": written, "write_throttled": refused}
    for event in lab.truth():
        key = event.get("key")
        if (
            event["kind"] in kinds
            and isinstance(key, dict)
            and key.get("customer") == {"S": ended.record.run_id}
        ):
            at_ns = int(str(event["at_ns"]))
            kinds[str(event["kind"])].setdefault(int(key["token"]["S"]), []).append(at_ns)
    listed = []
    sent = [one for one in attempts(ended, probe) if one.sent_ns is not None]
    for seen in sorted(sent, key=lambda one: one.number):
        accepted, settled = [*sorted(written.get(seen.number, ()))[:2], None, None][:2]
        # What is refused later on is the note that the database has it.
        puts = [at for at in refused.get(seen.number, ()) if accepted is None or at < accepted]
        listed.append(Order(seen, min(puts, default=None), accepted, settled))
    return listed


def attempts(ended: Ended, probe: str) -> list[Observation]:
    """Return all that a probe saw."""
    return list(Store.open(ended.folder / OBSERVATIONS).by_probe(probe))


def over(listed: Sequence[Order], since_ns: int, good: Callable[[Order], bool], settle_s: float) -> Between:
    """Return between which instants an outage that reached beyond one was over; that one, if none did.

    It was over where nothing was an outage again for ``settle_s``: a busy machine may make another later.
    """
    stretches: list[list[int]] = []
    for place in (place for place, one in enumerate(listed) if not good(one)):
        if stretches and place - stretches[-1][-1] <= GOOD_BETWEEN:
            stretches[-1].append(place)
        else:
            stretches.append([place])
    outages = [one for one in stretches if len(one) >= OUTAGE]
    reaching = [one for one in outages if (listed[one[-1]].seen.done_ns or 0) >= since_ns]
    if not reaching:
        return Between(since_ns, since_ns)
    settled = (
        one[-1] for one, then in pairwise(reaching) if apart_s(listed[one[-1]], listed[then[0]]) >= settle_s
    )
    last = next(settled, reaching[-1][-1])
    first = next(one for one in listed[last + 1 :] if good(one))
    there_ns = first.settled_ns if listed[last].refused_ns is None else first.accepted_ns
    assert there_ns is not None
    return Between(listed[last].met_ns, there_ns)


def apart_s(one: Order, then: Order) -> float:
    """Return how long after one order another was sent."""
    return ((then.seen.sent_ns or 0) - (one.seen.sent_ns or 0)) / 1e9


def encloses(found: Measurement, begin: Between, true: Between) -> bool:
    """Say whether all of a true stretch lies inside, counted from every instant of a call."""
    low, high = (true.earliest_ns - begin.latest_ns) / 1e9, (true.latest_ns - begin.earliest_ns) / 1e9
    return found.high is not None and found.low <= max(0.0, low) and found.high >= high


def judge(found: Measurement, begin: Between, true: Between | int, looked_s: float | None = None) -> None:
    """See that an interval holds what was so, is bounded, and would be found out if it were beside it.

    Args:
        found: What was measured.
        begin: The call that it counts from.
        true: The true instant, or the stretch in which it lies.
        looked_s: The longest time between two looks of its probe (:func:`between_looks_s`); None where
            the probe does not look again and again.

    """
    if isinstance(true, int):
        true = Between(true, true)
    assert found.high is not None, found
    assert encloses(found, begin, true), (found, begin, true)
    width_s = found.high - found.low
    if looked_s is not None:
        assert width_s <= looked_s + (begin.latest_ns - begin.earliest_ns) / 1e9 + 1e-6, (found, looked_s)
    for by_s in (width_s + MARGIN_S, -width_s - MARGIN_S):
        moved = replace(found, low=found.low + by_s, high=found.high + by_s)
        assert not encloses(moved, begin, true), (moved, begin, true)


def between_looks_s(ended: Ended, probe: str, ends: Goodness = Goodness.GOOD) -> float:
    """Return the longest time from the sending of an attempt to the end of the next, if that ended so.

    This is what the attempts can prove at most, on a machine that was as busy as it was.
    """
    known = [
        one
        for one in attempts(ended, probe)
        if one.sent_ns is not None and one.done_ns is not None and one.goodness is not Goodness.UNKNOWN
    ]
    known.sort(key=lambda one: one.sent_ns or 0)
    return max(
        ((two.done_ns or 0) - (one.sent_ns or 0)) / 1e9
        for one, two in pairwise(known)
        if two.goodness is ends
    )
