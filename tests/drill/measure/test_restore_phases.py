import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill.measure.restore_phases import restore_phases
from drill.model import (
    Between,
    Finding,
    History,
    Json,
    LedgerRead,
    LedgerRow,
    Measured,
    MeasureSpec,
    Observation,
    ProbeSpec,
    Severity,
    StepMark,
)
from tests.drill.measure.worlds import (
    EAST,
    WEST,
    attempt,
    between,
    history,
    holds,
    marks,
    measured,
    ns,
    shifted,
    target,
)

DATABASE = ProbeSpec("database", "postgres", 0.5, 2.0)
WRITER = ProbeSpec("writer", "writer", 0.1, 2.0)
ORDERS = ProbeSpec("orders", "writer", 0.2, 2.0)
OPTIONS: Mapping[str, Json] = {
    "writer": "writer",
    "restore": "restore",
    "instance": "instance",
    "login": "reset",
    "store": "aurora",
}
SPEC = MeasureSpec("restore_phases", "database", OPTIONS)
SWITCHED = MeasureSpec(
    "restore_phases", "database", {**OPTIONS, "switch": "switch", "orders": "orders", "customer": "{run}-w"}
)
POLL_S = 0.05


@dataclass(frozen=True)
class Restore:
    """A restore whose true instants are known, in seconds; the disaster is declared at 5.

    Attributes:
        data_s: When the restored data are from.
        cluster_s: When the cluster was available.
        instance_s: When the instance was, and the database answered.
        login_s: When the login was valid again.
        switch_s: When the application was switched.
        told_s: When the recovery point's stamp says that its data are from.

    """

    data_s: float = 3.0
    cluster_s: float = 8.0
    instance_s: float = 12.0
    login_s: float = 14.0
    switch_s: float = 16.0
    told_s: float | None = None

    def history(self, until_s: float = 25.0) -> History:
        """Return what was seen of it."""
        seen = [*self.queries(until_s), *self.writes(), *self.orders(until_s)]
        at = replace(marks(injected=(5.0, 5.001), ended=until_s - 1), steps=self.steps())
        rows = tuple(LedgerRow(number, f"nonce-{number}") for number in range(self.kept()))
        read = LedgerRead("aurora", "cutover", ns(self.login_s + 0.1), ns(self.login_s + 0.2), WEST, rows)
        return history(seen, at, (read,), (DATABASE, WRITER, ORDERS))

    def steps(self) -> tuple[StepMark, ...]:
        """Return the steps as the engine notes them: looked at every 50 ms, each begun after the last."""
        stamp = self.data_s if self.told_s is None else self.told_s
        told: dict[str, Json] = {
            "data_from_ns": [ns(stamp - 1), ns(stamp + 1)],
            "data_from_certain": True,
        }
        ends: tuple[tuple[str, float, float, dict[str, Json]], ...] = (
            ("restore", 5.001, self.cluster_s, told),
            ("instance", self.cluster_s, self.instance_s, {}),
            ("reset", self.instance_s, self.login_s, {}),
            ("switch", self.login_s, self.switch_s, {}),
        )
        return tuple(
            StepMark(
                name,
                between(began, began + 0.01),
                between(max(began, end - POLL_S), end + 0.01),
                more,
            )
            for name, began, end, more in ends
        )

    def queries(self, until_s: float) -> list[Observation]:
        """Return the attempts of the database's probe, each 20 ms long."""
        return [self.query(number, number * DATABASE.interval_s) for number in range(int(until_s / 0.5))]

    def query(self, number: int, at_s: float) -> Observation:
        """Return what one attempt shows."""
        done_s = at_s + 0.02
        if at_s + 0.01 < self.instance_s:
            return attempt(number, at_s, "bad", probe="database", done_s=done_s, detail={"error": "refused"})
        if at_s + 0.01 < self.login_s:
            wrong: dict[str, Json] = {"error": "wrong_password"}
            return attempt(number, at_s, "bad", probe="database", done_s=done_s, detail=wrong)
        newest = self.kept() - 1
        detail: dict[str, Json] = {"newest": {"{run}": {"number": newest, "nonce": f"nonce-{newest}"}}}
        first = self.first_served()
        if first / 5 < at_s:
            detail["since"] = {"{run}-w": first}
        return attempt(number, at_s, "good", probe="database", done_s=done_s, answered_by=WEST, detail=detail)

    def kept(self) -> int:
        """Return how many of the ledger's orders the restored data have."""
        return math.ceil(self.data_s * 10)

    def first_served(self) -> int:
        """Return the first of the standby's orders that was sent after the switch."""
        return math.ceil(self.switch_s * 5)

    def writes(self) -> list[Observation]:
        """Return the ledger's orders, one each 0.1 s, acknowledged by the primary."""
        return [
            attempt(
                number,
                number / 10,
                probe="writer",
                detail={"nonce": f"nonce-{number}", "stores": {"aurora": "written"}},
            )
            for number in range(200)
        ]

    def orders(self, until_s: float) -> list[Observation]:
        """Return the standby's orders, one each 0.2 s, all acknowledged."""
        return [
            attempt(
                number,
                number / 5,
                probe="orders",
                answered_by=WEST,
                detail={"nonce": "n", "stores": {"aurora": "written"}},
            )
            for number in range(int(until_s * 5))
        ]


def found(one: Restore, spec: MeasureSpec = SPEC) -> Measured:
    """Return what the measure makes of a restore."""
    return restore_phases(spec, one.history(), target())


def codes(seen: Measured) -> Mapping[str, Finding]:
    """Return the findings by code."""
    return {one.code: one for one in seen.findings}


def test_every_phase_is_there_and_they_follow_one_another() -> None:
    """Cluster, instance, first connection, login, query: in this order, without a gap."""
    seen = found(Restore())
    names = [phase.name for phase in seen.phases]
    assert names == ["cluster", "instance", "connection", "login", "query"]
    assert all(
        before.ends == after.begins for before, after in zip(seen.phases, seen.phases[1:], strict=False)
    )
    switched = found(Restore(), SWITCHED)
    assert [phase.name for phase in switched.phases][-2:] == ["switch", "order"]


gaps = st.floats(0.1, 3)


@settings(max_examples=25, deadline=None)
@given(st.tuples(gaps, gaps, gaps, gaps))
def test_the_true_times_are_inside(lasted: Sequence[float]) -> None:
    """Whenever things became so, the true recovery times and phases lie inside; a shifted one does not."""
    instants = [5.0]
    for gap in lasted:
        instants.append(instants[-1] + gap)
    one = Restore(3.0, *instants[1:])
    seen = found(one, SWITCHED)
    query = measured(seen, "recovery_time", "query")
    assert holds(query, one.login_s - 5.0)
    assert query.high is not None
    assert not holds(shifted(query, query.high - query.low + 0.01), one.login_s - 5.0)
    # The first order that was sent after the switch is the first served one.
    order = measured(seen, "recovery_time", "order")
    assert holds(order, one.first_served() / 5 + 0.005 - 5.0)
    assert measured(seen, "recovery_time").part == ""
    assert measured(seen, "recovery_time").high == order.high
    assert holds(measured(seen, "restore_phase", "cluster"), one.cluster_s - 5.0)
    assert holds(measured(seen, "restore_phase", "instance"), one.instance_s - one.cluster_s)


def test_a_restore_that_never_came_is_censored() -> None:
    """What was not seen to end has no upper bound, and the phases stop there."""
    one = Restore(instance_s=99, login_s=99.5, switch_s=100)
    at = one.history()
    steps = tuple(replace(mark, ready=None) if mark.step == "instance" else mark for mark in one.steps()[:2])
    seen = restore_phases(SPEC, replace(at, marks=replace(at.marks, steps=steps)), target())
    assert [(phase.name, phase.ends is None) for phase in seen.phases] == [
        ("cluster", False),
        ("instance", True),
    ]
    assert measured(seen, "recovery_time", "query").high is None
    assert measured(seen, "recovery_time", "query").low > 10


def test_the_recovery_point_is_the_age_of_the_data_at_the_disaster() -> None:
    """By the stamp, whose bounds are a second wide either way; the ledger agrees."""
    seen = found(Restore())
    point = measured(seen, "recovery_point", "snapshot")
    assert holds(point, 2.0)
    assert (point.low, point.high) == pytest.approx((1.0, 3.001))
    assert "recovery_points_disagree" not in codes(seen)


@pytest.mark.parametrize("told_s", [0.5, 4.9])
def test_a_stamp_that_the_ledger_contradicts_is_a_finding(told_s: float) -> None:
    """A stamp of before the newest survivor, or of after the oldest loss, can't be right."""
    told = codes(found(Restore(told_s=told_s)))["recovery_points_disagree"]
    assert told.severity is Severity.CRITICAL
    assert "older than the disaster" in told.detail


def test_an_uncertain_stamp_bounds_the_recovery_point_from_below_alone() -> None:
    """A copy whose source can't be asked is at least as old as it says."""
    at = Restore(told_s=4.9).history()
    told: dict[str, Json] = {"data_from_ns": [ns(4.8), ns(4.9)], "data_from_certain": False}
    steps = tuple(replace(one, told=told) if one.step == "restore" else one for one in at.marks.steps)
    seen = restore_phases(SPEC, replace(at, marks=replace(at.marks, steps=steps)), target())
    point = measured(seen, "recovery_point", "snapshot")
    assert point.low == pytest.approx(0.1)
    assert point.high is None
    assert "recovery_points_disagree" not in codes(seen)


def test_an_answer_with_another_nonce_is_not_correct() -> None:
    """A database whose newest order nobody sent is the wrong one: critical, and no recovery."""
    at = Restore().history()
    wrong: dict[str, Json] = {"newest": {"{run}": {"number": 3, "nonce": "somebody else's"}}}
    spoiled = [
        replace(one, detail=wrong) if "newest" in one.detail else one for one in at.observations["database"]
    ]
    seen = restore_phases(SPEC, replace(at, observations={**at.observations, "database": spoiled}), target())
    assert codes(seen)["wrong_answer"].severity is Severity.CRITICAL
    assert measured(seen, "recovery_time").high is None


def test_a_stale_login_is_told() -> None:
    """Only a password that was refused puts its reset to the test."""
    assert codes(found(Restore()))["stale_login"].severity is Severity.NOTE
    assert "stale_login" not in codes(found(Restore(instance_s=14.0)))


def test_orders_that_the_usual_database_took_are_not_served_by_the_restored_one() -> None:
    """Without a sign of them in the restored database no order counts, though all were acknowledged."""
    at = Restore().history()
    blind = [
        replace(one, detail={key: value for key, value in one.detail.items() if key != "since"})
        for one in at.observations["database"]
    ]
    seen = restore_phases(
        SWITCHED, replace(at, observations={**at.observations, "database": blind}), target()
    )
    assert measured(seen, "recovery_time", "order").high is None


def test_where_the_usual_database_is_gone_the_answer_tells() -> None:
    """After a region's loss the standby can only have written to what was restored."""
    told = {**OPTIONS, "switch": "switch", "orders": "orders", "region": WEST, "headline": False}
    seen = found(Restore(), MeasureSpec("restore_phases", "database", told))
    assert holds(measured(seen, "recovery_time", "order"), 14.005 - 5.0)
    assert not [one for one in seen.measurements if (one.name, one.part) == ("recovery_time", "")]
    told["region"] = EAST
    assert (
        measured(found(Restore(), MeasureSpec("x", "database", told)), "recovery_time", "order").high is None
    )


def test_nothing_injected_gives_nothing() -> None:
    """A drill that never declared a disaster restored nothing."""
    at = Restore().history()
    assert restore_phases(SPEC, replace(at, marks=marks(injected=None)), target()) == Measured((), (), (), ())
    assert isinstance(at.marks.injected, Between)


def test_orders_of_before_the_first_look_are_not_taken_for_the_first() -> None:
    """If nobody asked the restored database before the switch, its first order may be an earlier one."""
    at = Restore().history()
    late = [one for one in at.observations["database"] if (one.sent_ns or 0) > ns(14.0)]
    seen = restore_phases(SWITCHED, replace(at, observations={**at.observations, "database": late}), target())
    order = measured(seen, "recovery_time", "order")
    assert order.low == pytest.approx(14.0 - 5.001)
    assert holds(order, 16.005 - 5.0)
