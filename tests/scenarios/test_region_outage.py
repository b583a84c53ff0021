"""Region outage declares what it must, and its predicates read the right component."""

from collections.abc import Sequence

import pytest

from drill import plan
from drill.model import Between, Goodness, History, Marks, Observation, ProbeSpec
from drill.target import Target
from scenarios.region_outage import CHECK, CLIENTS, DIRECT, WRITER, RegionOutage, RegionOutageParams
from tests.drill.test_target import make_document

PRIMARY, STANDBY = "us-east-1", "us-west-2"
INTERVAL_S = 0.1
SECOND = 1_000_000_000

INVERT = RegionOutageParams()
BLACKOUT = RegionOutageParams(blackout=True)


def make_target(**changes: object) -> Target:
    """Return a target with a settle window of one second."""
    timing = {"settle_s": 1, "warm_up_s": 1, "probe_interval_s": INTERVAL_S, "write_interval_s": INTERVAL_S}
    return Target.model_validate(make_document(timing=timing, **changes))


def attempts(
    probe: str, numbers: Sequence[int], region: str | None, *, bad: bool = False, **detail: object
) -> list[Observation]:
    """Return attempts of a probe by number, each answered 10 ms after it was due."""
    goodness = Goodness.BAD if bad else Goodness.GOOD
    made = []
    for number in numbers:
        due_ns = round(number * INTERVAL_S * SECOND)
        made.append(Observation(probe, number, due_ns, due_ns, due_ns + 10_000_000, goodness, region, detail))  # type: ignore[arg-type]
    return made


def history_of(*observations: Observation, injected_at_s: float | None = None) -> History:
    """Return a history of these attempts."""
    by_probe: dict[str, list[Observation]] = {}
    for one in observations:
        by_probe.setdefault(one.probe, []).append(one)
    injected = None
    if injected_at_s is not None:
        at_ns = round(injected_at_s * SECOND)
        injected = Between(at_ns, at_ns)
    specs = {name: ProbeSpec(name, "http", INTERVAL_S, 1) for name in (CLIENTS, WRITER, DIRECT, CHECK)}
    return History(specs, by_probe, Marks(0, injected=injected))


class TestPlan:
    def test_inversion_touches_the_check_only(self) -> None:
        """By default one health check is changed and nothing else."""
        made = plan.make(RegionOutage(), INVERT, make_target())

        assert [("health check", "check-us-east-1")] == [
            (touched.kind, touched.id) for step in made.steps for touched in step.touches
        ]

    def test_blackout_cuts_edge_and_app_and_leaves_the_check_alone(self) -> None:
        """A blackout takes both kinds of subnets and never touches the health check."""
        made = plan.make(RegionOutage(), BLACKOUT, make_target())
        touched = {one.id for step in made.steps for one in step.touches}

        assert {"subnet-edge-us-east-1", "subnet-app-us-east-1"} <= touched
        assert not any("check" in one for one in touched)

    def test_a_blackout_is_made_in_acls_of_its_own(self) -> None:
        """The subnets get own network ACLs before these deny everything, and AWS can undo that by itself."""
        own, dark = RegionOutage().steps(make_target(), BLACKOUT)

        assert ["own-network-acl", "network-blackout"] == [own.fault.kind, dark.fault.kind]
        assert own.fault.touches() == dark.fault.touches()
        assert [False, True] == [own.fault.plain_undo, dark.fault.plain_undo]

    def test_nothing_comes_between_the_pause_and_the_cut(self) -> None:
        """With a role for AWS FIS, replication is paused right before the network is cut."""
        table = {"name": "orders", "pause_role_arn": "arn:aws:iam::123456789012:role/fis"}
        made = plan.make(RegionOutage(), BLACKOUT, make_target(table=table))

        assert ["own-network-acl", "replication-pause", "network-blackout"] == [
            step.fault for step in made.steps
        ]

    def test_writes_are_put_at_risk_before_the_cut(self) -> None:
        """The system runs on for five writes, or as long as is asked, with replication paused."""
        table = {"name": "orders", "pause_role_arn": "arn:aws:iam::123456789012:role/fis"}
        target = make_target(table=table)
        asked = RegionOutageParams(blackout=True, lag_s=7)

        waits = [
            [step.then_wait_s for step in RegionOutage().steps(target, params)]
            for params in (BLACKOUT, asked)
        ]

        assert [[0, pytest.approx(5 * INTERVAL_S), 0], [0, 7, 0]] == waits

    def test_says_that_an_inversion_exercises_no_detection(self) -> None:
        """The reader is told that inverting proves nothing about detection."""
        assert "Detection was not exercised" in RegionOutage().notes(make_target(), INVERT)[0]

    def test_objectives_come_from_the_target(self) -> None:
        """Only what the target wants is judged, zero lost writes included."""
        target = make_target(objectives={"region-outage": {"rto_s": 30, "rpo_writes": 0}})
        wanted = RegionOutage().objectives(target, BLACKOUT)

        assert [("rto", 30.0), ("rpo_writes", 0.0)] == [(one.name, one.limit) for one in wanted]

    @pytest.mark.parametrize(
        ("params", "database", "judged"),
        [
            (INVERT, {}, True),
            (BLACKOUT, {}, False),
            (INVERT, {"replication": "global", "global_cluster_id": "orders-global"}, False),
        ],
    )
    def test_orders_must_reach_the_database_where_it_is_still_there(
        self, params: RegionOutageParams, database: dict[str, object], judged: bool
    ) -> None:
        """An inversion leaves it in the primary: a standby that can't write to it has not recovered."""
        target = make_target(objectives={"region-outage": {"rto_s": 30}}, database=database)
        measured = {one.measurement for one in RegionOutage().objectives(target, params)}
        kinds = {one.kind for one in RegionOutage().measures(target, params)}

        assert judged == ("store_recovery" in measured)
        assert judged == ("store_outage" in kinds)

    def test_a_crowd_asks_at_the_instants_of_the_clients(self) -> None:
        """Each of it needs an instance of its own; what they and the writer meet counts as cold starts."""
        crowd = RegionOutageParams(crowd=3)
        specs = {one.name: one for one in RegionOutage().probes(make_target(), crowd)}
        (cold,) = [one for one in RegionOutage().measures(make_target(), crowd) if one.kind == "cold_start"]
        wanted = make_target(objectives={"region-outage": {"cold_starts": 0}})

        assert specs["clients-2"].interval_s == specs["clients-3"].interval_s == 4 * INTERVAL_S
        assert "clients-4" not in specs
        assert ["writer", "clients-2", "clients-3"] == cold.options["also"]
        assert [("cold_starts", 0.0)] == [
            (one.measurement, one.limit) for one in RegionOutage().objectives(wanted, crowd)
        ]


class TestEnded:
    def served(
        self, first: int, last: int, region: str = STANDBY, aurora: str = "written"
    ) -> list[Observation]:
        """Return clients and writers that one region served."""
        numbers, stores = range(first, last), {"dynamodb": "written", "aurora": aurora}
        return [*attempts(CLIENTS, numbers, region), *attempts(WRITER, numbers, region, stores=stores)]

    def ended(self, *observations: Observation, params: RegionOutageParams = INVERT) -> bool:
        """Ask the scenario, with the injection at 1 s."""
        history = history_of(*observations, injected_at_s=1)
        return RegionOutage().ended(make_target(), params, history)

    def test_when_the_standby_served_all_for_the_settle_window(self) -> None:
        """A second of the standby alone ends the wait."""
        assert self.ended(*self.served(0, 15, PRIMARY), *self.served(15, 40))

    def test_not_while_orders_do_not_reach_the_database(self) -> None:
        """A standby that takes orders as pending though the database is there is not whole; gone it is."""
        seen = [*self.served(0, 15, PRIMARY), *self.served(15, 40, aurora="pending")]

        assert not self.ended(*seen)
        assert self.ended(*seen, params=BLACKOUT)

    def test_not_while_the_primary_still_serves_some(self) -> None:
        """One answer of the primary inside the window is too many."""
        mixed = [*self.served(0, 35), *self.served(35, 36, PRIMARY), *self.served(36, 40)]

        assert not self.ended(*mixed)

    def test_not_before_the_window_is_full(self) -> None:
        """Half a second of the standby is not a second."""
        assert not self.ended(*self.served(0, 20, PRIMARY), *self.served(20, 25))

    def test_not_while_an_attempt_is_missing(self) -> None:
        """An attempt under way may be hanging; those after it prove nothing yet."""
        seen = [one for one in self.served(0, 40) if one.number != 31]

        assert not self.ended(*seen)


class TestTookEffect:
    @pytest.mark.parametrize(
        ("detail", "bad", "expected"),
        [
            ({"inverted": True, "disabled": True}, True, True),
            ({"inverted": True, "disabled": True}, False, False),
            ({"inverted": False, "disabled": False}, True, False),
        ],
    )
    def test_an_inversion_shows_on_the_check(
        self, detail: dict[str, bool], bad: bool, expected: bool
    ) -> None:
        """Inverted, disabled and unhealthy, all three: one that is merely unhealthy is another failure."""
        history = history_of(*attempts(CHECK, [20], None, bad=bad, **detail), injected_at_s=1)

        assert expected == RegionOutage().took_effect(make_target(), INVERT, history)

    def test_a_blackout_shows_on_the_direct_path(self) -> None:
        """The primary's own address goes silent."""
        history = history_of(*attempts(DIRECT, [20], None, bad=True, error="timeout"), injected_at_s=1)

        assert RegionOutage().took_effect(make_target(), BLACKOUT, history)

    def test_not_by_the_systems_response(self) -> None:
        """Clients who are served by the standby prove a failover, not that the fault bit."""
        history = history_of(*attempts(CLIENTS, range(20, 40), STANDBY), injected_at_s=1)

        assert not RegionOutage().took_effect(make_target(), BLACKOUT, history)
        assert not RegionOutage().took_effect(make_target(), INVERT, history)

    def test_not_before_the_injection(self) -> None:
        """What was bad before proves nothing."""
        history = history_of(*attempts(DIRECT, [2], None, bad=True, error="timeout"), injected_at_s=1)

        assert not RegionOutage().took_effect(make_target(), BLACKOUT, history)


class TestSteady:
    def steady(self, *observations: Observation) -> bool:
        """Ask the scenario about everything since the beginning."""
        return RegionOutage().steady(make_target(), history_of(*observations), 0, window_s=1)

    def test_when_the_primary_serves_all(self) -> None:
        """Clients and writers were served by the primary."""
        both = [attempts(name, range(20), PRIMARY) for name in (CLIENTS, WRITER)]

        assert self.steady(*both[0], *both[1])

    def test_not_before_the_whole_window_was_seen(self) -> None:
        """Two seconds of attempts do not make a window of ten, whatever the settling window is."""
        both = [attempts(name, range(20), PRIMARY) for name in (CLIENTS, WRITER)]
        history = history_of(*both[0], *both[1])

        assert not RegionOutage().steady(make_target(), history, 0, window_s=10)
        assert RegionOutage().steady(make_target(), history, 0, window_s=2)

    def test_not_without_writers(self) -> None:
        """A system that nobody could write to is not steady."""
        assert not self.steady(*attempts(CLIENTS, range(20), PRIMARY))

    def test_not_with_one_failure(self) -> None:
        """One failed attempt is not steady."""
        clients = [*attempts(CLIENTS, range(19), PRIMARY), *attempts(CLIENTS, [19], None, bad=True)]

        assert not self.steady(*clients, *attempts(WRITER, range(20), PRIMARY))

    def test_not_on_the_standby(self) -> None:
        """A system that has failed over already is not steady."""
        both = [attempts(name, range(20), STANDBY) for name in (CLIENTS, WRITER)]

        assert not self.steady(*both[0], *both[1])


@pytest.mark.parametrize(
    ("params", "disposable", "asked"),
    [(INVERT, True, 2), (INVERT, False, 2), (BLACKOUT, False, 2), (BLACKOUT, True, 0)],
)
def test_both_regions_must_be_healthy_but_where_that_is_what_is_tried(
    params: RegionOutageParams, disposable: bool, asked: int
) -> None:
    """Only what was made to be broken may lose its primary with no healthy standby, and by no inversion."""
    kinds = [guard.kind for guard in RegionOutage().guards(make_target(disposable=disposable), params)]

    assert kinds.count("check-is-healthy") == asked
