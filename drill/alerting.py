"""How an alarm and its alert are watched where a fault sets one off that the target file names. Pure.

Drills read the alert from a queue of their own on the topic of those on call. Where the target names no
such alarm or no such queue nothing is watched, and nothing is said of the time to alert.
"""

from drill.model import Goodness, History, Json, MeasureSpec, ProbeSpec
from drill.target import AlarmRole, Region, Target, Timing

ALARM = "reachability-alarm"
PAGER = "pager"
NOBODY_TOLD = (
    "Time to alert was not measured: the target file names no alarm on the standby's way to the primary "
    "(standby.alarms.reachability), or no queue of alerts that drills may read (standby.drill_queue_url)."
)


def of_a_dark_region(target: Target) -> tuple[ProbeSpec, ...]:
    """Return the probes of the alarm that a dark primary region sets off, and of its alert.

    The standby's canary connects to the primary's database, which is in the subnets that go dark.
    """
    return probes(target.timing, target.standby, "reachability", (ALARM, PAGER))


def measures(target: Target) -> tuple[MeasureSpec, ...]:
    """Return the time to the alert of a dark region; none where it is not watched."""
    return (MeasureSpec("time_to_alert", PAGER, {"alarm_probe": ALARM}),) if of_a_dark_region(target) else ()


def probes(
    timing: Timing, region: Region, watches: AlarmRole, named: tuple[str, str]
) -> tuple[ProbeSpec, ...]:
    """Return the probes of a region's alarm and of its alert; none where either is not known.

    Args:
        timing: The target's.
        region: Where the alarm is, and the queue.
        watches: What the alarm watches.
        named: Names of the two probes: the alarm's, the queue's.

    """
    alarm, url = region.alarms.get(watches), region.drill_queue_url
    if alarm is None or url is None:
        return ()
    looked: dict[str, Json] = {"alarm": alarm, "region": region.name}
    heard: dict[str, Json] = {"queue_url": url, "region": region.name, "alarms": [alarm]}
    every = (timing.api_interval_s, timing.api_timeout_s)
    return (ProbeSpec(named[0], "alarm", *every, looked), ProbeSpec(named[1], "queue", *every, heard))


def told(history: History, queue: str, instant_ns: int) -> bool:
    """Say whether an alert came after an instant; the long poll that brought it may have begun before."""
    return any(
        seen.goodness is Goodness.BAD and seen.done_ns is not None and seen.done_ns >= instant_ns
        for seen in history.observations.get(queue, ())
    )


def came(history: History) -> bool:
    """Say whether the alert of a dark region came after the fault."""
    injected = history.marks.injected
    return injected is not None and told(history, PAGER, injected.latest_ns)


def wanted_s(target: Target, scenario: str) -> float | None:
    """Return the time to the alert of a dark region that is wanted; None if none is, or it is not watched.

    It is wanted by the scenario's own objectives, or on the command line. The target's default objectives
    do not count: a drill that is about something else would wait for an alarm, which takes minutes.
    """
    own = target.objectives.get(scenario)
    return own.alert_s if own is not None and of_a_dark_region(target) else None


def calm(history: History, alarm: str, since_ns: int) -> bool:
    """Say whether the newest look at an alarm since an instant did not show it on."""
    looks = history.due_since(alarm, since_ns)
    return not looks or max(looks, key=lambda seen: seen.number).goodness is not Goodness.BAD
