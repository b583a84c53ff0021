"""A table can be throttled: what refuses that, and how the quota of decreases is read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drill.faults.table_description import Part
from drill.guards.declared import guard_of
from drill.guards.decreases import left
from drill.model import GuardSpec
from tests.drill.guards.asking import asked
from tests.infra.lab.capacitylab import (
    TABLE,
    capacity_lab,
    emptied,
    make_table,
    scale,
    settled,
    target,
    units,
)
from tests.infra.lab.planelab import EAST, WEST, Lab

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WRITES = "WriteCapacityUnits"


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """Give a control plane on which updates are quick."""
    with capacity_lab() as made:
        yield made


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """Give an empty account."""
    return emptied(shared)


def answer(
    lab: Lab, write_units: int = 2, load: float = 10, *, scaled: bool = False, disposable: bool = False
) -> str:
    """Return what the guard says of the table in the target."""
    options = {"write_units": write_units, "orders_per_s": load, "scaled": scaled}
    of = asked(table={"name": TABLE}, disposable=disposable)
    return guard_of(GuardSpec("table-can-be-throttled", options))(of, lab.aws)


@pytest.mark.parametrize(
    ("decreases", "ago_minutes", "now", "next_minutes"),
    [
        (0, None, 4, 0),
        (1, 5, 3, 0),
        (3, 5, 1, 0),
        (4, 5, 0, 55),
        (9, 59, 0, 1),
        (4, 60, 1, 0),
        (26, 61, 1, 0),
    ],
)
def test_the_quota_is_read_from_what_describe_table_tells(
    decreases: int, ago_minutes: int | None, now: int, next_minutes: int
) -> None:
    """Four in the first hour, then one an hour; nothing that AWS permits is refused."""
    last = None if ago_minutes is None else NOON - timedelta(minutes=ago_minutes)
    found = left(Part(5, 5, decreases, last), NOON)
    assert (found.now, found.next_at) == (now, NOON + timedelta(minutes=next_minutes))


def test_the_quota_begins_anew_at_midnight() -> None:
    """What was used up in the last hour of a day is there again in the first minute of the next."""
    late = datetime(2026, 11, 24, 23, 50, tzinfo=UTC)
    midnight = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
    assert left(Part(5, 5, 6, late), late + timedelta(minutes=5)).next_at == midnight
    # On the new day AWS shows none of today.
    assert left(Part(5, 5, 0, late), midnight).now == 4


def test_a_table_with_more_may_be_throttled(lab: Lab) -> None:
    """Provisioned or on demand, global or not."""
    make_table(lab, (30, 40), (30, 20), replica=True)
    assert answer(lab) == ""
    emptied(lab)
    make_table(lab, on_demand=True)
    assert answer(lab) == ""


def test_decreases_that_are_used_up_are_told_with_what_is_left(lab: Lab) -> None:
    """How many there were, that none is left, and when the next is possible."""
    client = make_table(lab, (30, 40))
    for writes in (39, 38, 37, 36):
        assert answer(lab) == ""
        client.update_table(TableName=TABLE, ProvisionedThroughput=units(30, writes))
        settled(lab)
    said = answer(lab)
    assert f"today's decreases of the table {TABLE} are used up: there were 4, 0 are left now" in said
    assert "the next is possible at 20" in said
    assert said.endswith(" UTC; run the drill then")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"write_units": 40}, "there is nothing to lower; choose a smaller --capacity"),
        ({"load": 41}, "less than the load of 41 orders a second"),
        ({"scaled": True}, "nothing scales the writes"),
    ],
)
def test_what_would_prove_nothing_refuses(lab: Lab, options: dict[str, int], says: str) -> None:
    """Nothing to lower, throttled already, or nothing that could cope."""
    make_table(lab, (30, 40))
    assert says in answer(lab, **options)  # type: ignore[arg-type]


def test_without_a_table_it_refuses(lab: Lab) -> None:
    """The target file is out of date."""
    assert f"there is no table {TABLE} in {EAST}" in answer(lab)


def test_a_table_that_is_being_changed_refuses(lab: Lab) -> None:
    """AWS takes one update at a time."""
    make_table(lab, (30, 40)).update_table(TableName=TABLE, ProvisionedThroughput=units(30, 50))
    assert "is being changed" in answer(lab)


def test_a_replica_elsewhere_refuses(lab: Lab) -> None:
    """Its region would be throttled too, and its auto scaling would not be suspended."""
    make_table(lab, (30, 40), replica=True)
    here = asked(table={"name": TABLE})
    standby = here.plan.target.standby.model_copy(update={"name": "eu-west-1"})
    elsewhere = here.plan.target.model_copy(update={"standby": standby})
    spec = GuardSpec("table-can-be-throttled", {"write_units": 2, "orders_per_s": 10})
    answered = guard_of(spec)(replace(here, plan=replace(here.plan, target=elsewhere)), lab.aws)
    assert f"has a replica in {WEST} too" in answered


def test_auto_scaling_must_be_there_to_be_tried(lab: Lab) -> None:
    """On demand there is none; suspended it does nothing."""
    make_table(lab, (30, 40))
    scale(lab, WRITES, 5, 100)
    assert answer(lab, scaled=True) == ""
    lab.client("application-autoscaling").register_scalable_target(
        **target(WRITES), SuspendedState={"DynamicScalingOutSuspended": True}
    )
    assert "is suspended already" in answer(lab, scaled=True)
    assert answer(lab) == ""
    emptied(lab)
    make_table(lab, on_demand=True)
    assert "is on-demand and has no auto scaling" in answer(lab, scaled=True)


def test_a_system_that_is_there_to_be_broken_may_show_what_nothing_scales(lab: Lab) -> None:
    """It is asked whether auto scaling ends the throttling, and there the answer may be no."""
    make_table(lab, (30, 40))
    assert "nothing scales the writes" in answer(lab, scaled=True)
    assert answer(lab, scaled=True, disposable=True) == ""
    emptied(lab)
    make_table(lab, on_demand=True)
    assert "is on-demand" in answer(lab, scaled=True, disposable=True)
