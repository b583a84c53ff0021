"""DynamoDB throttling declares what it must, and its predicates read the right component."""

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from drill import plan
from drill.model import Between, Goodness, History, Json, Marks, Observation
from drill.target import Target
from scenarios.dynamodb_throttling import (
    ALARM,
    ALERTS,
    CLIENTS,
    DIRECT,
    WRITER,
    DynamodbThrottling,
    ThrottlingParams,
)
from tests.drill.test_target import make_document

PRIMARY, STANDBY = "us-east-1", "us-west-2"
INTERVAL_S, SECOND = 0.1, 1_000_000_000
DEFAULT, AT_WORK = ThrottlingParams(), ThrottlingParams(let_autoscaling_work=True)
CODE = "ProvisionedThroughputExceededException"
ONE = DynamodbThrottling()


def make_target(*, alerting: bool = False, **changes: object) -> Target:
    """Return a target with a settle window of one second."""
    timing = {"settle_s": 1, "warm_up_s": 1, "probe_interval_s": INTERVAL_S, "write_interval_s": INTERVAL_S}
    made = Target.model_validate(make_document(timing=timing, **changes))
    told = {"alarms": {"throttles": "slow"}, "drill_queue_url": "https://sqs.test/123456789012/alerts"}
    primary = made.primary.model_copy(update=told if alerting else {"alarms": {}, "drill_queue_url": None})
    return made.model_copy(update={"primary": primary})


def attempts(
    probe: str, numbers: Sequence[int], goodness: Goodness = Goodness.GOOD, **detail: Json
) -> list[Observation]:
    """Return attempts of a probe by number, each answered by the primary 10 ms after it was due."""
    made = []
    for number in numbers:
        due_ns = round(number * INTERVAL_S * SECOND)
        region = PRIMARY if goodness is Goodness.GOOD else None
        made.append(Observation(probe, number, due_ns, due_ns, due_ns + 10_000_000, goodness, region, detail))
    return made


def refused(numbers: Sequence[int]) -> list[Observation]:
    """Return orders that the table refused, and writes to it that it refused too."""
    return [
        *attempts(WRITER, numbers, Goodness.BAD, throttled=3),
        *attempts(DIRECT, numbers, Goodness.BAD, error=CODE),
    ]


def alert(at: int) -> list[Observation]:
    """Return the attempt that brought the alert."""
    return attempts(ALERTS, [at], Goodness.BAD)


def seen(*observations: Observation, target: Target | None = None) -> History:
    """Return a history of these attempts, with the injection at 1 s."""
    by_probe: dict[str, list[Observation]] = {}
    for one in observations:
        by_probe.setdefault(one.probe, []).append(one)
    specs = {spec.name: spec for spec in ONE.probes(target or make_target(alerting=True), DEFAULT)}
    return History(specs, by_probe, Marks(0, injected=Between(SECOND, SECOND)))


class TestPlan:
    def test_auto_scaling_is_suspended_before_the_capacity_is_lowered(self) -> None:
        """In both regions, so that it is resumed only after the capacity is back."""
        steps = plan.make(ONE, DEFAULT, make_target()).steps

        assert ["scaling-suspension", "scaling-suspension", "table-throttle"] == [one.fault for one in steps]
        assert [PRIMARY, STANDBY, PRIMARY] == [one.args["region"] for one in steps]

    def test_auto_scaling_is_left_alone_if_it_is_to_work(self) -> None:
        """Then only the capacity is touched."""
        steps = plan.make(ONE, AT_WORK, make_target()).steps

        assert ["table-throttle"] == [one.fault for one in steps]

    def test_the_load_is_the_rate_of_the_writer(self) -> None:
        """As stated; the ledger's own rate otherwise, and never less than twice the capacity."""

        def interval_s(params: ThrottlingParams) -> float:
            return next(one for one in ONE.probes(make_target(), params) if one.name == WRITER).interval_s

        assert interval_s(ThrottlingParams(load=40)) == pytest.approx(1 / 40)
        assert interval_s(DEFAULT) == pytest.approx(INTERVAL_S)
        assert interval_s(ThrottlingParams(capacity=30)) == pytest.approx(1 / 60)

    @pytest.mark.parametrize(
        "typed", [{"capacity": 0}, {"load": 0}, {"load": 501}, {"capacity": 7, "load": 7}]
    )
    def test_what_would_throttle_nothing_is_refused(self, typed: dict[str, float]) -> None:
        """Out of range, or a load that the capacity carries."""
        with pytest.raises(ValidationError):
            ThrottlingParams.model_validate(typed)

    def test_says_that_all_replicas_share_the_capacity(self) -> None:
        """The reader is told plainly, of the burst too, and whether anybody was listening."""
        shared, burst, suspended, nobody = ONE.notes(make_target(), DEFAULT)

        assert "all its replicas share" in shared
        assert "up to 300 seconds" in burst
        assert "suspended in both regions" in suspended
        assert "time to alert was not measured" in nobody
        assert 3 == len(ONE.notes(make_target(alerting=True), DEFAULT))
        assert "left alone" in ONE.notes(make_target(), AT_WORK)[2]

    def test_objectives_are_those_of_the_drill_that_is_run(self) -> None:
        """An alert is only wanted where somebody listens, and where auto scaling is out of the way."""
        wanted = {"dynamodb-throttling": {"rto_s": 30, "alert_s": 60, "failed_share": 0.5, "rpo_writes": 0}}

        def names(target: Target, params: ThrottlingParams) -> list[str]:
            return [one.measurement for one in ONE.objectives(target, params)]

        listening = make_target(alerting=True, objectives=wanted)
        others = ["failed_share", "recovery_point_writes"]
        assert ["time_to_clear", "time_to_alert", *others] == names(listening, DEFAULT)
        assert ["recovery_time", *others] == names(listening, AT_WORK)
        assert ["time_to_clear", *others] == names(make_target(objectives=wanted), DEFAULT)


class TestTookEffect:
    def took(self, *observations: Observation) -> bool:
        """Ask the scenario."""
        return ONE.took_effect(make_target(), DEFAULT, seen(*observations))

    def test_when_the_table_itself_refused_a_write(self) -> None:
        """A direct write that was throttled shows it."""
        assert self.took(*attempts(DIRECT, [20], Goodness.BAD, error=CODE))

    @pytest.mark.parametrize(
        "observations",
        [
            attempts(DIRECT, [5], Goodness.BAD, error=CODE),
            attempts(DIRECT, [20], Goodness.BAD, error="timeout"),
            attempts(WRITER, [20], Goodness.BAD, throttled=3),
            attempts(DIRECT, range(30)),
        ],
        ids=["before the fault", "another error", "what the service says", "nothing"],
    )
    def test_not_by_anything_else(self, observations: list[Observation]) -> None:
        """What prevented the fault from biting makes the drill inconclusive."""
        assert not self.took(*observations)


class TestEnded:
    def test_when_it_has_lasted_and_somebody_was_told(self) -> None:
        """A settle window after the onset, with the alert."""
        target = make_target(alerting=True)

        assert ONE.ended(target, DEFAULT, seen(*refused(range(12, 24)), *alert(20)))
        assert not ONE.ended(target, DEFAULT, seen(*refused(range(12, 24))))
        assert not ONE.ended(target, DEFAULT, seen(*refused(range(12, 20)), *alert(18)))

    def test_without_anybody_listening_when_it_has_lasted(self) -> None:
        """Then there is no alert to wait for."""
        assert ONE.ended(make_target(), DEFAULT, seen(*refused(range(12, 24)), target=make_target()))

    def test_with_auto_scaling_at_work_when_it_is_over(self) -> None:
        """Orders must be taken at the first try for the settle window."""
        gone = [*attempts(WRITER, range(12)), *refused(range(12, 30))]
        back = attempts(WRITER, range(30, 42))
        late = attempts(WRITER, range(30, 42), throttled=1)

        assert ONE.ended(make_target(), AT_WORK, seen(*gone, *back))
        assert not ONE.ended(make_target(), AT_WORK, seen(*gone, *back[:8]))
        assert not ONE.ended(make_target(), AT_WORK, seen(*gone, *late))


class TestSteady:
    def steady(self, *observations: Observation) -> bool:
        """Ask the scenario about the second from 1 s on."""
        return ONE.steady(make_target(alerting=True), seen(*observations), SECOND, 1.0)

    def test_when_all_are_served_at_the_first_try(self) -> None:
        """Clients and orders, by the primary."""
        good = [*attempts(CLIENTS, range(22)), *attempts(WRITER, range(22))]

        assert self.steady(*good)
        assert self.steady(*good, *attempts(ALARM, [19], Goodness.BAD), *attempts(ALARM, [20]))

    def test_not_while_the_table_throttles_or_the_alarm_is_on(self) -> None:
        """Retries may hide a throttled table, and an alarm that is on tells nobody of anything new."""
        clients = attempts(CLIENTS, range(22))
        orders = attempts(WRITER, range(22))

        assert not self.steady(*clients, *attempts(WRITER, range(22), throttled=1))
        assert not self.steady(*clients, *orders, *attempts(ALARM, [20], Goodness.BAD))
