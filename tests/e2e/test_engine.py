"""What the engine makes of drills that do not go as planned, on the lab."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drill import engine, permissions, plan, rollback
from drill.aws import Aws
from drill.cli.progress import for_terminal
from drill.errors import DrillError, Refused
from drill.exit_codes import INCONCLUSIVE
from drill.faults.health_check_inversion import HealthCheckInversion
from drill.faults.network_blackout import NetworkBlackout
from drill.journal import Journal
from drill.model import History, Outcome
from drill.order import Order
from drill.record import Record
from drill.scenario import Step
from drill.target import Target
from scenarios.region_outage import RegionOutage, RegionOutageParams
from tests.e2e.conftest import Lab, busy, tried

pytestmark = pytest.mark.slow

Live = Callable[..., Record]


class Blunt(RegionOutage):
    """A region outage whose fault is never seen to bite."""

    def took_effect(self, target: Target, params: RegionOutageParams, history: History) -> bool:
        """See nothing."""
        return False


class HalfBroken(RegionOutage):
    """A region outage whose second step can't be done: its VPC is in the other region."""

    def steps(self, target: Target, params: RegionOutageParams) -> tuple[Step, ...]:
        """Invert the check, then cut off subnets in a VPC that they are not in."""
        primary = target.primary
        nowhere = NetworkBlackout(primary.name, target.standby.vpc_id, primary.app_subnet_ids)
        return (*super().steps(target, params), Step("cut-nothing", nowhere))


class Raising(RegionOutage):
    """A plugin with a bug that shows while the fault is in place."""

    def took_effect(self, target: Target, params: RegionOutageParams, history: History) -> bool:
        """Fail."""
        raise ZeroDivisionError


@pytest.fixture
def live(lab: Lab, tmp_path: Path) -> Live:
    """Give a function that runs a scenario in this process, with other timings."""

    def run(scenario: RegionOutage, **timing: float) -> Record:
        changed = lab.timed(tmp_path / "target.yaml", **{"warm_up_s": 0.5, "settle_s": 0.5, **timing}).target
        params = RegionOutageParams()
        made = plan.make(scenario, params, changed)
        if isinstance(scenario, HalfBroken):
            # Its guard would see that nobody may do what can't be done.
            made = permissions.unchecked(made)
        order = Order(scenario, params, made, tmp_path / "runs", "", "tester", "drill")
        with for_terminal(as_json=True) as progress:
            return tried(
                lambda: engine.run(order, Aws.of(changed), progress),
                lambda record: record.exit_code == INCONCLUSIVE and busy(record.reason),
            )

    return run


def test_a_fault_that_does_not_bite_is_inconclusive(lab: Lab, live: Live) -> None:
    """Without an effect nothing is proven, however well clients were served."""
    before = lab.fingerprint()

    record = live(Blunt(), deadline_s=2)

    assert (Outcome.INCONCLUSIVE, 2) == (record.outcome, record.exit_code)
    assert "did not take effect" in record.reason
    assert before == lab.fingerprint()


def test_no_recovery_by_the_deadline_is_a_breach(lab: Lab, live: Live) -> None:
    """The fault bites and the awaited response does not come: breached, and put back."""
    before = lab.fingerprint()

    record = live(RegionOutage(), settle_s=8, deadline_s=6)

    assert (Outcome.BREACHED, 1) == (record.outcome, record.exit_code)
    assert record.marks.deadline_passed
    assert before == lab.fingerprint()


def test_a_step_that_cant_be_done_rolls_back_those_before(lab: Lab, live: Live) -> None:
    """Half an injection is undone, and the report says which step failed."""
    before = lab.fingerprint()

    record = live(HalfBroken())

    assert (Outcome.INCONCLUSIVE, 2) == (record.outcome, record.exit_code)
    assert "cut-nothing" in record.reason
    assert ["undone"] * len(record.actions) == [action.undo_status for action in record.actions]
    assert before == lab.fingerprint()


def test_a_journal_that_fails_after_the_injection_hides_nothing(
    lab: Lab, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full right after the fault, the record still has it, undone."""
    before = lab.fingerprint()
    whole = Journal.note

    def full(journal: Journal, kind: str, *rest: Any, **more: Any) -> None:
        if kind == "injected":
            msg = "the disk is full"
            raise DrillError(msg)
        whole(journal, kind, *rest, **more)

    monkeypatch.setattr(Journal, "note", full)
    record = live(RegionOutage())

    assert (2, True) == (record.exit_code, record.rolled_back)
    assert ["undone"] == [action.undo_status for action in record.actions]
    assert "the disk is full" in record.reason
    assert before == lab.fingerprint()


def test_an_undo_that_fails_wins_over_all(
    lab: Lab, live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else happened, 3 says that something is still broken."""

    def refuse(*_: object) -> None:
        msg = "somebody else changed it"
        raise DrillError(msg)

    before = lab.fingerprint()
    with monkeypatch.context() as patched:
        patched.setattr(HealthCheckInversion, "undo", refuse)
        record = live(RegionOutage(), failback_s=1)
    again = rollback.replay(tmp_path / "runs" / record.run_id)

    assert (3, False) == (record.exit_code, record.rolled_back)
    assert "NOT everything was put back" in record.reason
    assert ["", ""] == [one.error for one in again]
    assert before == lab.fingerprint()


def test_a_bug_in_a_plugin_rolls_back_and_shows(lab: Lab, live: Live) -> None:
    """An exception while the fault is in place is not swallowed, and the system is put back."""
    before = lab.fingerprint()

    with pytest.raises(ZeroDivisionError):
        live(Raising())

    assert before == lab.fingerprint()


def test_a_system_that_is_never_steady_is_not_touched(lab: Lab, live: Live) -> None:
    """A drill whose hypothesis does not hold before injects nothing."""

    class Restless(RegionOutage):
        def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
            return False

    record = live(Restless(), effect_s=1)

    assert (Outcome.INCONCLUSIVE, 2, ()) == (record.outcome, record.exit_code, record.actions)
    assert "steady state did not hold" in record.reason


def test_a_check_that_somebody_inverted_is_left_alone(lab: Lab, live: Live) -> None:
    """A check that is inverted already is somebody's work: refused."""
    client = Aws.of(lab.target, as_operator=True).client("route53", "global")
    check = lab.target.primary.health_check_id
    client.update_health_check(HealthCheckId=check, Inverted=True)
    try:
        with pytest.raises(Refused, match="already inverted or disabled"):
            live(RegionOutage())
    finally:
        client.update_health_check(HealthCheckId=check, Inverted=False)


def test_a_resource_without_the_tag_is_not_touched(lab: Lab, live: Live) -> None:
    """Whoever owns the check has not agreed: refused."""
    client = Aws.of(lab.target, as_operator=True).client("route53", "global")
    check = lab.target.primary.health_check_id
    tag = {"Key": lab.target.opt_in.key, "Value": lab.target.opt_in.value}
    client.change_tags_for_resource(ResourceType="healthcheck", ResourceId=check, RemoveTagKeys=[tag["Key"]])
    try:
        with pytest.raises(Refused, match="does not carry the tag drill:opt-in=true"):
            live(RegionOutage())
    finally:
        client.change_tags_for_resource(ResourceType="healthcheck", ResourceId=check, AddTags=[tag])
