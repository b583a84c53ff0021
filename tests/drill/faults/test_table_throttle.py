"""TableThrottle against the lab's DynamoDB, where updates take time and decreases are limited."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from drill import clock
from drill.errors import DrillError
from drill.faults.contract import Intent
from drill.faults.table_throttle import TableThrottle
from tests.drill.faults.breakage import Cut, Unsteady
from tests.infra.lab.capacitylab import (
    INDEX,
    TABLE,
    capacity_lab,
    capacity_of,
    described,
    emptied,
    make_table,
    settled,
    units,
)
from tests.infra.lab.planelab import EAST, WEST, Lab

INTENT = Intent("run-1", "lower")
ARN = f"arn:aws:dynamodb:{EAST}:123456789012:table/{TABLE}"


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """Give a control plane on which an update takes 0.12 s."""
    with capacity_lab() as made:
        yield made


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """Give an empty account."""
    return emptied(shared)


def throttle(write_units: int = 2) -> TableThrottle:
    """Return the fault, which looks often."""
    return TableThrottle(EAST, ARN, write_units, wait_s=20, poll_s=0.02)


def put_back(fault: TableThrottle, aws: Any, captured: Any) -> tuple[str, ...]:
    """Undo until it shows, as a rollback does; the test's own time limit ends what never shows."""
    told: tuple[str, ...] = ()
    while True:
        told = fault.undo(aws, captured, INTENT.run_id) or told
        if fault.undone(aws, captured, INTENT.run_id):
            return told
        clock.sleep(0.02)


def change(lab: Lab, reads: int, writes: int) -> None:
    """Give the table another capacity, as anybody could, and wait for it."""
    lab.client("dynamodb").update_table(TableName=TABLE, ProvisionedThroughput=units(reads, writes))
    settled(lab)


def test_lowers_table_and_index_in_every_region_and_puts_them_back(lab: Lab) -> None:
    """Writes are lowered everywhere, reads stay; afterwards all is as it was."""
    make_table(lab, (30, 40), (30, 20), replica=True)
    fault = throttle()
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    for region in (EAST, WEST):
        assert (capacity_of(lab, region), capacity_of(lab, region, INDEX)) == ((30, 2), (30, 2))
    assert not fault.undone(lab.aws, captured, INTENT.run_id)
    assert put_back(fault, lab.aws, captured) == ()
    for region in (EAST, WEST):
        assert (capacity_of(lab, region), capacity_of(lab, region, INDEX)) == ((30, 40), (30, 20))


def test_lowers_only_what_has_more(lab: Lab) -> None:
    """An index that has less already is left as it is: AWS refuses an update that changes nothing."""
    make_table(lab, (30, 40), (30, 2))
    fault = throttle()
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    assert capacity_of(lab) == (30, 2)
    put_back(fault, lab.aws, captured)
    assert (capacity_of(lab), capacity_of(lab, index=INDEX)) == ((30, 40), (30, 2))


def test_undoes_twice_and_without_injection(lab: Lab) -> None:
    """An undo that has nothing to do only reads."""
    make_table(lab, (30, 40))
    fault = throttle()
    captured = fault.capture(lab.aws)
    watched: Any = Unsteady(lab.aws)
    put_back(fault, watched, captured)
    fault.inject(lab.aws, captured, INTENT)
    put_back(fault, lab.aws, captured)
    put_back(fault, watched, captured)
    assert set(watched.made) == {"dynamodb.DescribeTable"}
    assert capacity_of(lab) == (30, 40)


def test_an_undo_waits_for_an_update_that_goes_on(lab: Lab) -> None:
    """While the table is being changed nothing can be put back, and it does not count as undone."""
    make_table(lab, (30, 40))
    fault = throttle()
    captured = fault.capture(lab.aws)
    lab.client("dynamodb").update_table(TableName=TABLE, ProvisionedThroughput=units(30, 2))
    assert fault.undo(lab.aws, captured, INTENT.run_id) == ()
    assert not fault.undone(lab.aws, captured, INTENT.run_id)
    put_back(fault, lab.aws, captured)
    assert capacity_of(lab) == (30, 40)


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("at", range(3))
def test_is_put_back_wherever_a_call_breaks(lab: Lab, at: int, lost: bool) -> None:
    """Whether the call before the break happened or not, the undo finds out and puts back."""
    make_table(lab, (30, 40), (30, 20))
    fault = throttle()
    captured = fault.capture(lab.aws)
    unsteady: Any = Unsteady(lab.aws, at, lost=lost)
    with pytest.raises(Cut):
        fault.inject(unsteady, captured, INTENT)
    put_back(fault, lab.aws, captured)
    assert (capacity_of(lab), capacity_of(lab, index=INDEX)) == ((30, 40), (30, 20))


def test_takes_its_own_repeated_update_for_its_own(lab: Lab) -> None:
    """An update whose answer was lost and that is sent again is refused, and was made all the same."""
    make_table(lab, (30, 40))
    fault = throttle()
    captured = fault.capture(lab.aws)
    lab.client("dynamodb").update_table(TableName=TABLE, ProvisionedThroughput=units(30, 2))
    fault.inject(lab.aws, captured, INTENT)
    assert capacity_of(lab) == (30, 2)


def test_what_auto_scaling_raised_on_the_way_is_raised_to_what_was(lab: Lab) -> None:
    """It began from what the drill had set: less than before is the drill's own doing."""
    make_table(lab, (30, 40))
    fault = throttle()
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    change(lab, 30, 17)
    assert not fault.undone(lab.aws, captured, INTENT.run_id)
    assert put_back(fault, lab.aws, captured) == ()
    assert capacity_of(lab) == (30, 40)


@pytest.mark.parametrize("theirs", [1, 70])
def test_leaves_what_others_lowered_further_or_raised_beyond(lab: Lab, theirs: int) -> None:
    """Neither is what the drill left: it stays and is told."""
    make_table(lab, (30, 40))
    fault = throttle()
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    change(lab, 30, theirs)
    (drift,) = put_back(fault, lab.aws, captured)
    assert f"table {TABLE} has {theirs} write units, not 40; see: aws dynamodb describe-table" in drift
    assert capacity_of(lab) == (30, theirs)


def test_reads_that_moved_meanwhile_stay(lab: Lab) -> None:
    """An update names reads too: those of now, not those of before."""
    make_table(lab, (30, 40))
    fault = throttle()
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    change(lab, 55, 2)
    put_back(fault, lab.aws, captured)
    assert capacity_of(lab) == (55, 40)


def test_on_demand_the_maximum_is_set_and_taken_away(lab: Lab) -> None:
    """A table that is paid by the request gets a maximum; one that had none has none afterwards."""
    make_table(lab, index=(1, 1), on_demand=True)
    fault = throttle()
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    table = described(lab)
    (index,) = table["GlobalSecondaryIndexes"]
    assert table["OnDemandThroughput"]["MaxWriteRequestUnits"] == 2
    assert index["OnDemandThroughput"]["MaxWriteRequestUnits"] == 2
    assert not fault.undone(lab.aws, captured, INTENT.run_id)
    put_back(fault, lab.aws, captured)
    assert fault.capture(lab.aws) == captured
    assert described(lab).get("OnDemandThroughput", {}).get("MaxWriteRequestUnits", -1) == -1


def test_an_on_demand_maximum_comes_back_as_it_was(lab: Lab) -> None:
    """A maximum that was there is there again, and one that somebody else set meanwhile stays."""
    client = make_table(lab, on_demand=True, OnDemandThroughput={"MaxWriteRequestUnits": 40})
    fault = throttle()
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    put_back(fault, lab.aws, captured)
    assert described(lab)["OnDemandThroughput"]["MaxWriteRequestUnits"] == 40
    fault.inject(lab.aws, captured, INTENT)
    client.update_table(TableName=TABLE, OnDemandThroughput={"MaxWriteRequestUnits": 90})
    settled(lab)
    (drift,) = put_back(fault, lab.aws, captured)
    assert "has 90 write units, not 40" in drift


@pytest.mark.parametrize("on_demand", [False, True])
def test_the_dead_mans_call_puts_everything_back(lab: Lab, on_demand: bool) -> None:
    """The one call that AWS makes by itself is accepted and is enough."""
    make_table(lab, (30, 40), (30, 20), on_demand=on_demand)
    fault = throttle()
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    (call,) = fault.dead_man(captured, INTENT.run_id).calls
    assert (call.service, call.region, call.action) == ("dynamodb", EAST, "UpdateTable")
    lab.client("dynamodb").update_table(**call.request)
    settled(lab)
    assert fault.undone(lab.aws, captured, INTENT.run_id)
    assert fault.capture(lab.aws) == captured


@pytest.mark.parametrize(
    ("made", "says"),
    [(False, "there is no table"), (True, "has 2 write units a second, which is not more than 2")],
)
def test_what_can_not_be_lowered_is_refused(lab: Lab, made: bool, says: str) -> None:
    """Without a table, or with one that has no more than that, nothing is touched."""
    if made:
        make_table(lab, (30, 2))
    with pytest.raises(DrillError, match=says):
        throttle().capture(lab.aws)


def test_a_table_that_is_being_changed_is_refused(lab: Lab) -> None:
    """AWS would not take the update, and what is captured would not be what there will be."""
    make_table(lab, (30, 40)).update_table(TableName=TABLE, ProvisionedThroughput=units(30, 50))
    with pytest.raises(DrillError, match="is being changed"):
        throttle().capture(lab.aws)


def test_decreases_that_are_used_up_are_told_in_awss_words(lab: Lab) -> None:
    """The fifth decrease of an hour is refused whole, and nothing is left to be undone."""
    make_table(lab, (30, 40))
    for writes in (39, 38, 37, 36):
        change(lab, 30, writes)
    fault = throttle()
    captured = fault.capture(lab.aws)
    with pytest.raises(ClientError, match="Next decrease can be made at"):
        fault.inject(lab.aws, captured, INTENT)
    assert fault.undone(lab.aws, captured, INTENT.run_id)


def test_declares_every_call_that_it_makes(lab: Lab) -> None:
    """What a policy is made of covers what is called."""
    make_table(lab, (30, 40))
    fault, watched = throttle(), Unsteady(lab.aws)
    aws: Any = watched
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    put_back(fault, aws, captured)
    assert set(watched.made) <= {f"{call.service}.{call.action}" for call in fault.calls}
