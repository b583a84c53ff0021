"""One stack: what a change would do, doing it, telling of it, and every state that it may be found in."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from moto.cloudformation.models import cloudformation_backends

from drill.errors import DrillError
from infra import stack_changes, stack_events, stack_states
from infra.stack_events import Watch
from infra.stack_model import ResourceChange, Stack
from tests.infra.lab.planelab import EAST, Lab, control_plane

TOPIC = f"arn:aws:sns:{EAST}:123456789012:alerts"
BUDGET = Stack("s", EAST, "governance.yaml", {"Project": "shop", "TopicArn": TOPIC}, {"project": "shop"})
OTHER = replace(BUDGET, parameters={**BUDGET.parameters, "BudgetUsd": "300"})
KEY = Stack("s", EAST, "keys.yaml", {"Project": "shop"}, {"project": "shop"})
VAULT = Stack("s", EAST, "backup-vault.yaml", {"Project": "shop", "KeyArn": "no key"}, {})


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


@pytest.fixture
def told() -> list[str]:
    """Give the lines that were told."""
    return []


@pytest.fixture
def watch(told: list[str]) -> Watch:
    """Give what hears them."""
    return Watch(told.append)


def put(lab: Lab, stack: Stack, watch: Watch) -> dict[str, str]:
    """Prepare a stack and do it."""
    return stack_changes.apply(lab.aws.client, stack_changes.prepare(lab.aws.client, stack, watch), watch)


def status(lab: Lab, name: str = "s") -> str | None:
    """Return what a stack is at."""
    state = stack_states.state_of(lab.client("cloudformation"), name)
    return None if state is None else state.status


def set_status(name: str, status: str) -> None:
    """Put a stack at something, as if that had happened to it."""
    (backend,) = [region[EAST] for region in cloudformation_backends.values() if EAST in region]
    (stack,) = [stack for stack in backend.stacks.values() if stack.name == name]
    stack.status = status


def test_what_is_new_is_seen_before_it_is_there(lab: Lab, watch: Watch) -> None:
    """Preparing a new stack names its resources and makes none of them."""
    prepared = stack_changes.prepare(lab.aws.client, BUDGET, watch)
    assert (prepared.action, prepared.status) == ("create", "")
    assert prepared.changes == (ResourceChange("Add", "Budget", "AWS::Budgets::Budget"),)
    assert status(lab) == "REVIEW_IN_PROGRESS"
    assert lab.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"] == []


def test_what_is_not_wanted_leaves_nothing(lab: Lab, watch: Watch) -> None:
    """A discarded preparation takes its change set and its empty stack with it."""
    stack_changes.discard(lab.aws.client, stack_changes.prepare(lab.aws.client, BUDGET, watch))
    until = time.monotonic() + 10
    while status(lab) is not None:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_doing_it_tells_every_event_and_returns_the_outputs(lab: Lab, watch: Watch, told: list[str]) -> None:
    """Each resource is told as it comes, with region, stack, status and type."""
    outputs = put(lab, KEY, watch)
    assert ":key/" in outputs["KeyArn"]
    shown = [" ".join(line.split()) for line in told]
    assert "us-east-1 s: CREATE_IN_PROGRESS Key (AWS::KMS::Key)" in shown
    assert "us-east-1 s: CREATE_COMPLETE Key (AWS::KMS::Key)" in shown
    assert shown[-1] == "us-east-1 s: CREATE_COMPLETE s (AWS::CloudFormation::Stack)"


def test_the_same_again_is_nothing(lab: Lab, watch: Watch, told: list[str]) -> None:
    """An unchanged stack has nothing to do, keeps its outputs, and no change set stays."""
    first = put(lab, BUDGET, watch)
    told.clear()
    prepared = stack_changes.prepare(lab.aws.client, BUDGET, watch)
    assert (prepared.action, prepared.changes) == ("none", ())
    assert stack_changes.apply(lab.aws.client, prepared, watch) == first
    assert told == []
    assert status(lab) == "CREATE_COMPLETE"


def test_a_change_is_seen_and_tells_only_itself(lab: Lab, watch: Watch, told: list[str]) -> None:
    """What an update changes is named before, and events of the first deployment are not told again."""
    put(lab, BUDGET, watch)
    told.clear()
    prepared = stack_changes.prepare(lab.aws.client, OTHER, watch)
    (change,) = prepared.changes
    assert (prepared.action, change.action, change.logical_id) == ("change", "Modify", "Budget")
    assert not change.loses_data
    stack_changes.apply(lab.aws.client, prepared, watch)
    assert not [line for line in told if "CREATE" in line]
    assert status(lab) == "UPDATE_COMPLETE"


def test_discarding_a_change_leaves_the_stack(lab: Lab, watch: Watch) -> None:
    """A change that is not wanted leaves the stack as it was."""
    first = put(lab, BUDGET, watch)
    stack_changes.discard(lab.aws.client, stack_changes.prepare(lab.aws.client, OTHER, watch))
    assert status(lab) == "CREATE_COMPLETE"
    assert put(lab, BUDGET, watch) == first


def test_a_failure_names_stack_resource_and_reason(lab: Lab, watch: Watch) -> None:
    """The error is one line with the cause and the command that shows more."""
    with pytest.raises(DrillError) as failed:
        put(lab, replace(VAULT, parameters={"Project": "no spaces", "KeyArn": "no key"}), watch)
    text = str(failed.value)
    assert text.startswith("stack s in us-east-1 failed at Vault (AWS::Backup::BackupVault): ")
    assert "it is ROLLBACK_COMPLETE now" in text
    assert text.endswith("see: aws cloudformation describe-stack-events --region us-east-1 --stack-name s")
    assert "\n" not in text


@pytest.mark.parametrize(
    "left", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_FAILED", "DELETE_FAILED"]
)
def test_what_a_failed_attempt_left_is_made_again(lab: Lab, watch: Watch, told: list[str], left: str) -> None:
    """A stack that never came to be is deleted and made anew, and that is said."""
    put(lab, BUDGET, watch)
    set_status("s", left)
    prepared = stack_changes.prepare(lab.aws.client, OTHER, watch)
    assert (prepared.action, prepared.status, prepared.changes) == ("again", left, ())
    stack_changes.apply(lab.aws.client, prepared, watch)
    assert (
        f"stack s in us-east-1 is {left}, left by an attempt that failed; it is deleted and made again"
        in told
    )
    assert status(lab) == "CREATE_COMPLETE"


def test_a_stuck_rollback_names_the_way_out(lab: Lab, watch: Watch) -> None:
    """UPDATE_ROLLBACK_FAILED can only be mended by hand; the command is in the error."""
    put(lab, BUDGET, watch)
    set_status("s", "UPDATE_ROLLBACK_FAILED")
    command = "aws cloudformation continue-update-rollback --region us-east-1 --stack-name s$"
    with pytest.raises(DrillError, match=command):
        stack_changes.prepare(lab.aws.client, OTHER, watch)


def test_somebody_elses_change_is_waited_for(lab: Lab, watch: Watch, told: list[str]) -> None:
    """A stack that is being changed by somebody else is said to be, and changed when it rests."""
    put(lab, BUDGET, watch)
    set_status("s", "UPDATE_IN_PROGRESS")
    threading.Timer(0.3, set_status, ("s", "UPDATE_COMPLETE")).start()
    assert stack_changes.prepare(lab.aws.client, OTHER, watch).action == "change"
    assert "stack s in us-east-1 is UPDATE_IN_PROGRESS: somebody else works on it; waiting" in told


def test_what_never_rests_is_given_up(lab: Lab, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends with the stack's name and the command that shows more."""
    put(lab, BUDGET, watch)
    set_status("s", "UPDATE_IN_PROGRESS")
    monkeypatch.setattr(stack_states, "STACK_WITHIN_S", 0.2)
    with pytest.raises(DrillError, match=r"^stack s in us-east-1 does not come to rest within 0 s"):
        stack_changes.prepare(lab.aws.client, OTHER, watch)


def test_an_interrupt_ends_the_wait(lab: Lab, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a stack stops at once when told so; the stack goes on."""
    prepared = stack_changes.prepare(lab.aws.client, BUDGET, watch)
    watch.interrupt()
    with pytest.raises(DrillError, match="CloudFormation goes on by itself, see: drill infra status"):
        for _ in stack_events.follow(lab.client("cloudformation"), prepared.stack_id, "", watch):
            pass


def test_a_template_that_is_refused_leaves_nothing(lab: Lab, watch: Watch) -> None:
    """Parameters that do not fit the template are said, and no stack stays behind."""
    wrong = replace(BUDGET, parameters={"Project": "shop", "Nothing": "x"})
    with pytest.raises(DrillError, match=r"^stack s in us-east-1 was refused: "):
        stack_changes.prepare(lab.aws.client, wrong, watch)
    assert status(lab) in {None, "DELETE_IN_PROGRESS"}


def test_deleting_tells_and_may_be_repeated(lab: Lab, watch: Watch, told: list[str]) -> None:
    """A stack goes with its resources; one that is gone is left so."""
    put(lab, BUDGET, watch)
    told.clear()
    assert stack_changes.delete(lab.aws.client, EAST, "s", watch)
    assert "DELETE_COMPLETE" in told[-1]
    assert lab.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"] == []
    assert not stack_changes.delete(lab.aws.client, EAST, "s", watch)


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (ResourceChange("Modify", "Cluster", "AWS::RDS::DBCluster", "True"), True),
        (ResourceChange("Modify", "Cluster", "AWS::RDS::DBCluster", "Conditional"), True),
        (ResourceChange("Remove", "Key", "AWS::KMS::Key"), True),
        (ResourceChange("Modify", "Cluster", "AWS::RDS::DBCluster", "False"), False),
        (ResourceChange("Add", "Cluster", "AWS::RDS::DBCluster"), False),
        (ResourceChange("Remove", "Role", "AWS::IAM::Role"), False),
    ],
)
def test_losing_data_is_known(change: ResourceChange, lost: bool) -> None:
    """Replacing or removing what keeps data is a loss; nothing else is."""
    assert change.loses_data == lost


def test_every_template_fits_into_one_call() -> None:
    """CloudFormation takes templates of at most 51,200 bytes as text."""
    from importlib.resources import files

    for template in (files("infra") / "stacks").iterdir():
        assert len(template.read_bytes()) <= 51_200, template.name


def test_lines_do_not_mix() -> None:
    """Lines that are told at the same time come one after the other."""
    inside, most = [0], [0]

    def slow(_line: str) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.002)
        inside[0] -= 1

    watch = Watch(slow)

    def tell() -> None:
        for _ in range(5):
            watch.say("x")

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
