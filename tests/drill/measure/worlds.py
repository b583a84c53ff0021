"""Small made-up worlds whose true instants are known, and the attempts that probes make in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from drill.model import (
    Between,
    Goodness,
    History,
    Json,
    LedgerRead,
    Marks,
    Measured,
    Measurement,
    Observation,
    ProbeSpec,
)
from drill.target import Dns, Region, Service, Table, Target, Timing

EAST, WEST = "us-east-1", "us-west-2"
CLIENTS = ProbeSpec("clients", "http", 0.1, 2.0)
# Far from zero, as the monotonic clock of a machine that has run for a while.
BASE_NS = 5_000_000_000_000


def ns(at_s: float) -> int:
    """Return an instant, in seconds from the beginning of the made-up time."""
    return BASE_NS + round(at_s * 1e9)


def between(first_s: float, last_s: float) -> Between:
    """Return bounds, in seconds from the beginning of the made-up time."""
    return Between(ns(first_s), ns(last_s))


def target(settle_s: float = 1.0) -> Target:
    """Return a target of two regions; only the settling time matters to measures."""

    def region(name: str) -> Region:
        return Region(
            name=name,
            load_balancer=f"lb.{name}.test",
            load_balancer_arn=f"arn:aws:elasticloadbalancing:{name}:123456789012:loadbalancer/app/a/1",
            vpc_id="vpc-1",
            edge_subnet_ids=("subnet-1",),
            app_subnet_ids=("subnet-2",),
            health_check_id="11111111-2222-3333-4444-555555555555",
            function_name="orders",
            function_alias="live",
            cluster_id="orders",
        )

    return Target(
        schema=1,
        name="made-up",
        account="123456789012",
        service=Service(host="www.app.test"),
        primary=region(EAST),
        standby=region(WEST),
        dns=Dns(hosted_zone_id="Z1", record_name="www.app.test"),
        table=Table(name="orders"),
        peering_id="pcx-1",
        timing=Timing(settle_s=settle_s),
    )


def marks(
    injected: tuple[float, float] | None = (5.0, 5.05),
    undone: tuple[float, float] | None = None,
    ended: float | None = None,
    settled: float | None = None,
    deadline_passed: bool = False,
) -> Marks:
    """Return the engine's instants, all in seconds from the beginning."""
    return Marks(
        probes_started_ns=ns(0),
        injected=None if injected is None else between(*injected),
        recovery_ended_ns=None if ended is None else ns(ended),
        undone=None if undone is None else between(*undone),
        settled_ns=None if settled is None else ns(settled),
        deadline_passed=deadline_passed,
    )


def attempt(number: int, sent_s: float, goodness: str = "good", **more: object) -> Observation:
    """Return an attempt of the probe ``clients``, sent when it was due and answered in 10 ms.

    Args:
        number: Its number.
        sent_s: When it was sent.
        goodness: What it showed.
        **more: ``done_s``, ``due_s``, ``answered_by``, ``detail``, ``probe``.

    """
    done_s, due_s = more.get("done_s", sent_s + 0.01), more.get("due_s", sent_s)
    detail = more.get("detail", {})
    answered_by = more.get("answered_by", EAST if goodness == "good" else None)
    assert isinstance(done_s, int | float)
    assert isinstance(due_s, int | float)
    assert isinstance(detail, Mapping)
    return Observation(
        probe=str(more.get("probe", "clients")),
        number=number,
        due_ns=ns(due_s),
        sent_ns=ns(sent_s),
        done_ns=ns(done_s),
        goodness=Goodness(goodness),
        answered_by=None if answered_by is None else str(answered_by),
        detail=detail,
    )


def unsent(number: int, due_s: float) -> Observation:
    """Return an attempt of ``clients`` that was due and never sent."""
    return Observation("clients", number, ns(due_s), None, None, Goodness.UNKNOWN)


def scripted(
    pattern: str, interval_s: float = 0.1, served: Mapping[str, str] | None = None
) -> list[Observation]:
    """Return attempts of ``clients`` from a pattern, one letter each.

    ``g`` is good and served by the primary, ``w`` good and served by the standby, ``b`` bad,
    ``?`` sent and unknown, ``.`` due and never sent.
    """
    listed: list[Observation] = []
    for number, letter in enumerate(pattern):
        at_s = number * interval_s
        if letter == ".":
            listed.append(unsent(number, at_s))
        else:
            goodness = {"b": "bad", "?": "unknown"}.get(letter, "good")
            region = {"g": EAST, "w": WEST, **(served or {})}.get(letter)
            listed.append(attempt(number, at_s, goodness, answered_by=region))
    return listed


def history(
    observations: Iterable[Observation],
    at: Marks | None = None,
    ledgers: Sequence[LedgerRead] = (),
    specs: Sequence[ProbeSpec] = (CLIENTS,),
) -> History:
    """Return a history of some probes' attempts."""
    named: dict[str, list[Observation]] = {spec.name: [] for spec in specs}
    for one in observations:
        named.setdefault(one.probe, []).append(one)
    return History({spec.name: spec for spec in specs}, named, at or marks(), tuple(ledgers))


@dataclass(frozen=True, slots=True)
class World:
    """A service that is gone from one true instant to another, for good before and after.

    Attributes:
        down_s: When it went away.
        up_s: When it was back.
        manner: How it is away: ``refuse``, ``503`` or ``hang``.
        one_way_s: From sending to the instant at which the service decides, and back again.
        moved: The standby serves from ``up_s`` on, as after a failover.

    """

    down_s: float
    up_s: float
    manner: str = "refuse"
    one_way_s: float = 0.001
    moved: bool = False

    def answer(self, spec: ProbeSpec, number: int, due_s: float, late_s: float = 0.0) -> Observation:
        """Return what an attempt shows that is sent a little late."""
        sent_s = due_s + late_s
        met_s = sent_s + self.one_way_s
        gone = self.down_s <= met_s < self.up_s
        hangs = gone and self.manner == "hang"
        region = WEST if self.moved and met_s >= self.up_s else EAST
        return replace(
            attempt(number, sent_s, "bad" if gone else "good", due_s=due_s, probe=spec.name),
            done_ns=ns(sent_s + (spec.timeout_s if hangs else 2 * self.one_way_s)),
            answered_by=None if gone else region,
        )

    def watched(self, spec: ProbeSpec, until_s: float, late_s: Sequence[float] = (0.0,)) -> list[Observation]:
        """Return all attempts of a probe, each as late as the next of ``late_s``, over and over."""
        count = int(until_s / spec.interval_s)
        return [
            self.answer(spec, number, number * spec.interval_s, late_s[number % len(late_s)])
            for number in range(count)
        ]


def measured(found: Measured, name: str, part: str = "") -> Measurement:
    """Return the one measurement of a name and part."""
    (one,) = [each for each in found.measurements if (each.name, each.part) == (name, part)]
    return one


def holds(measurement: Measurement, truth: float) -> bool:
    """Say whether a true value lies inside, to the nanosecond."""
    high = float("inf") if measurement.high is None else measurement.high
    return measurement.low - 2e-9 <= truth <= high + 2e-9


def shifted(measurement: Measurement, by: float) -> Measurement:
    """Return a measurement moved along its axis, as a broken measure would report it."""
    high = None if measurement.high is None else measurement.high + by
    return replace(measurement, low=measurement.low + by, high=high)


def stores(**said: str) -> dict[str, Json]:
    """Return what an answer says of each store."""
    return {"stores": dict(said)}
