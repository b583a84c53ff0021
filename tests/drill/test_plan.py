"""A plan is only made of what a later process could undo."""

from dataclasses import dataclass

import pytest

from drill import plan
from drill.errors import DrillError, UsageError
from drill.faults.health_check_inversion import HealthCheckInversion
from drill.model import Json
from drill.scenario import Step
from drill.target import Target
from scenarios.region_outage import RegionOutage, RegionOutageParams
from tests.drill.test_target import make_document


@dataclass(frozen=True)
class Unregistered(HealthCheckInversion):
    """A fault that no entry point names."""

    kind = "unregistered"


def made(*steps: Step) -> plan.Plan:
    """Make a plan of a scenario with these steps."""

    class Planned(RegionOutage):
        def steps(self, target: Target, params: RegionOutageParams) -> tuple[Step, ...]:
            return steps

    return plan.make(Planned(), RegionOutageParams(), Target.model_validate(make_document()))


def test_two_steps_of_one_name_are_refused() -> None:
    """The journal knows steps by name: the second would hide the first one's undo."""
    twice = (Step("invert", HealthCheckInversion("one")), Step("invert", HealthCheckInversion("two")))

    with pytest.raises(UsageError, match="two steps of one name"):
        made(*twice)


def test_a_fault_that_cant_be_built_again_is_refused() -> None:
    """Without an entry point no rollback could find it."""
    with pytest.raises(DrillError, match="no fault 'unregistered' is installed"):
        made(Step("invert", Unregistered("one")))


@pytest.mark.parametrize("timing", [{"deadline_s": float("inf")}, {"warm_up_s": float("nan")}])
def test_endless_times_are_refused(timing: dict[str, Json]) -> None:
    """JSON has no infinity: a plan with one could not be read back for a rollback."""
    with pytest.raises(ValueError, match="finite number"):
        Target.model_validate(make_document(timing=timing))
