"""What is to end a drill early can be seen, and does not hold already."""

from collections.abc import Iterator

from drill import alarm_states, stop_expression
from drill.aws import Aws
from drill.guards.contract import Asked

_WHY = {
    alarm_states.ALARM: "is firing already; mend what it tells of first",
    alarm_states.MISSING: "is not there; correct stop.alarms in the target file",
    alarm_states.NO_DATA: (
        "has no data, so nobody knows; mend its metric, or set stop.allow_insufficient_data: true"
    ),
}


def alarms_calm(asked: Asked, aws: Aws) -> str:
    """Refuse while any alarm that is to stop the drill fires, is missing or has no data."""
    stop = asked.plan.target.stop
    problems = []
    for region, names in stop.alarms.items():
        for name, state in alarm_states.read(aws, region, names).items():
            why = _WHY.get(state, "")
            if why and not (state == alarm_states.NO_DATA and stop.allow_insufficient_data):
                problems.append(f"alarm {name} in {region} {why}")
    return "; ".join(problems)


def stoppable(asked: Asked, _aws: Aws) -> str:
    """Refuse stop conditions that this drill could never evaluate."""
    return "; ".join(_unusable(asked))


def _unusable(asked: Asked) -> Iterator[str]:
    stop, timing = asked.plan.target.stop, asked.plan.target.timing
    for text in stop.when:
        problem = stop_expression.fits(stop_expression.parse(text), asked.plan.probes)
        if problem:
            yield f"{problem}; correct --stop-when or stop.when in the target file"
    # One reading, and one that is lost, must fit.
    if stop.alarms and stop.unseen_s < 2 * timing.api_interval_s:
        yield (
            f"alarms are read every {timing.api_interval_s:g} s: stop.unseen_s must be at least "
            f"{2 * timing.api_interval_s:g} in the target file"
        )
