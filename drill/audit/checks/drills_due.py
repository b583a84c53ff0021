"""DR18: how long ago each scenario was drilled."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import ClassVar

from drill import catalogue, runs
from drill.audit import tables
from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Outcome, Severity


class DrillsDue(Check):
    """Reads the records of all drills of this target."""

    id: ClassVar = "DR18"
    title: ClassVar = "A failure was never tried, or too long ago"
    why: ClassVar = (
        "A way that was right a year ago is a guess today: code, quotas and people have changed. What was "
        "never broken on purpose is broken for the first time on the day."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = "drill run SCENARIO, on a calendar"
    source: ClassVar = (
        "https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_planning_for_recovery_dr_tested.html",
    )
    calls: ClassVar = ("dynamodb:DescribeTable",)
    seed: ClassVar = (18,)

    def parts(self, system: System) -> Iterator[Part]:
        """Yield every installed scenario."""
        for name in catalogue.names():
            yield Part(f"drills of {name} in {system.runs}", partial(_look, system, name))


def _look(system: System, scenario: str) -> Iterator[Found]:
    newest = max(_ended(system, scenario), default=None)
    # What is younger than a drill may be old need not have been drilled yet.
    since = newest or tables.described(system, system.target.primary)["CreationDateTime"]
    days = (system.at - since).total_seconds() / 86400
    if days > system.drilled_within_days:
        when = f"the newest drill is {days:.0f} days old" if newest else "it was never drilled"
        yield Found(
            f"{scenario} on {system.target.name}",
            f"{when}; it should be every {system.drilled_within_days:g} days",
            f"drill run {scenario} --target FILE",
        )


def _ended(system: System, scenario: str) -> Iterator[datetime]:
    """Yield when drills ended that proved something."""
    for one in runs.listed(system.runs):
        done = one.record
        if (
            done is not None
            and (done.scenario, done.target) == (scenario, system.target.name)
            and done.outcome is not Outcome.INCONCLUSIVE
        ):
            yield datetime.fromisoformat(done.ended.wall)
