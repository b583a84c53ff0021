"""HealthCheckInversion against the lab's Route 53, whose versions lock as AWS's do."""

from typing import Any

import pytest

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import Intent
from drill.faults.health_check_inversion import HealthCheckInversion
from tests.drill.faults.breakage import Cut, Stale, Unsteady

INTENT = Intent("run-1", "invert")


def read(aws: Aws, health_check: str) -> dict[str, Any]:
    """Return the configuration of a health check."""
    found = aws.client("route53", "global").get_health_check(HealthCheckId=health_check)
    config: dict[str, Any] = found["HealthCheck"]["HealthCheckConfig"]
    return config


def update(aws: Aws, health_check: str, **changes: Any) -> None:
    """Change a health check, as anybody could."""
    aws.client("route53", "global").update_health_check(HealthCheckId=health_check, **changes)


def test_injects_and_undoes(aws: Aws, health_check: str) -> None:
    """The check becomes Disabled and Inverted, and then as it was."""
    fault, before = HealthCheckInversion(health_check, poll_s=0.01), read(aws, health_check)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    during = read(aws, health_check)
    assert (during["Disabled"], during["Inverted"]) == (True, True)
    assert not fault.undone(aws, captured, INTENT.run_id)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)
    assert read(aws, health_check) == {**before, "Disabled": False, "Inverted": False}


def test_undoes_twice_and_without_injection(aws: Aws, health_check: str) -> None:
    """An undo that has nothing to do changes no setting, and a second one not even the version."""
    fault, before = HealthCheckInversion(health_check, poll_s=0.01), read(aws, health_check)
    captured = fault.capture(aws)
    assert fault.undo(aws, captured, INTENT.run_id) == ()
    assert fault.undone(aws, captured, INTENT.run_id)
    assert read(aws, health_check) == {**before, "Disabled": False, "Inverted": False}
    after = fault.capture(aws)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.capture(aws) == after


def test_an_injection_that_arrives_after_its_undo_changes_nothing(aws: Aws, health_check: str) -> None:
    """A call that was on its way for long is refused: the undo has taken the version that it is for."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.undo(aws, captured, INTENT.run_id)
    with pytest.raises(DrillError, match="somebody else"):
        fault.inject(aws, captured, INTENT)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_puts_back_what_was_there(aws: Aws, health_check: str) -> None:
    """A check that was Inverted before is Inverted again, and not simply switched off."""
    update(aws, health_check, Inverted=True)
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    fault.undo(aws, captured, INTENT.run_id)
    assert read(aws, health_check)["Inverted"] is True
    assert read(aws, health_check)["Disabled"] is False


def test_refuses_when_somebody_else_changed_the_check(aws: Aws, health_check: str) -> None:
    """A version that moved since the capture stops the injection, and nothing is touched."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    update(aws, health_check, FailureThreshold=5)
    after = fault.capture(aws)
    with pytest.raises(DrillError, match="somebody else"):
        fault.inject(aws, captured, INTENT)
    assert fault.capture(aws) == after


def test_takes_its_own_repeated_change_for_its_own(aws: Aws, health_check: str) -> None:
    """When the answer was lost and the call is sent again, the moved version is the fault's own."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    fault.inject(aws, captured, INTENT)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_a_later_version_needs_one_look(aws: Aws, health_check: str) -> None:
    """What was put back shows by its version: Route 53 takes few calls a second, and one is enough."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    fault.undo(aws, captured, INTENT.run_id)
    watched: Any = Unsteady(aws)
    assert fault.undone(watched, captured, INTENT.run_id)
    assert watched.made == ["route53.GetHealthCheck"]


def test_takes_nobody_elses_switches_for_its_own(aws: Aws, health_check: str) -> None:
    """A check that somebody else set so, after another change, is theirs: nothing is injected."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    update(aws, health_check, FailureThreshold=5)
    update(aws, health_check, Disabled=True, Inverted=True)
    with pytest.raises(DrillError, match="somebody else"):
        fault.inject(aws, captured, INTENT)


def test_leaves_the_changes_of_others(aws: Aws, health_check: str) -> None:
    """What somebody changed during the drill stays and is told; only the two switches are put back."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    update(aws, health_check, FailureThreshold=7, ResourcePath="/other")
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    now = read(aws, health_check)
    assert (now["FailureThreshold"], now["Disabled"], now["Inverted"]) == (7, False, False)
    assert f"{health_check} has another FailureThreshold, ResourcePath; see: aws route53" in drift
    assert fault.undone(aws, captured, INTENT.run_id)
    assert fault.undo(aws, captured, INTENT.run_id) == (drift,)


@pytest.mark.parametrize("theirs", [{"Disabled": False}, {"Inverted": False}])
def test_leaves_switches_that_somebody_else_set(aws: Aws, health_check: str, theirs: dict[str, bool]) -> None:
    """Switches that are neither as captured nor as injected are a person's: left, and told of."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    update(aws, health_check, **theirs)
    before = read(aws, health_check)
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    assert read(aws, health_check) == before
    assert f"has another {'Inverted' if 'Disabled' in theirs else 'Disabled'};" in drift
    assert fault.undone(aws, captured, INTENT.run_id)


def test_a_check_that_somebody_deleted_is_undone(aws: Aws, health_check: str) -> None:
    """Nothing of the drill is left of it, which is told, and nothing waits for it for ever."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    aws.client("route53", "global").delete_health_check(HealthCheckId=health_check)
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    assert f"{health_check} was deleted by somebody else" in drift
    assert fault.undone(aws, captured, INTENT.run_id)
    with pytest.raises(DrillError, match="drill target check"):
        fault.capture(aws)


def test_an_old_answer_does_not_end_an_undo(aws: Aws, health_check: str) -> None:
    """Answers from before the injection look like a check that is put back; it is put back all the same."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    stale: Any = Stale(aws, "get_health_check", olds=2, HealthCheckId=health_check)
    fault.inject(aws, captured, INTENT)
    assert not fault.undone(stale, captured, INTENT.run_id)
    stale.again()
    assert fault.undo(stale, captured, INTENT.run_id) == ()
    assert (read(aws, health_check)["Disabled"], read(aws, health_check)["Inverted"]) == (False, False)


def test_an_answer_older_than_the_capture_is_not_believed(aws: Aws, health_check: str) -> None:
    """What the check was before it was captured says nothing, whatever its switches."""
    update(aws, health_check, Disabled=True)
    stale: Any = Stale(aws, "get_health_check", olds=3, HealthCheckId=health_check)
    update(aws, health_check, Disabled=False)
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    assert not fault.undone(stale, captured, INTENT.run_id)
    stale.again()
    assert fault.undo(stale, captured, INTENT.run_id) == ()
    assert (read(aws, health_check)["Disabled"], read(aws, health_check)["Inverted"]) == (False, False)


class Meddler(Unsteady):
    """An ``Aws`` in which somebody changes the check before each of the first updates."""

    def __init__(self, aws: Aws, health_check: str, times: int) -> None:
        """Meddle ``times`` times."""
        super().__init__(aws)
        self._real, self._check, self._left = aws, health_check, times

    def call(self, name: str, send: Any) -> Any:
        """Let somebody else be first."""
        if name == "route53.UpdateHealthCheck" and self._left > 0:
            self._left -= 1
            update(self._real, self._check, FailureThreshold=2 + self._left)
        return super().call(name, send)


def test_undo_tries_again_when_another_change_comes_between(aws: Aws, health_check: str) -> None:
    """A lost race for the version is read again and repeated."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    fault.undo(Meddler(aws, health_check, 3), captured, INTENT.run_id)  # type: ignore[arg-type]
    assert fault.undone(aws, captured, INTENT.run_id)


def test_undo_says_so_when_others_never_stop(aws: Aws, health_check: str) -> None:
    """A race that is always lost ends in an error that names the check and the next command."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    with pytest.raises(DrillError, match=f"{health_check}.*aws route53"):
        fault.undo(Meddler(aws, health_check, 99), captured, INTENT.run_id)  # type: ignore[arg-type]


@pytest.mark.parametrize("lost", [False, True])
def test_undo_is_right_wherever_the_injection_broke(aws: Aws, health_check: str, *, lost: bool) -> None:
    """Whether the call was never sent or its answer was lost, the undo leaves what was captured."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    captured = fault.capture(aws)
    with pytest.raises(Cut):
        fault.inject(Unsteady(aws, 0, lost=lost), captured, INTENT)  # type: ignore[arg-type]
    assert all(fault.capture(aws)[switch] is lost for switch in ("Disabled", "Inverted"))
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_declares_every_call(aws: Aws, health_check: str) -> None:
    """What the fault calls is what it says it calls, and what it changes is named."""
    fault = HealthCheckInversion(health_check, poll_s=0.01)
    watched: Any = Unsteady(aws)
    captured = fault.capture(watched)
    update(aws, health_check, FailureThreshold=9)
    with pytest.raises(DrillError):
        fault.inject(watched, captured, INTENT)
    update(aws, health_check, Disabled=True, Inverted=True)
    fault.undo(watched, captured, INTENT.run_id)
    fault.undone(watched, captured, INTENT.run_id)
    assert set(watched.made) == {f"{call.service}.{call.action}" for call in fault.calls}
    assert [one.id for one in fault.touches()] == [health_check]
    assert health_check in fault.describe()
