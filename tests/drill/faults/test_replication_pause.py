"""ReplicationPause against the lab's AWS FIS, whose experiments run by the clock."""

from typing import Any

import pytest

from drill import clock
from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import RUN_TAG, Intent
from drill.faults.replication_pause import ReplicationPause
from infra.lab.control_plane import experiments
from tests.drill.faults.breakage import ROLE, Cut, Stale, Unsteady, make_global_table

INTENT = Intent("run-1", "pause")


def pause(table: str) -> ReplicationPause:
    """Return the fault, with waits for a lab that starts experiments in 50 ms."""
    return ReplicationPause("us-east-1", table, ROLE, 90, wait_s=20, poll_s=0.02)


def left(aws: Aws, run_id: str = INTENT.run_id) -> tuple[list[str], list[str]]:
    """Return the states of a run's experiments and the ids of its templates."""
    client = aws.client("fis", "us-east-1")
    states = [
        one["state"]["status"]
        for one in client.list_experiments()["experiments"]
        if one["tags"].get(RUN_TAG) == run_id
    ]
    templates = client.list_experiment_templates()["experimentTemplates"]
    return states, [one["id"] for one in templates if one["tags"].get(RUN_TAG) == run_id]


def await_stopped(aws: Aws, experiment_id: str) -> None:
    """Wait until an experiment has ended; what never does is ended by the test's own time limit."""
    client = aws.client("fis", "us-east-1")
    while client.get_experiment(id=experiment_id)["experiment"]["state"]["status"] != "stopped":
        clock.sleep(0.02)


def test_injects_and_undoes(aws: Aws, table: str) -> None:
    """The replication is paused when the injection returns, and no more after the undo."""
    fault = pause(table)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    assert [(one.region, one.table) for one in experiments.pauses()] == [("us-east-1", "orders")]
    assert not fault.undone(aws, captured, INTENT.run_id)
    fault.undo(aws, captured, INTENT.run_id)
    assert experiments.pauses() == ()
    assert left(aws) == (["stopped"], [])
    assert fault.undone(aws, captured, INTENT.run_id)


def test_undoes_twice_and_without_injection(aws: Aws, table: str) -> None:
    """An undo that has nothing to do calls nothing that changes."""
    fault = pause(table)
    captured = fault.capture(aws)
    fault.undo(aws, captured, INTENT.run_id)
    fault.inject(aws, captured, INTENT)
    fault.undo(aws, captured, INTENT.run_id)
    watched: Any = Unsteady(aws)
    fault.undo(watched, captured, INTENT.run_id)
    assert set(watched.made) == {"fis.ListExperiments", "fis.ListExperimentTemplates"}
    assert fault.undone(aws, captured, INTENT.run_id)


def test_injects_twice_with_one_experiment(aws: Aws, table: str) -> None:
    """A repeated injection is known by its tokens: one template, one experiment."""
    fault = pause(table)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    fault.inject(aws, captured, INTENT)
    states, templates = left(aws)
    assert (len(states), len(templates)) == (1, 1)
    fault.undo(aws, captured, INTENT.run_id)


# Three calls at least: make the template, start the experiment, look at it.
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(3))
def test_undo_is_right_wherever_the_injection_broke(
    aws: Aws, table: str, breaks_at: int, *, lost: bool
) -> None:
    """After any broken call, sent or not, the undo leaves nothing that runs and no template."""
    fault = pause(table)
    captured = fault.capture(aws)
    with pytest.raises(Cut):
        fault.inject(Unsteady(aws, breaks_at, lost=lost), captured, INTENT)  # type: ignore[arg-type]
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)
    assert experiments.pauses() == ()


# List, stop, look, list, delete; and two more looks at both lists.
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(9))
def test_a_broken_undo_can_be_repeated(aws: Aws, table: str, breaks_at: int, *, lost: bool) -> None:
    """An undo that broke anywhere is finished by the next one."""
    fault = pause(table)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    with pytest.raises(Cut):
        fault.undo(Unsteady(aws, breaks_at, lost=lost), captured, INTENT.run_id)  # type: ignore[arg-type]
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


@pytest.mark.parametrize("operation", ["list_experiments", "list_experiment_templates"])
def test_old_answers_do_not_end_an_undo(aws: Aws, table: str, operation: str) -> None:
    """Two lists from before the injection in a row, and nothing goes on or is left all the same."""
    fault, client = pause(table), aws.client("fis", "us-east-1")
    captured = fault.capture(aws)
    stale: Any = Stale(aws, operation, olds=2)
    fault.inject(aws, captured, INTENT)
    # What the other list would show is gone, so that all hangs on this one.
    if operation == "list_experiments":
        (template,) = client.list_experiment_templates()["experimentTemplates"]
        client.delete_experiment_template(id=template["id"])
    else:
        (experiment,) = client.list_experiments()["experiments"]
        client.stop_experiment(id=experiment["id"])
        await_stopped(aws, experiment["id"])
    assert not fault.undone(stale, captured, INTENT.run_id)
    stale.again()
    fault.undo(stale, captured, INTENT.run_id)
    assert left(aws) == (["stopped"], [])


@pytest.mark.parametrize("operation", ["list_experiments", "list_experiment_templates"])
def test_old_answers_after_an_undo_do_no_harm(aws: Aws, table: str, operation: str) -> None:
    """A list that still has what is stopped and deleted is no error."""
    fault = pause(table)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    stale: Any = Stale(aws, operation, olds=2)
    fault.undo(aws, captured, INTENT.run_id)
    fault.undo(stale, captured, INTENT.run_id)
    assert left(aws) == (["stopped"], [])


def test_refuses_a_table_that_an_experiment_is_on(aws: Aws, table: str) -> None:
    """Somebody else's experiment on the table is named, with the command that stops it."""
    fault = pause(table)
    fault.inject(aws, fault.capture(aws), Intent("run-2", "pause"))
    with pytest.raises(DrillError, match="aws fis stop-experiment"):
        fault.capture(aws)


def test_ignores_experiments_on_other_tables(aws: Aws, table: str) -> None:
    """An experiment on another table is no reason to refuse, and the undo leaves it running."""
    other = pause(make_global_table(aws, "customers"))
    other.inject(aws, other.capture(aws), INTENT)
    fault = pause(table)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    fault.undo(aws, captured, INTENT.run_id)
    assert [one.table for one in experiments.pauses()] == ["customers"]


def test_leaves_what_another_run_made(aws: Aws, table: str) -> None:
    """The undo stops and deletes only what carries its own run id."""
    fault = pause(table)
    captured = fault.capture(aws)
    fault.inject(aws, captured, Intent("run-2", "pause"))
    fault.undo(aws, captured, INTENT.run_id)
    states, templates = left(aws, "run-2")
    assert (states, len(templates)) == (["running"], 1)


def test_says_why_an_experiment_failed(aws: Aws, table: str) -> None:
    """A role that AWS FIS can't assume fails the experiment; the reason is told and the undo tidies."""
    fault = ReplicationPause(
        "us-east-1", table, "arn:aws:iam::123456789012:role/nobody", 60, wait_s=20, poll_s=0.02
    )
    captured = fault.capture(aws)
    with pytest.raises(DrillError, match=r"failed.*role/nobody"):
        fault.inject(aws, captured, INTENT)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_gives_up_waiting(aws: Aws, table: str) -> None:
    """An experiment that does not start in time is an error, and the undo ends it."""
    experiments.install(30.0, lambda: None)
    fault = ReplicationPause("us-east-1", table, ROLE, 60, wait_s=0.05, poll_s=0.02)
    captured = fault.capture(aws)
    with pytest.raises(DrillError, match="still initiating"):
        fault.inject(aws, captured, INTENT)
    experiments.install(0.0, lambda: None)
    pause(table).undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_declares_every_call(aws: Aws, table: str) -> None:
    """What the fault calls is what it says it calls, and what it changes is named."""
    fault, watched = pause(table), Unsteady(aws)
    clients: Any = watched
    fault.inject(aws, fault.capture(aws), Intent("run-2", "pause"))
    with pytest.raises(DrillError):
        fault.capture(clients)
    fault.undo(aws, {}, "run-2")
    captured = fault.capture(clients)
    fault.inject(clients, captured, INTENT)
    fault.undo(clients, captured, INTENT.run_id)
    fault.undone(clients, captured, INTENT.run_id)
    permissions_only = {"fis.TagResource", "iam.PassRole"}
    assert set(watched.made) == {f"{call.service}.{call.action}" for call in fault.calls} - permissions_only
    assert [one.id for one in fault.touches()] == [table]
    assert "2 min" in fault.describe()
