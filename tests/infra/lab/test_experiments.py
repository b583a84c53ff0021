"""AWS FIS experiments by the clock: a contract with moto's internals and with AWS's ways."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.base_backend import BackendDict

from drill.aws import Aws
from infra.lab.control_plane import ControlPlane, experiments
from tests.infra.lab.tablelab import EAST, REGIONS, ROLE, WEST, make_table, template

Fis = Any


@pytest.fixture(scope="module")
def clients() -> Iterator[Aws]:
    """Give the clients of a control plane."""
    with ControlPlane("127.0.0.1", 0, REGIONS) as plane:
        yield Aws(plane.endpoint_url, timeout_s=10, attempts=1)


@pytest.fixture
def aws(clients: Aws) -> Aws:
    """Give the clients of an account with the role for AWS FIS; experiments take 1 s to start and stop."""
    BackendDict.reset()
    experiments.install(1.0, lambda: None)
    clients.client("iam", "global").create_role(RoleName="fis", AssumeRolePolicyDocument="{}")
    return clients


@pytest.fixture
def table(aws: Aws) -> str:
    """Give the ARN of a global table."""
    return make_table(aws)


@pytest.fixture
def fis(aws: Aws) -> Fis:
    """Give the client of AWS FIS in the east."""
    return aws.client("fis", EAST)


def start(fis: Fis, table: str, **tags: str) -> str:
    """Start a pause; return the experiment's id."""
    made = fis.create_experiment_template(**template(table), tags=tags)["experimentTemplate"]
    started = fis.start_experiment(experimentTemplateId=made["id"], tags=tags)["experiment"]
    return str(started["id"])


def status(fis: Fis, experiment_id: str) -> str:
    """Return an experiment's state."""
    return str(fis.get_experiment(id=experiment_id)["experiment"]["state"]["status"])


def follow(fis: Fis, experiment_id: str, last: str) -> list[str]:
    """Return the states that an experiment goes through up to ``last``."""
    seen: list[str] = []
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        now = status(fis, experiment_id)
        if now not in seen[-1:]:
            seen.append(now)
        if now == last:
            return seen
        time.sleep(0.02)
    msg = f"{last} never came after {seen}"
    raise AssertionError(msg)


def paused() -> list[tuple[str, str, str]]:
    """Return the pauses in force."""
    return [(one.experiment_id, one.region, one.table) for one in experiments.pauses()]


def test_runs_and_is_stopped(fis: Fis, table: str) -> None:
    """It pauses from running on, not before, and until it is stopped."""
    began = time.monotonic()
    experiment = start(fis, table)
    assert paused() == []
    assert follow(fis, experiment, "running") == ["initiating", "running"]
    assert time.monotonic() - began > 1.0
    assert paused() == [(experiment, EAST, "orders")]
    assert fis.stop_experiment(id=experiment)["experiment"]["state"]["status"] == "stopping"
    assert paused() == [(experiment, EAST, "orders")]
    assert follow(fis, experiment, "stopped") == ["stopping", "stopped"]
    assert paused() == []
    assert fis.get_experiment(id=experiment)["experiment"]["endTime"]


def test_completes_after_its_duration(monkeypatch: pytest.MonkeyPatch, fis: Fis, table: str) -> None:
    """It ends by itself, and then can't be stopped any more."""
    monkeypatch.setattr(experiments, "duration_s", lambda _: 1.0)
    monkeypatch.setattr(experiments, "SHORTEST_S", 0.1)
    experiment = start(fis, table)
    assert follow(fis, experiment, "completed") == ["initiating", "running", "completed"]
    assert paused() == []
    assert fis.stop_experiment(id=experiment)["experiment"]["state"]["status"] == "completed"


def test_stopped_before_it_runs_it_never_pauses(fis: Fis, table: str) -> None:
    """An experiment that is stopped while it initiates pauses nothing, however long stopping takes."""
    experiment = start(fis, table)
    experiments.install(2.0, lambda: None)
    fis.stop_experiment(id=experiment)
    time.sleep(0.5)
    assert status(fis, experiment) == "stopping"
    assert paused() == []
    assert follow(fis, experiment, "stopped") == ["stopping", "stopped"]


def test_tells_of_each_change_of_state(aws: Aws, fis: Fis, table: str) -> None:
    """The physics are told when a pause begins and ends, without asking."""
    moved = threading.Semaphore(0)
    seen: list[bool] = []

    def changed() -> None:
        seen.append(bool(experiments.pauses()))
        moved.release()

    experiments.install(0.05, changed)
    experiment = start(fis, table)
    assert moved.acquire(timeout=30)
    fis.stop_experiment(id=experiment)
    assert moved.acquire(timeout=30)
    assert seen == [True, False]


def test_a_repeated_start_is_the_same_experiment(fis: Fis, table: str) -> None:
    """The client token tells AWS that a call was sent twice."""
    made = fis.create_experiment_template(**template(table), clientToken="t")["experimentTemplate"]
    again = fis.create_experiment_template(**template(table), clientToken="t")["experimentTemplate"]
    first = fis.start_experiment(experimentTemplateId=made["id"], clientToken="e")["experiment"]["id"]
    second = fis.start_experiment(experimentTemplateId=again["id"], clientToken="e")["experiment"]["id"]
    assert (made["id"], first) == (again["id"], second)


def test_lists_tags_and_deletes_templates(fis: Fis, table: str) -> None:
    """Tags show in both lists; deleting a template leaves its experiment."""
    experiment = start(fis, table, owner="me")
    (listed,) = fis.list_experiments()["experiments"]
    assert (listed["id"], listed["tags"]) == (experiment, {"owner": "me"})
    (made,) = fis.list_experiment_templates()["experimentTemplates"]
    assert made["tags"] == {"owner": "me"}
    fis.delete_experiment_template(id=made["id"])
    assert fis.list_experiment_templates()["experimentTemplates"] == []
    assert status(fis, experiment) in {"initiating", "running"}


@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        (lambda one: one.update(roleArn="arn:aws:iam::123456789012:user/fis"), "role ARN"),
        (lambda one: one.update(stopConditions=[]), "stop condition"),
        (lambda one: one.update(stopConditions=[{"source": "luck"}]), "luck"),
        (lambda one: one.update(actions={}), "one action"),
        (lambda one: one["actions"]["pause"].update(actionId="aws:ec2:reboot-instances"), "no action"),
        (lambda one: one["actions"]["pause"].update(parameters={}), "duration"),
        (lambda one: one["actions"]["pause"]["parameters"].update(duration="PT59S"), "PT59S"),
        (lambda one: one["actions"]["pause"]["parameters"].update(duration="PT13H"), "PT13H"),
        (lambda one: one["actions"]["pause"].update(targets={"Tables": "other"}), "Tables"),
        (lambda one: one["targets"]["table"].update(resourceType="aws:ec2:instance"), "of the type"),
        (lambda one: one["targets"]["table"].update(selectionMode="COUNT(1)"), "selection mode"),
        (lambda one: one["targets"]["table"].update(resourceArns=[]), "resourceArns"),
        (lambda one: one["targets"]["table"].update(resourceArns=["arn:aws:dynamodb:::orders"]), "no table"),
    ],
)
def test_refuses_unsound_templates(
    fis: Fis, table: str, break_it: Callable[[dict[str, Any]], None], why: str
) -> None:
    """A template that AWS FIS, or the lab, can't run is a ValidationException that says what is wrong."""
    wanted = template(table)
    break_it(wanted)
    with pytest.raises(ClientError, match=f"ValidationException.*{why}"):
        fis.create_experiment_template(**wanted)
    assert fis.list_experiment_templates()["experimentTemplates"] == []


def test_refuses_a_change_that_makes_a_template_unsound(fis: Fis, table: str) -> None:
    """What CreateExperimentTemplate refuses UpdateExperimentTemplate refuses too; sound changes pass."""
    made = fis.create_experiment_template(**template(table))["experimentTemplate"]
    with pytest.raises(ClientError, match="ValidationException"):
        fis.update_experiment_template(id=made["id"], roleArn="arn:aws:iam::nobody:role/x")
    changed = fis.update_experiment_template(id=made["id"], description="another")["experimentTemplate"]
    assert (changed["description"], changed["roleArn"]) == ("another", ROLE)


def test_refuses_a_table_of_another_region(fis: Fis, table: str) -> None:
    """An experiment acts in its own region."""
    with pytest.raises(ClientError, match=r"ValidationException.*no table of this account and region"):
        fis.create_experiment_template(**template(table.replace(EAST, WEST)))


def test_says_what_is_not_there(fis: Fis) -> None:
    """Templates and experiments that do not exist are ResourceNotFoundExceptions."""
    for call, missing in (
        (fis.start_experiment, {"experimentTemplateId": "EXT0"}),
        (fis.stop_experiment, {"id": "EXP0"}),
        (fis.get_experiment, {"id": "EXP0"}),
        (fis.delete_experiment_template, {"id": "EXT0"}),
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            call(**missing)


@pytest.mark.parametrize(
    ("role", "name", "why"),
    [
        ("arn:aws:iam::123456789012:role/nobody", "orders", "Unable to assume role"),
        (ROLE, "missing", "no global table"),
        (ROLE, "alone", "no global table"),
    ],
)
def test_fails_when_it_starts_without_role_or_global_table(
    aws: Aws, fis: Fis, table: str, role: str, name: str, why: str
) -> None:
    """What only shows at the start ends the experiment as failed, with the reason, and pauses nothing."""
    make_table(aws, "alone", replica=False)
    arn = table.replace("table/orders", f"table/{name}")
    made = fis.create_experiment_template(**template(arn, roleArn=role))["experimentTemplate"]
    experiment = fis.start_experiment(experimentTemplateId=made["id"])["experiment"]["id"]
    assert follow(fis, experiment, "failed") == ["initiating", "failed"]
    assert why in fis.get_experiment(id=experiment)["experiment"]["state"]["reason"]
    assert paused() == []
