"""The scenarios that restore a database declare what they must, and read the restored database itself."""

from collections.abc import Sequence
from typing import Any

import pytest

from drill import plan
from drill.errors import UsageError
from drill.faults import database_recovery as recovery
from drill.model import Between, Goodness, History, Json, Marks, Observation, StepMark
from drill.scenario import Params, Scenario
from drill.target import Target
from scenarios import full_dr
from scenarios.aurora_snapshot_restore import (
    CLUSTER,
    DATABASE,
    STANDBY_ORDERS,
    AuroraSnapshotRestore,
    AuroraSnapshotRestoreParams,
)
from scenarios.full_dr import FullDr, FullDrParams
from tests.drill.test_target import make_document

EAST, WEST = "us-east-1", "us-west-2"
SECOND = 1_000_000_000
KEY = "arn:aws:kms:us-west-2:123456789012:key/k"
PLAIN = AuroraSnapshotRestoreParams()
CUT_OVER = AuroraSnapshotRestoreParams(cut_over=True)
WRITTEN: dict[str, Json] = {"stores": {"aurora": "written"}}
PENDING: dict[str, Json] = {"stores": {"aurora": "pending"}}


def make_target(**changes: object) -> Target:
    """Return a target that names what a restore needs, with a settle window of one second."""
    document = make_document(
        timing={"settle_s": 1, "api_interval_s": 0.1, "probe_interval_s": 0.1, "write_interval_s": 0.1},
        table={"name": "orders", "pause_role_arn": "arn:aws:iam::123456789012:role/fis"},
        **changes,
    )
    document["standby"] |= {
        "key_arn": KEY,
        "secret_arn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:login",
        "database_subnet_group": "west",
        "database_security_group_id": "sg-1",
        "database_parameter_group": "tls",
    }
    return Target.model_validate(document)


def seen(
    probe: str,
    numbers: Sequence[int],
    goodness: Goodness = Goodness.GOOD,
    detail: dict[str, Json] | None = None,
    region: str = WEST,
) -> list[Observation]:
    """Return attempts of a probe, one each 0.1 s, answered after 10 ms."""
    return [
        Observation(probe, number, at_ns, at_ns, at_ns + 10_000_000, goodness, region, detail or {})
        for number in numbers
        for at_ns in [number * SECOND // 10]
    ]


def history_of(
    scenario: AuroraSnapshotRestore | FullDr,
    params: AuroraSnapshotRestoreParams | FullDrParams,
    *observations: Observation,
    steps: tuple[StepMark, ...] = (),
) -> History:
    """Return a history in which the disaster came at 1 s."""
    specs = scenario.probes(make_target(), params)  # type: ignore[arg-type]
    named: dict[str, list[Observation]] = {spec.name: [] for spec in specs}
    for one in observations:
        named[one.probe].append(one)
    at = Marks(0, injected=Between(SECOND, SECOND), steps=steps)
    return History({spec.name: spec for spec in specs}, named, at)


SWITCHED = (StepMark(recovery.SWITCH, Between(2 * SECOND, 2 * SECOND + 1)),)


class TestPlan:
    def kinds(self, scenario: Scenario[Any], params: Params) -> tuple[list[str], list[str]]:
        """Return the faults of the steps and of the recovery."""
        made = plan.make(scenario, params, make_target())
        return [one.fault for one in made.steps], [one.fault for one in made.recovery]

    def test_a_restore_breaks_nothing(self) -> None:
        """By default it injects nothing and touches nothing that is there."""
        made = plan.make(AuroraSnapshotRestore(), PLAIN, make_target())

        assert ([], ["cluster-restore", "instance-creation", "login-reset"]) == self.kinds(
            AuroraSnapshotRestore(), PLAIN
        )
        assert not [touched for step in made.every_step for touched in step.touches]

    def test_a_fresh_snapshot_is_made_before_the_disaster(self) -> None:
        """Taking and copying it is awaited, and no part of what is measured; the cluster must have agreed."""
        params = AuroraSnapshotRestoreParams(fresh=True)
        steps = AuroraSnapshotRestore().steps(make_target(), params)

        assert (["snapshot-taken", "snapshot-copy"], True) == (
            [one.fault.kind for one in steps],
            all(one.prepares for one in steps),
        )
        assert "arn:aws:rds:us-east-1:123456789012:cluster:orders" == steps[0].fault.touches()[0].id

    def test_copying_the_newest_is_part_of_the_recovery(self) -> None:
        """Where no copies are made, copying one counts."""
        _, kinds = self.kinds(AuroraSnapshotRestore(), AuroraSnapshotRestoreParams(copy_newest=True))

        assert ["snapshot-copy", "cluster-restore"] == kinds[:2]

    def test_orders_return_after_all_else_is_undone(self) -> None:
        """The step whose undo writes them to the usual database is the first, so its undo is the last."""
        for scenario, params in ((AuroraSnapshotRestore(), CUT_OVER), (FullDr(), FullDrParams())):
            kinds, recovered = self.kinds(scenario, params)
            assert "database-refill" == kinds[0]
            assert "function-database" in recovered

    def test_full_dr_is_the_whole_book(self) -> None:
        """Dark, with replication paused; then restore, switch, refill."""
        assert (
            ["database-refill", "own-network-acl", "replication-pause", "network-blackout"],
            ["cluster-restore", "instance-creation", "login-reset", "function-database", "database-refill"],
        ) == self.kinds(FullDr(), FullDrParams())

    def test_the_ledger_is_verified_before_anything_else_is_written(self) -> None:
        """Once the login works and before the application is switched."""
        steps = recovery.steps(make_target(), recovery.Capacity())

        assert [(), (), ("aurora",)] == [one.verifies for one in steps]

    def test_a_target_that_names_no_database_is_refused(self) -> None:
        """What is missing is listed, with the command that explains it."""
        bare = Target.model_validate(make_document())

        with pytest.raises(UsageError, match=r"does not name standby.key_arn, .*drill target schema"):
            plan.make(AuroraSnapshotRestore(), PLAIN, bare)

    def test_a_drill_waits_as_long_as_a_restore_takes(self) -> None:
        """The target says how long that is, and the plan's expected end has it."""
        target = make_target()
        made = plan.make(AuroraSnapshotRestore(), PLAIN, target)

        assert made.expected_s[1] >= target.timing.deadline_s + target.timing.restore_s


class TestEffect:
    def test_the_restored_cluster_shows_it(self) -> None:
        """A cluster in any status was restored; none is none, and silence is nothing."""
        scenario, target = AuroraSnapshotRestore(), make_target()
        creating = seen(CLUSTER, [20], Goodness.BAD, {"status": "creating"})
        absent = seen(CLUSTER, [20], Goodness.BAD, {"status": "absent"})
        silent = seen(CLUSTER, [20], Goodness.UNKNOWN, {"error": "timeout"})

        shown = [
            scenario.took_effect(target, PLAIN, history_of(scenario, PLAIN, *one))
            for one in (creating, absent, silent, [])
        ]

        assert [True, False, False, False] == shown

    def test_full_dr_looks_at_the_primary_itself(self) -> None:
        """A time-out on the direct way is the dark region; a refused connection is something else."""
        scenario, target, params = FullDr(), make_target(), FullDrParams()
        told = [
            scenario.took_effect(
                target,
                params,
                history_of(scenario, params, *seen(full_dr.DIRECT, [20], Goodness.BAD, {"error": error})),
            )
            for error in ("timeout", "refused")
        ]

        assert [True, False] == told


class TestEnded:
    def restored(
        self, *more: Observation, params: AuroraSnapshotRestoreParams, switched: bool = True
    ) -> bool:
        """Ask the scenario, with a database that answers from 1.5 s on."""
        scenario = AuroraSnapshotRestore()
        since: dict[str, Json] = {"since": {"{run}-standby": 21}}
        good = [*seen(DATABASE, range(15), Goodness.BAD), *seen(DATABASE, range(15, 50))]
        grown = seen(DATABASE, range(50, 52), detail=since) if switched else []
        steps = SWITCHED if switched else ()
        history = history_of(scenario, params, *good, *grown, *more, steps=steps)
        return scenario.ended(make_target(), params, history)

    def test_a_database_that_answers_is_the_end(self) -> None:
        """Without a cut-over nothing more is awaited; one bad answer in the window is too many."""
        assert self.restored(params=PLAIN)
        assert not self.restored(*seen(DATABASE, [52], Goodness.BAD), params=PLAIN)

    def test_a_cut_over_wants_orders_in_the_restored_database(self) -> None:
        """All of the standby's for the window, written, and one of them shown by the restored database."""
        orders = seen(STANDBY_ORDERS, range(52), detail=WRITTEN)
        pending = seen(STANDBY_ORDERS, range(52, 54), detail=PENDING)

        assert self.restored(*orders, params=CUT_OVER)
        assert not self.restored(*orders, *pending, params=CUT_OVER)
        assert not self.restored(*orders, params=CUT_OVER, switched=False)

    def test_full_dr_wants_clients_and_written_orders(self) -> None:
        """Orders that wait for a database are no recovery; nor is anything before the switch."""
        scenario, target, params = FullDr(), make_target(), FullDrParams()

        def ended(detail: dict[str, Json], steps: tuple[StepMark, ...]) -> bool:
            clients = seen(full_dr.CLIENTS, range(52))
            orders = [*seen(full_dr.WRITER, range(30), detail=PENDING)]
            orders += seen(full_dr.WRITER, range(30, 52), detail=detail)
            return scenario.ended(
                target, params, history_of(scenario, params, *clients, *orders, steps=steps)
            )

        assert ended(WRITTEN, SWITCHED)
        assert not ended(PENDING, SWITCHED)
        assert not ended(WRITTEN, ())
