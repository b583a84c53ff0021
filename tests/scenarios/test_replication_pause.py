"""Replication pause declares what it must, and its predicates read the markers."""

from collections.abc import Sequence
from typing import Any

import pytest

from drill import plan
from drill.errors import UsageError
from drill.model import Between, Goodness, History, Marks, Observation
from drill.target import Target
from scenarios.replication_pause import (
    CLIENTS,
    REPLICATION,
    WRITER,
    ReplicationPause,
    ReplicationPauseParams,
)
from tests.drill.test_target import make_document

PRIMARY, STANDBY = "us-east-1", "us-west-2"
SECOND = 1_000_000_000
PARAMS = ReplicationPauseParams(pause_s=2)
ROLE = "arn:aws:iam::123456789012:role/fis"


def make_target(**changes: Any) -> Target:
    """Return a target with AWS FIS set up, whose settle window is one second."""
    timing = {
        "settle_s": 1,
        "deadline_s": 20,
        "probe_interval_s": 0.1,
        "write_interval_s": 0.1,
        "probe_timeout_s": 1,
    }
    table = {"name": "orders", "pause_role_arn": ROLE}
    return Target.model_validate(make_document(timing=timing, **{"table": table, **changes}))


def seen(probe: str, dues_s: Sequence[float], region: str | None, *, bad: bool = False) -> list[Observation]:
    """Return attempts of a probe in the order of their numbers."""
    goodness = Goodness.BAD if bad else Goodness.GOOD
    due = [round(at_s * SECOND) for at_s in dues_s]
    return [
        Observation(probe, number, at, at, at + 10_000_000, goodness, region) for number, at in enumerate(due)
    ]


def every(first_s: float, last_s: float, step_s: float) -> list[float]:
    """Return instants at even distances."""
    return [first_s + step_s * number for number in range(round((last_s - first_s) / step_s))]


def history_of(*observed: list[Observation], injected_s: float = 1.0) -> History:
    """Return a history of these attempts."""
    specs = {spec.name: spec for spec in ReplicationPause().probes(make_target(), PARAMS)}
    by_probe = {listed[0].probe: listed for listed in observed}
    at_ns = round(injected_s * SECOND)
    return History(specs, by_probe, Marks(0, injected=Between(at_ns, at_ns)))


def served(until_s: float) -> tuple[list[Observation], list[Observation]]:
    """Return clients and orders that the primary served."""
    dues_s = every(0, until_s, 0.1)
    return seen(CLIENTS, dues_s, PRIMARY), seen(WRITER, dues_s, PRIMARY)


def test_the_primarys_table_is_paused_for_longer_than_the_drill() -> None:
    """The experiment outlives the deadline, and AWS ends it by itself."""
    (step,) = plan.make(ReplicationPause(), PARAMS, make_target()).steps

    assert "replication-pause" == step.fault
    assert step.args["duration_s"] == 20 + 120
    assert [("table", f"arn:aws:dynamodb:{PRIMARY}:123456789012:table/orders")] == [
        (one.kind, one.id) for one in step.touches
    ]


def test_a_pause_beyond_the_deadline_is_refused() -> None:
    """It would always be breached; what may be typed is said."""
    with pytest.raises(UsageError, match="take less than 18"):
        plan.make(ReplicationPause(), ReplicationPauseParams(pause_s=18), make_target())


def test_it_asks_whether_fis_is_set_up() -> None:
    """Without a role there is no pause, and a plan can be shown all the same."""
    bare = make_target(table={"name": "orders"})
    made = plan.make(ReplicationPause(), PARAMS, bare)

    assert "replication-can-be-paused" in [guard.kind for guard in made.guards]


def test_effect_is_a_marker_that_was_held_back() -> None:
    """Only one that was put after the injection counts."""
    scenario, target = ReplicationPause(), make_target()
    held = seen(REPLICATION, [1.2], None, bad=True)
    before = seen(REPLICATION, [0.8], None, bad=True)
    came = seen(REPLICATION, [1.2], STANDBY)

    assert scenario.took_effect(target, PARAMS, history_of(held))
    assert not scenario.took_effect(target, PARAMS, history_of(before))
    assert not scenario.took_effect(target, PARAMS, history_of(came))


def test_ends_when_the_pause_was_seen_for_long_enough() -> None:
    """It counts from the first marker held back, and clients must have been served."""
    scenario, target = ReplicationPause(), make_target()
    held = seen(REPLICATION, [1.2], None, bad=True)
    clients, orders = served(3.6)
    away = [*orders[:-3], *seen(WRITER, every(0, 3.6, 0.1), None, bad=True)[-3:]]

    assert scenario.ended(target, PARAMS, history_of(held, clients, orders))
    assert not scenario.ended(target, PARAMS, history_of(held, *served(3.0)))
    assert not scenario.ended(target, PARAMS, history_of(held, clients, away))
    assert not scenario.ended(target, PARAMS, history_of(clients, orders))
