"""What a dark region tells those on call: watched where it can be, and waited for only where it is wanted."""

import pytest

from drill import alerting
from drill.model import Between, Goodness, History, Marks, Observation, ProbeSpec
from drill.target import Target
from scenarios.full_dr import FullDr, FullDrParams
from scenarios.region_outage import CLIENTS, WRITER, RegionOutage, RegionOutageParams
from tests.scenarios.test_database_scenarios import make_target as plain_target

SECOND = 1_000_000_000
REGION, BLACKOUT, INVERT = RegionOutage(), RegionOutageParams(blackout=True), RegionOutageParams()
BOTH = pytest.mark.parametrize(
    ("scenario", "params"), [(REGION, BLACKOUT), (FullDr(), FullDrParams())], ids=["region-outage", "full-dr"]
)


def make_target(*, heard: bool = True, named: bool = True, **objectives: dict[str, float]) -> Target:
    """Return a target whose standby has the alarm and the queue, with objectives by scenario."""
    made = plain_target(objectives={name.replace("_", "-"): one for name, one in objectives.items()})
    told = {
        "alarms": {"reachability": "no-way"} if named else {},
        "drill_queue_url": "https://sqs.test/123456789012/drill-alerts" if heard else None,
    }
    return made.model_copy(update={"standby": made.standby.model_copy(update=told)})


def watched(
    scenario: RegionOutage | FullDr, target: Target, params: object
) -> tuple[set[str], set[str], str]:
    """Return which of both probes there are, whether the alert is measured, and what is noted."""
    probes = {one.name for one in scenario.probes(target, params)}  # type: ignore[arg-type]
    kinds = {one.kind for one in scenario.measures(target, params)}  # type: ignore[arg-type]
    notes = " ".join(scenario.notes(target, params))  # type: ignore[arg-type]
    return probes & {alerting.ALARM, alerting.PAGER}, kinds & {"time_to_alert"}, notes


@BOTH
def test_the_standbys_alarm_and_its_alert_are_watched(
    scenario: RegionOutage, params: RegionOutageParams
) -> None:
    """Both are the standby's: the primary is what can't be reached."""
    target = make_target()

    probes, kinds, notes = watched(scenario, target, params)

    assert {alerting.ALARM, alerting.PAGER} == probes
    assert {"time_to_alert"} == kinds
    assert "Time to alert" not in notes
    specs = {one.name: one.options for one in scenario.probes(target, params)}
    assert ("no-way", "us-west-2") == (specs[alerting.ALARM]["alarm"], specs[alerting.ALARM]["region"])
    assert ["no-way"] == specs[alerting.PAGER]["alarms"]


@BOTH
@pytest.mark.parametrize("lacks", ["heard", "named"])
def test_without_alarm_or_queue_nothing_is_watched_and_that_is_told(
    scenario: RegionOutage, params: RegionOutageParams, lacks: str
) -> None:
    """An objective for it is left out then: it could only be inconclusive."""
    wanted = {"rto_s": 30.0, "alert_s": 60.0}
    target = make_target(**{lacks: False}, region_outage=wanted, full_dr=wanted)  # type: ignore[arg-type]

    probes, kinds, notes = watched(scenario, target, params)

    assert (set(), set()) == (probes, kinds)
    assert alerting.NOBODY_TOLD in notes
    assert "alert" not in {one.name for one in scenario.objectives(target, params)}


def test_an_inversion_sets_off_no_alarm() -> None:
    """Nobody is cut off: nothing is watched, nothing wanted, and the report says so."""
    target = make_target(region_outage={"alert_s": 60.0})

    probes, kinds, notes = watched(REGION, target, INVERT)

    assert (set(), set()) == (probes, kinds)
    assert "Time to alert was not measured" in notes
    assert () == REGION.objectives(target, INVERT)


@BOTH
def test_only_the_scenarios_own_objective_is_judged(
    scenario: RegionOutage, params: RegionOutageParams
) -> None:
    """The target's default is about drills that are about alerts."""
    default = make_target(default={"rto_s": 30.0, "alert_s": 60.0})
    own = make_target(region_outage={"alert_s": 60.0}, full_dr={"alert_s": 60.0})

    assert "time_to_alert" not in {one.measurement for one in scenario.objectives(default, params)}
    assert [("time_to_alert", 60.0)] == [
        (one.measurement, one.limit) for one in scenario.objectives(own, params)
    ]


def history(*, alert: bool = False, alarm_on: bool = False) -> History:
    """Return one with the fault at 1 s and the standby serving all from then on."""

    def seen(probe: str, number: int, goodness: Goodness = Goodness.GOOD) -> Observation:
        at_ns = number * SECOND // 10
        return Observation(probe, number, at_ns, at_ns, at_ns + 10_000_000, goodness, "us-west-2")

    named = {probe: [seen(probe, number) for number in range(40)] for probe in (CLIENTS, WRITER)}
    named[alerting.PAGER] = [seen(alerting.PAGER, 30, Goodness.BAD)] if alert else []
    named[alerting.ALARM] = [seen(alerting.ALARM, 8, Goodness.BAD if alarm_on else Goodness.GOOD)]
    specs = {name: ProbeSpec(name, "http", 0.1, 1) for name in named}
    return History(specs, named, Marks(0, injected=Between(SECOND, SECOND)))


def test_the_drill_waits_for_an_alert_that_is_wanted_and_for_no_other() -> None:
    """The standby serves everybody: that alone is the end, unless an objective asks for the alert."""
    wanted = make_target(region_outage={"alert_s": 60.0})

    assert REGION.ended(make_target(), BLACKOUT, history())
    assert not REGION.ended(wanted, BLACKOUT, history())
    assert REGION.ended(wanted, BLACKOUT, history(alert=True))


def test_an_alarm_that_is_on_before_matters_where_its_alert_is_wanted() -> None:
    """It could tell nobody of anything new."""

    def led_there(target: Target) -> Target:
        """Return the target with the region that serves in the history as its primary."""
        return target.model_copy(update={"primary": target.primary.model_copy(update={"name": "us-west-2"})})

    wanted, unwanted = led_there(make_target(region_outage={"alert_s": 60.0})), led_there(make_target())

    assert REGION.steady(wanted, history(), 0, 1)
    assert not REGION.steady(wanted, history(alarm_on=True), 0, 1)
    assert REGION.steady(unwanted, history(alarm_on=True), 0, 1)
