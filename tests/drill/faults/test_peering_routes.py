"""PeeringRoutes against the lab's EC2: the routes of one side go, and come back as they were."""

import json
from typing import Any

import pytest

from drill.errors import DrillError
from drill.faults import routes
from drill.faults.contract import Intent
from drill.faults.peering_routes import PeeringRoutes
from tests.drill.faults.breakage import Cut, Unsteady
from tests.drill.faults.peered import EAST, WEST, Peered

INTENT = Intent("run-1", "take-out-routes")
# Two routes, and a look at them.
CALLS = 3


def fault_of(peered: Peered, region: str = WEST, tables: tuple[str, ...] | None = None) -> PeeringRoutes:
    """Return the fault of one side."""
    table_ids = peered.tables[region] if tables is None else tables
    return PeeringRoutes(region, peered.vpcs[region], peered.peering_id, table_ids, 0.5, 0.01)


def over(peered: Peered, region: str) -> int:
    """Return how many routes lead over the peering."""
    found = routes.read(peered.aws, region, peered.vpcs[region])
    return sum(1 for target in found.values() if target == peered.peering_id)


@pytest.mark.parametrize("region", [EAST, WEST])
def test_injects_and_undoes(peered: Peered, region: str) -> None:
    """One side's routes are gone, the other's and the peering are not; then all is as before."""
    before, fault = peered.seen(), fault_of(peered, region)
    other = EAST if region == WEST else WEST
    captured = json.loads(json.dumps(fault.capture(peered.aws)))

    fault.inject(peered.aws, captured, INTENT)

    assert (over(peered, region), over(peered, other)) == (0, 2)
    assert not fault.undone(peered.aws, captured, INTENT.run_id)
    assert fault.undo(peered.aws, captured, INTENT.run_id) == ()
    assert fault.undone(peered.aws, captured, INTENT.run_id)
    assert peered.seen() == before


def test_undoes_twice_and_without_injection(peered: Peered) -> None:
    """Routes that are there are no error, and nothing else is touched."""
    before, fault = peered.seen(), fault_of(peered)
    captured = fault.capture(peered.aws)
    for _ in range(2):
        assert fault.undo(peered.aws, captured, INTENT.run_id) == ()
    assert peered.seen() == before
    assert fault.undone(peered.aws, captured, INTENT.run_id)


def test_the_dead_mans_calls_undo_it(peered: Peered) -> None:
    """What the schedules would call, in any order and more than once, leaves the routes as they were."""
    before, fault = peered.seen(), fault_of(peered)
    captured = fault.capture(peered.aws)
    calls = fault.dead_man(captured, INTENT.run_id).calls
    fault.inject(peered.aws, captured, INTENT)
    for call in reversed(calls):
        assert (call.service, call.region, call.action) == ("ec2", WEST, "CreateRoute")
        peered.client(WEST).create_route(**call.request)
    assert peered.seen() == before
    assert fault.undo(peered.aws, captured, INTENT.run_id) == ()


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(CALLS))
def test_undo_is_right_wherever_the_injection_broke(peered: Peered, breaks_at: int, *, lost: bool) -> None:
    """After any broken call, sent or not, the undo leaves what was there and nothing more."""
    before, fault = peered.seen(), fault_of(peered)
    captured = fault.capture(peered.aws)
    broken: Any = Unsteady(peered.aws, breaks_at, lost=lost)
    with pytest.raises(Cut):
        fault.inject(broken, captured, INTENT)
    fault.undo(peered.aws, captured, INTENT.run_id)
    assert fault.undone(peered.aws, captured, INTENT.run_id)
    assert peered.seen() == before


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(4))
def test_a_broken_undo_can_be_repeated(peered: Peered, breaks_at: int, *, lost: bool) -> None:
    """An undo that broke anywhere is finished by the next one."""
    before, fault = peered.seen(), fault_of(peered)
    captured = fault.capture(peered.aws)
    fault.inject(peered.aws, captured, INTENT)
    broken: Any = Unsteady(peered.aws, breaks_at, lost=lost)
    with pytest.raises(Cut):
        fault.undo(broken, captured, INTENT.run_id)
    fault.undo(peered.aws, captured, INTENT.run_id)
    assert peered.seen() == before


def test_a_route_that_somebody_led_elsewhere_stays(peered: Peered) -> None:
    """It is told of, and the others come back."""
    fault = fault_of(peered)
    captured = fault.capture(peered.aws)
    fault.inject(peered.aws, captured, INTENT)
    gateway = peered.client(WEST).create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    peered.client(WEST).attach_internet_gateway(InternetGatewayId=gateway, VpcId=peered.vpcs[WEST])
    peered.client(WEST).create_route(
        RouteTableId=peered.tables[WEST][0], DestinationCidrBlock="10.0.0.0/16", GatewayId=gateway
    )

    (told,) = fault.undo(peered.aws, captured, INTENT.run_id)

    assert f"leads to {gateway}" in told
    assert over(peered, WEST) == 1
    assert fault.undone(peered.aws, captured, INTENT.run_id)


def test_a_table_that_has_not_agreed_is_refused(peered: Peered) -> None:
    """A route in a table that the target file does not name would be left, or be taken unasked."""
    with pytest.raises(DrillError, match="app_route_table_ids"):
        fault_of(peered, tables=peered.tables[WEST][:1]).capture(peered.aws)


def test_without_a_route_there_is_nothing_to_cut(peered: Peered) -> None:
    """A drill of a way that is not there proves nothing."""
    fault = fault_of(peered)
    fault.inject(peered.aws, fault.capture(peered.aws), INTENT)
    with pytest.raises(DrillError, match="there is nothing to cut"):
        fault.capture(peered.aws)


def test_the_calls_made_are_those_declared(peered: Peered) -> None:
    """The policy is made of what is declared."""
    fault, watched = fault_of(peered), Unsteady(peered.aws)
    seen: Any = watched
    captured = fault.capture(seen)
    fault.inject(seen, captured, INTENT)
    fault.undo(seen, captured, INTENT.run_id)
    fault.undone(seen, captured, INTENT.run_id)
    assert set(watched.made) == {f"{call.service}.{call.action}" for call in fault.calls}
