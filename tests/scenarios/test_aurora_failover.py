"""Aurora failover declares what it must, and its predicates read the right component."""

from collections.abc import Sequence

import pytest

from drill import plan
from drill.model import Between, Goodness, History, Json, Marks, Observation
from drill.target import Target
from scenarios.aurora_failover import CLIENTS, PRIMARY, STANDBY, WRITER, AuroraFailover, FailoverParams
from tests.drill.test_target import make_document

EAST, WEST = "us-east-1", "us-west-2"
SECOND = 1_000_000_000
DEFAULT, LOSSY = FailoverParams(), FailoverParams(allow_data_loss=True)
ONE = AuroraFailover()


def make_target(*, worldwide: bool = False) -> Target:
    """Return a target with a settle window of one second."""
    timing = {"settle_s": 1, "probe_interval_s": 0.1, "write_interval_s": 0.1, "api_interval_s": 0.1}
    made = Target.model_validate(make_document(timing=timing))
    if not worldwide:
        return made
    database = made.database.model_copy(update={"replication": "global", "global_cluster_id": "world"})
    standby = made.standby.model_copy(update={"cluster_id": "orders-standby"})
    return made.model_copy(update={"database": database, "standby": standby})


def seen(probe: str, numbers: Sequence[int], goodness: str = "good", **detail: Json) -> list[Observation]:
    """Return attempts of a probe by number, ten a second, each answered by the primary in 10 ms."""
    return [
        Observation(
            probe,
            number,
            number * SECOND // 10,
            number * SECOND // 10,
            number * SECOND // 10 + 10_000_000,
            Goodness(goodness),
            EAST,
            detail,
        )
        for number in numbers
    ]


def orders(numbers: Sequence[int], aurora: str = "written") -> list[Observation]:
    """Return orders that were taken, and what the answers say of the database."""
    return seen(WRITER, numbers, stores={"dynamodb": "written", "aurora": aurora})


def cluster(numbers: Sequence[int], writer: str = "a", probe: str = PRIMARY) -> list[Observation]:
    """Return looks at an available cluster."""
    return seen(probe, numbers, status="available", writer=writer)


def past(*observations: Observation, worldwide: bool = False) -> History:
    """Return a history of these attempts, with the injection at 1 s."""
    by_probe: dict[str, list[Observation]] = {}
    for one in observations:
        by_probe.setdefault(one.probe, []).append(one)
    specs = {spec.name: spec for spec in ONE.probes(make_target(worldwide=worldwide), DEFAULT)}
    return History(specs, by_probe, Marks(0, injected=Between(SECOND, SECOND)))


class TestPlan:
    def test_within_the_cluster_by_default(self) -> None:
        """One failover of the primary's cluster."""
        (step,) = plan.make(ONE, DEFAULT, make_target()).steps

        assert ("cluster-failover", EAST) == (step.fault, step.args["region"])
        assert [f"arn:aws:rds:{EAST}:123456789012:cluster:orders"] == [one.id for one in step.touches]

    @pytest.mark.parametrize("params", [DEFAULT, LOSSY])
    def test_a_global_database_moves_to_the_standby(self, params: FailoverParams) -> None:
        """By a switchover, or by a failover if data may be lost."""
        (step,) = plan.make(ONE, params, make_target(worldwide=True)).steps

        assert "global-database-move" == step.fault
        assert params.allow_data_loss is step.args["allow_data_loss"]
        assert [EAST, WEST] == [one.region for one in step.touches]

    def test_the_guard_asks_for_what_is_to_fail_over(self) -> None:
        """Data loss is about a global database: without one it is refused."""
        for target, params, worldwide in (
            (make_target(), DEFAULT, False),
            (make_target(), LOSSY, True),
            (make_target(worldwide=True), DEFAULT, True),
        ):
            (guard,) = ONE.guards(target, params)
            assert ("database-can-fail-over", {"global": worldwide}) == (guard.kind, guard.options)

    def test_says_what_is_not_exercised(self) -> None:
        """Each way has limits of its own."""
        assert "was not exercised" in ONE.notes(make_target(), DEFAULT)[0]
        assert "--allow-data-loss" in ONE.notes(make_target(worldwide=True), DEFAULT)[0]
        assert "copies the former primary anew" in ONE.notes(make_target(worldwide=True), LOSSY)[0]


class TestTookEffect:
    @pytest.mark.parametrize(
        ("after", "bit"),
        [
            (cluster([12], "b"), True),
            (seen(PRIMARY, [12], "bad", status="failing-over", writer="a"), True),
            (cluster([12]), False),
            (seen(PRIMARY, [12], "unknown", error="timeout"), False),
            (orders([12], "pending"), False),
        ],
        ids=["another writer", "at work", "the same", "no answer", "the application"],
    )
    def test_by_the_cluster_alone(self, after: list[Observation], bit: bool) -> None:
        """What the application says of it proves nothing."""
        assert bit is ONE.took_effect(make_target(), DEFAULT, past(*cluster([5, 9]), *after))


class TestEnded:
    def test_when_another_writes_and_all_orders_reach_it(self) -> None:
        """Both, for the settle window."""
        before = [*cluster(range(10)), *orders(range(12)), *orders(range(12, 20), "pending")]
        after = [*cluster([22], "b"), *orders(range(20, 35))]
        target = make_target()

        assert ONE.ended(target, DEFAULT, past(*before, *after))
        assert not ONE.ended(target, DEFAULT, past(*before, *after[:8]))
        assert not ONE.ended(target, DEFAULT, past(*before, *cluster([22]), *orders(range(20, 35))))

    def test_of_a_global_database_when_the_other_cluster_writes(self) -> None:
        """Orders reach it by the primary's endpoint only, and stay pending."""
        target = make_target(worldwide=True)
        pending = [*cluster(range(10)), *orders(range(12)), *orders(range(12, 35), "pending")]
        there = cluster([30], "c", STANDBY)

        assert ONE.ended(target, DEFAULT, past(*pending, *there, worldwide=True))
        nobody = seen(STANDBY, [30], status="available")
        assert not ONE.ended(target, DEFAULT, past(*pending, *nobody, worldwide=True))


class TestSteady:
    def test_when_every_order_reaches_the_database(self) -> None:
        """One that is pending is too many."""

        def steady(*observations: Observation) -> bool:
            return ONE.steady(make_target(), past(*observations), SECOND, 1.0)

        clients = seen(CLIENTS, range(22))
        assert steady(*clients, *orders(range(22)))
        assert not steady(*clients, *orders(range(20)), *orders([20, 21], "pending"))
        assert not steady(*clients, *orders(range(12)))
