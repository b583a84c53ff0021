"""PeeringDeletion against the lab's EC2: it is really gone, and another is made in its place."""

import json
from typing import Any

import pytest

from drill.errors import DrillError
from drill.faults.contract import RUN_TAG, Intent
from drill.faults.peering_deletion import PeeringDeletion
from tests.drill.faults.breakage import Cut, Unsteady
from tests.drill.faults.peered import EAST, OPTION, WEST, Peered

INTENT = Intent("run-1", "delete-peering")
CIDRS = {EAST: "10.0.0.0/16", WEST: "10.1.0.0/16"}


def fault_of(peered: Peered, first: str = EAST) -> PeeringDeletion:
    """Return the fault, with either side named first."""
    second = WEST if first == EAST else EAST
    sides = (
        part for region in (first, second) for part in (region, peered.vpcs[region], peered.tables[region])
    )
    return PeeringDeletion(peered.peering_id, *sides, 0.5, 0.01)  # type: ignore[arg-type]


def injected(peered: Peered, first: str = EAST) -> tuple[PeeringDeletion, Any]:
    """Return the fault, injected, and what it captured."""
    fault = fault_of(peered, first)
    captured = json.loads(json.dumps(fault.capture(peered.aws)))
    fault.inject(peered.aws, captured, INTENT)
    return fault, captured


def new_id(peered: Peered) -> str:
    """Return the id of the one peering that is there."""
    (only,) = peered.now()
    return only.id


@pytest.mark.parametrize("first", [EAST, WEST])
def test_another_takes_its_place(peered: Peered, first: str) -> None:
    """Options, tags and routes of both sides are the old one's; its id is not, which is told."""
    before = peered.seen(peered.peering_id)
    fault, captured = injected(peered, first)
    assert peered.now() == []
    assert not fault.undone(peered.aws, captured, INTENT.run_id)

    assert fault.undo(peered.aws, captured, INTENT.run_id) == ()

    made = new_id(peered)
    assert made != peered.peering_id
    assert fault.undone(peered.aws, captured, INTENT.run_id)
    assert peered.seen(made) == before
    assert peered.now(WEST)[0].accepter.options[OPTION]
    (finding,) = fault.remains(peered.aws, captured, INTENT.run_id)
    assert peered.peering_id in finding.title
    assert f"peering_id: {made}" in finding.mend


def test_undoes_twice_and_without_injection(peered: Peered) -> None:
    """A peering that is there stays the same one, and leaves nothing to tell."""
    before, fault = peered.seen(), fault_of(peered)
    captured = fault.capture(peered.aws)
    for _ in range(2):
        assert fault.undo(peered.aws, captured, INTENT.run_id) == ()
        assert fault.undone(peered.aws, captured, INTENT.run_id)
    assert peered.seen() == before
    assert fault.remains(peered.aws, captured, INTENT.run_id) == ()


def test_undoing_again_makes_no_third(peered: Peered) -> None:
    """The undo of an undone deletion changes nothing."""
    fault, captured = injected(peered)
    fault.undo(peered.aws, captured, INTENT.run_id)
    after = peered.seen()
    assert fault.undo(peered.aws, captured, INTENT.run_id) == ()
    assert peered.seen() == after


def _undo_calls(peered: Peered) -> int:
    """Return how many calls an undo makes, having made them."""
    fault, captured = injected(peered)
    watched: Any = Unsteady(peered.aws)
    fault.undo(watched, captured, INTENT.run_id)
    return len(watched.made)


@pytest.mark.parametrize("lost", [False, True])
def test_a_broken_undo_can_be_repeated_from_anywhere(peered: Peered, *, lost: bool) -> None:
    """Killed before or after any of its calls, another process finishes it: one peering, whole."""
    before = peered.seen(peered.peering_id)
    count = _undo_calls(peered)
    assert count > 20
    for breaks_at in range(count):
        again = Peered(peered.aws, peered.vpcs, peered.tables, new_id(peered))
        fault, captured = injected(again)
        broken: Any = Unsteady(peered.aws, breaks_at, lost=lost)
        with pytest.raises(Cut):
            fault.undo(broken, captured, INTENT.run_id)
        fault.undo(peered.aws, captured, INTENT.run_id)
        assert fault.undone(peered.aws, captured, INTENT.run_id), breaks_at
        assert peered.seen(new_id(peered)) == before, breaks_at
        assert all(RUN_TAG not in one.tags for region in (EAST, WEST) for one in peered.now(region))


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(2))
def test_undo_is_right_wherever_the_injection_broke(peered: Peered, breaks_at: int, *, lost: bool) -> None:
    """After any broken call, sent or not, both VPCs are joined as before."""
    before, fault = peered.seen(peered.peering_id), fault_of(peered)
    captured = fault.capture(peered.aws)
    broken: Any = Unsteady(peered.aws, breaks_at, lost=lost)
    with pytest.raises(Cut):
        fault.inject(broken, captured, INTENT)
    fault.undo(peered.aws, captured, INTENT.run_id)
    assert fault.undone(peered.aws, captured, INTENT.run_id)
    assert peered.seen(new_id(peered)) == before


def test_a_peering_that_somebody_made_meanwhile_is_taken(peered: Peered) -> None:
    """AWS allows no second one: the routes lead over theirs, whose tags are theirs."""
    fault, captured = injected(peered)
    theirs = peered.client(WEST).create_vpc_peering_connection(
        VpcId=peered.vpcs[WEST], PeerVpcId=peered.vpcs[EAST], PeerRegion=EAST
    )["VpcPeeringConnection"]["VpcPeeringConnectionId"]

    fault.undo(peered.aws, captured, INTENT.run_id)

    assert fault.undone(peered.aws, captured, INTENT.run_id)
    (now,) = peered.now()
    assert (now.id, now.state, dict(now.tags)) == (theirs, "active", {})
    assert theirs in str(peered.seen())


def test_a_route_that_somebody_led_elsewhere_stays(peered: Peered) -> None:
    """It is told of, and the others lead over the new peering."""
    fault, captured = injected(peered)
    gateway = peered.client(WEST).create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    peered.client(WEST).attach_internet_gateway(InternetGatewayId=gateway, VpcId=peered.vpcs[WEST])
    peered.client(WEST).replace_route(
        RouteTableId=peered.tables[WEST][0], DestinationCidrBlock=CIDRS[EAST], GatewayId=gateway
    )

    (told,) = fault.undo(peered.aws, captured, INTENT.run_id)

    assert f"leads to {gateway}" in told
    assert fault.undone(peered.aws, captured, INTENT.run_id)


def test_a_route_that_went_with_it_is_made_again(peered: Peered) -> None:
    """AWS's documentation does not say that routes outlive their peering."""
    before = peered.seen(peered.peering_id)
    fault, captured = injected(peered)
    for region, other in ((EAST, WEST), (WEST, EAST)):
        for table_id in peered.tables[region]:
            peered.client(region).delete_route(RouteTableId=table_id, DestinationCidrBlock=CIDRS[other])
    fault.undo(peered.aws, captured, INTENT.run_id)
    assert peered.seen(new_id(peered)) == before


def test_a_peering_that_is_gone_is_refused(peered: Peered) -> None:
    """The refusal names the one that joins the VPCs now."""
    fault, captured = injected(peered)
    with pytest.raises(DrillError, match="is deleted"):
        fault.capture(peered.aws)
    fault.undo(peered.aws, captured, INTENT.run_id)
    with pytest.raises(DrillError, match=f"{new_id(peered)} joins them now"):
        fault.capture(peered.aws)


def test_the_calls_made_are_those_declared(peered: Peered) -> None:
    """The policy is made of what is declared."""
    fault, watched = fault_of(peered), Unsteady(peered.aws)
    seen: Any = watched
    captured = fault.capture(seen)
    fault.inject(seen, captured, INTENT)
    fault.undo(seen, captured, INTENT.run_id)
    fault.undone(seen, captured, INTENT.run_id)
    declared = {f"{call.service}.{call.action}" for call in fault.calls}
    assert set(watched.made) <= declared
    # A route that is gone is made again, which these were not.
    assert declared - set(watched.made) == {"ec2.CreateRoute"}
