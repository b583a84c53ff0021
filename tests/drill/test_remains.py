"""What an undo could not make as it was is told, and is among the findings of the record."""

from drill.actions import Actions
from drill.faults.contract import Resource
from drill.model import Between, Finding, Severity
from drill.rollback import Undone
from drill.scenario import Step
from scenarios.peering_deletion import PeeringDeletion, PeeringDeletionParams
from tests.scenarios.test_parted import make_target

FINDING = Finding("peering_replaced", Severity.WARNING, "It is pcx-2 now", "Another.", "import pcx-2")


def deletion() -> Step:
    """Return the step that deletes a peering."""
    (step,) = PeeringDeletion().steps(make_target(), PeeringDeletionParams(mode="delete"))
    return step


def test_whoever_recovers_reads_it() -> None:
    """The line of an undo names what is different and what mends it."""
    done = Undone("delete-peering", 1, 2, remains=(FINDING,))

    assert "undone and checked: delete-peering; It is pcx-2 now. import pcx-2" == done.said


def test_it_stays_with_the_action() -> None:
    """From there it comes into the record."""
    actions = Actions()
    actions.begun(deletion(), "injected", Between(1, 2), "")

    actions.undone(Undone("delete-peering", 3, 4, remains=(FINDING,)))

    assert [(FINDING,)] == [one.remains for one in actions.listed()]


def test_the_peering_itself_must_have_agreed() -> None:
    """The guard of the opt-in tag asks for it, and for the tables whose routes are led anew."""
    touched = deletion().fault.touches()

    assert Resource("VPC peering", "ec2", "us-east-1", "pcx-1") in touched
    assert {"rtb-us-east-1", "rtb-us-west-2"} < {one.id for one in touched}
