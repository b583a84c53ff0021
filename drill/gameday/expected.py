"""How long a game day and its drills take at most, from the drills' plans."""

from drill import catalogue, plan
from drill.gameday.form import GameDay, PlannedDrill
from drill.target import Target


def drill_s(drill: PlannedDrill, chosen: Target) -> float:
    """Return how many seconds a drill takes at most, once it has begun.

    Raises:
        DrillError: There is no such scenario, or it can't be planned.

    """
    scenario = catalogue.find(drill.scenario)
    return plan.make(scenario, scenario.parameters(**drill.params), chosen).expected_s[1]


def day_s(day: GameDay, chosen: Target) -> float:
    """Return how many seconds a day takes at most: its drills, cool-downs and approvals.

    Raises:
        DrillError: One of its drills can't be planned.

    """
    whole = 0.0
    for drill in day.drills:
        whole += drill_s(drill, chosen) + drill.cool_down_s
        whole += drill.approval_within_s if drill.gate == "approval" else 0.0
    return whole
