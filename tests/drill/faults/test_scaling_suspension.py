"""ScalingSuspension against the lab's Application Auto Scaling."""

from collections.abc import Iterator
from typing import Any

import pytest

from drill.faults.contract import Intent
from drill.faults.scaling_suspension import FLAGS, ScalingSuspension, scalable_targets
from tests.drill.faults.breakage import Cut, Unsteady
from tests.infra.lab.capacitylab import INDEX, TABLE, capacity_lab, emptied, make_table, scale, target
from tests.infra.lab.planelab import EAST, Lab

INTENT = Intent("run-1", "suspend")
FAULT = ScalingSuspension(EAST, f"arn:aws:dynamodb:{EAST}:123456789012:table/{TABLE}")
READS, WRITES = "ReadCapacityUnits", "WriteCapacityUnits"
SUSPENDED = dict.fromkeys(FLAGS, True)


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """Give a control plane."""
    with capacity_lab() as made:
        yield made


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """Give an account with a table that is scaled, and its index."""
    made = emptied(shared)
    make_table(made, (30, 40), (30, 20))
    scale(made, READS, 5, 100)
    scale(made, WRITES, 5, 100)
    scale(made, WRITES, 5, 100, index=INDEX)
    return made


def states(lab: Lab) -> dict[tuple[str, str], Any]:
    """Return the suspended state of each target."""
    return dict(scalable_targets(lab.aws, EAST, TABLE))


def suspend(lab: Lab, **flags: bool) -> None:
    """Set the state of the table's writes, as anybody could."""
    lab.client("application-autoscaling").register_scalable_target(**target(WRITES), SuspendedState=flags)


def test_suspends_and_resumes(lab: Lab) -> None:
    """Every target of the table and its index is suspended, and then as it was, bounds included."""
    client = lab.client("application-autoscaling")
    before = client.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    captured = FAULT.capture(lab.aws)
    FAULT.inject(lab.aws, captured, INTENT)
    assert list(states(lab).values()) == [SUSPENDED] * 3
    assert not FAULT.undone(lab.aws, captured, INTENT.run_id)
    assert FAULT.undo(lab.aws, captured, INTENT.run_id) == ()
    assert FAULT.undone(lab.aws, captured, INTENT.run_id)
    assert client.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"] == before


def test_undoes_twice_and_without_injection(lab: Lab) -> None:
    """An undo that has nothing to do only reads."""
    captured = FAULT.capture(lab.aws)
    watched: Any = Unsteady(lab.aws)
    FAULT.undo(watched, captured, INTENT.run_id)
    FAULT.inject(lab.aws, captured, INTENT)
    FAULT.undo(lab.aws, captured, INTENT.run_id)
    FAULT.undo(watched, captured, INTENT.run_id)
    assert set(watched.made) == {"application-autoscaling.DescribeScalableTargets"}
    assert FAULT.undone(watched, captured, INTENT.run_id)


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("at", range(3))
def test_is_put_back_wherever_a_call_breaks(lab: Lab, at: int, lost: bool) -> None:
    """Half a suspension is put back like a whole one."""
    before = states(lab)
    captured = FAULT.capture(lab.aws)
    unsteady: Any = Unsteady(lab.aws, at, lost=lost)
    with pytest.raises(Cut):
        FAULT.inject(unsteady, captured, INTENT)
    FAULT.undo(lab.aws, captured, INTENT.run_id)
    assert FAULT.undone(lab.aws, captured, INTENT.run_id)
    assert states(lab) == before


def test_what_was_suspended_before_stays_so(lab: Lab) -> None:
    """Whoever suspended it had a reason; a part of it comes back as a part."""
    suspend(lab, **SUSPENDED)
    lab.client("application-autoscaling").register_scalable_target(
        **target(READS), SuspendedState={FLAGS[0]: True}
    )
    before = states(lab)
    captured = FAULT.capture(lab.aws)
    FAULT.inject(lab.aws, captured, INTENT)
    assert FAULT.undo(lab.aws, captured, INTENT.run_id) == ()
    assert FAULT.undone(lab.aws, captured, INTENT.run_id)
    assert states(lab) == before


def test_leaves_and_tells_what_others_set(lab: Lab) -> None:
    """A state that is neither as captured nor as injected is a person's."""
    captured = FAULT.capture(lab.aws)
    FAULT.inject(lab.aws, captured, INTENT)
    suspend(lab, **{FLAGS[1]: False})
    (drift,) = FAULT.undo(lab.aws, captured, INTENT.run_id)
    assert f"table/{TABLE} dynamodb:table:{WRITES} is suspended in another way" in drift
    assert FAULT.undone(lab.aws, captured, INTENT.run_id)
    assert states(lab)[f"table/{TABLE}", f"dynamodb:table:{WRITES}"] == {**SUSPENDED, FLAGS[1]: False}


def test_a_target_that_is_gone_is_told(lab: Lab) -> None:
    """It is not registered again: that would take its bounds, which are gone too."""
    captured = FAULT.capture(lab.aws)
    FAULT.inject(lab.aws, captured, INTENT)
    lab.client("application-autoscaling").deregister_scalable_target(**target(WRITES))
    (drift,) = FAULT.undo(lab.aws, captured, INTENT.run_id)
    assert "is scaled no more" in drift
    assert FAULT.undone(lab.aws, captured, INTENT.run_id)


def test_the_dead_mans_calls_resume_everything(lab: Lab) -> None:
    """Each target has a call of its own, which is right without the others."""
    before = states(lab)
    captured = FAULT.capture(lab.aws)
    FAULT.inject(lab.aws, captured, INTENT)
    for call in FAULT.dead_man(captured, INTENT.run_id).calls:
        assert (call.region, call.action) == (EAST, "RegisterScalableTarget")
        lab.client(call.service).register_scalable_target(**call.request)
    assert states(lab) == before


def test_a_table_that_nothing_scales_is_left_alone(lab: Lab) -> None:
    """There is nothing to suspend, and nothing to undo."""
    other = ScalingSuspension(EAST, f"arn:aws:dynamodb:{EAST}:123456789012:table/{TABLE}-2")
    captured = other.capture(lab.aws)
    assert captured == {"targets": []}
    other.inject(lab.aws, captured, INTENT)
    assert other.undone(lab.aws, captured, INTENT.run_id)
    assert SUSPENDED not in states(lab).values()


def test_declares_every_call_that_it_makes(lab: Lab) -> None:
    """What a policy is made of covers what is called."""
    watched = Unsteady(lab.aws)
    aws: Any = watched
    captured = FAULT.capture(aws)
    FAULT.inject(aws, captured, INTENT)
    FAULT.undo(aws, captured, INTENT.run_id)
    assert set(watched.made) <= {f"{call.service}.{call.action}" for call in FAULT.calls}
