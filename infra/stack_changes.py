"""Brings one CloudFormation stack to what a template wants, through change sets, and waits for it."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from drill.errors import DrillError

ClientFactory = Callable[[str, str], Any]
"""Returns a boto3 client of a service (first) in a region (second); called from several threads."""

STACK_WITHIN_S = 3600.0
_FIRST_POLL_S = 0.02
_LONGEST_POLL_S = 5.0
_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}
# Stacks that never came to be; they can only be deleted.
_STILLBORN = {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it should be.

    Attributes:
        name: Its name.
        region: Where it is.
        template: File name in ``infra/stacks``.
        parameters: By name.
        tags: On every resource that takes a stack's tags.

    """

    name: str
    region: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    def __str__(self) -> str:
        """Return how messages name it."""
        return f"stack {self.name} in {self.region}"


def put(client_of: ClientFactory, stack: Stack) -> dict[str, str]:
    """Create the stack or change it, and wait until it is there.

    Returns:
        Its outputs.

    Raises:
        DrillError: It failed; the text names the stack, the resource and the reason.

    """
    client = client_of("cloudformation", stack.region)
    status = status_of(client, stack.name)
    if status in _STILLBORN:
        delete(client_of, stack.region, stack.name)
        status = None
    try:
        _execute(client, stack, "CREATE" if status is None else "UPDATE")
    except ClientError as problem:
        msg = f"{stack} was refused: {problem.response['Error']['Message']}"
        raise DrillError(msg) from problem
    settled = _settled(client, stack.name, str(stack))
    if settled not in _GOOD:
        reason = _first_failure(client, stack.name) or f"it is {settled}"
        msg = f"{stack} failed at {reason}; see: {_events_command(stack.region, stack.name)}"
        raise DrillError(msg)
    outputs = client.describe_stacks(StackName=stack.name)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def delete(client_of: ClientFactory, region: str, name: str) -> None:
    """Delete a stack and wait until it is gone; one that is not there is left so.

    Raises:
        DrillError: A resource could not be deleted.

    """
    client = client_of("cloudformation", region)
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as problem:
        if _absent(problem):
            return
        raise
    stack_id = found["StackId"]
    client.delete_stack(StackName=stack_id)
    what = f"stack {name} in {region}"
    settled = _settled(client, stack_id, what)
    if settled not in {None, "DELETE_COMPLETE"}:
        reason = _first_failure(client, stack_id) or f"it is {settled}"
        msg = f"{what} could not be deleted: {reason}; see: {_events_command(region, name)}"
        raise DrillError(msg)


def status_of(client: Any, name: str) -> str | None:  # noqa: ANN401 (boto3 clients have no static type)
    """Return a stack's status; None if there is no such stack."""
    try:
        return str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError as problem:
        if _absent(problem):
            return None
        raise


def wait(read: Callable[[], Any], pending: Callable[[Any], bool], what: str) -> Any:  # noqa: ANN401
    """Return what ``read`` gives once it is no longer pending.

    Raises:
        DrillError: It was pending for too long.

    """
    retrying = Retrying(
        retry=retry_if_result(pending),
        wait=wait_exponential(multiplier=_FIRST_POLL_S, exp_base=1.5, max=_LONGEST_POLL_S),
        stop=stop_after_delay(STACK_WITHIN_S),
    )
    try:
        return retrying(read)
    except RetryError as problem:
        last = problem.last_attempt.result()
        msg = (
            f"{what} is still {last} after {STACK_WITHIN_S:.0f} s; "
            "see why with: aws cloudformation describe-stack-events"
        )
        raise DrillError(msg) from problem


def _execute(client: Any, stack: Stack, kind: str) -> None:  # noqa: ANN401
    """Make and execute a change set; nothing is executed when nothing would change."""
    try:
        made = client.create_change_set(
            StackName=stack.name,
            ChangeSetName=f"drill-{secrets.token_hex(6)}",
            ChangeSetType=kind,
            TemplateBody=(files("infra") / "stacks" / stack.template).read_text(encoding="utf-8"),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()
            ],
            Tags=[{"Key": key, "Value": value} for key, value in stack.tags.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
    except ClientError as problem:
        if any(text in problem.response["Error"]["Message"] for text in _UNCHANGED):
            return
        raise
    where = {"StackName": stack.name, "ChangeSetName": made["Id"]}
    described = wait(
        lambda: client.describe_change_set(**where),
        lambda change: change["Status"] in {"CREATE_PENDING", "CREATE_IN_PROGRESS"},
        f"the change set of {stack}",
    )
    if described["Status"] != "FAILED":
        client.execute_change_set(**where)
        return
    client.delete_change_set(**where)
    reason = described.get("StatusReason", "no reason given")
    if not any(text in reason for text in _UNCHANGED):
        msg = f"{stack} was refused: {reason}"
        raise DrillError(msg)


def _settled(client: Any, name: str, what: str) -> str | None:  # noqa: ANN401
    settled: str | None = wait(
        lambda: status_of(client, name),
        lambda status: status is not None and status.endswith("_IN_PROGRESS") and status not in _GOOD,
        what,
    )
    return settled


def _first_failure(client: Any, name: str) -> str:  # noqa: ANN401
    """Return resource, type and reason of the failure that began it."""
    failures = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
        for event in _last_change(client, name)
        if event["ResourceStatus"].endswith("_FAILED")
        and event["ResourceType"] != "AWS::CloudFormation::Stack"
        and "cancelled" not in event.get("ResourceStatusReason", "cancelled")
    ]
    return failures[-1] if failures else ""


def _last_change(client: Any, name: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """Yield the events since somebody last asked for something, the latest first."""
    for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
        for event in page["StackEvents"]:
            if event.get("ResourceStatusReason") == "User Initiated":
                return
            yield event


def _absent(problem: ClientError) -> bool:
    return "does not exist" in problem.response["Error"]["Message"]


def _events_command(region: str, name: str) -> str:
    return f"aws cloudformation describe-stack-events --region {region} --stack-name {name}"
