"""Brings one CloudFormation stack to what a template wants, through a change set that can be seen first."""

import secrets
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from drill.errors import DrillError, UsageError
from infra import stack_events, stack_states
from infra.stack_events import Watch
from infra.stack_model import KEEPS_DATA, Prepared, ResourceChange, Stack, StackFailed
from infra.stack_states import ClientFactory, StackState

_UNCHANGED = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, slots=True)
class _Followed:
    """A stack whose events are told.

    Attributes:
        name: Its name.
        region: Where it is.
        stack_id: Its ARN.

    """

    name: str
    region: str
    stack_id: str


def prepare(client_of: ClientFactory, stack: Stack, watch: Watch) -> Prepared:
    """Make the change set that brings a stack to what it should be; nothing of it changes yet.

    Raises:
        DrillError: CloudFormation refuses template or parameters, or the stack is stuck.

    """
    client = client_of("cloudformation", stack.region)
    state = stack_states.resting(client, stack.name, stack.region, watch.say, watch.sleep)
    if state is not None and state.status in stack_states.STILLBORN:
        refuse_half_deleted(client_of, stack.region, stack.name, state, watch)
        return Prepared(stack, "again", status=state.status)
    try:
        made = _made(client, stack, "CREATE" if state is None else "UPDATE")
    except ClientError as problem:
        said = problem.response["Error"]["Message"]
        if state is not None and any(text in said for text in _UNCHANGED):
            return Prepared(stack, "none", stack_id=state.stack_id, status=state.status)
        msg = f"{stack} was refused: {said}"
        raise DrillError(msg) from problem
    described = _described(client, made["Id"], str(stack))
    status = "" if state is None else state.status
    if described["Status"] != "FAILED":
        action: Literal["create", "change"] = "create" if state is None else "change"
        return Prepared(stack, action, _changes(client, made["Id"]), made["Id"], made["StackId"], status)
    client.delete_change_set(ChangeSetName=made["Id"])
    reason = described.get("StatusReason", "no reason given")
    if state is not None and any(text in reason for text in _UNCHANGED):
        return Prepared(stack, "none", stack_id=state.stack_id, status=status)
    if state is None:
        client.delete_stack(StackName=made["StackId"])
    msg = f"{stack} was refused: {reason}"
    raise DrillError(msg)


def apply(client_of: ClientFactory, prepared: Prepared, watch: Watch) -> dict[str, str]:
    """Execute what was prepared, tell of it as it happens, and wait until it is there.

    Returns:
        The stack's outputs.

    Raises:
        DrillError: It failed; the text names the stack, the resource and the reason.

    """
    stack = prepared.stack
    client = client_of("cloudformation", stack.region)
    if prepared.action == "again":
        watch.say(
            f"{stack} is {prepared.status}, left by an attempt that failed; it is deleted and made again"
        )
        delete(client_of, stack.region, stack.name, watch)
        prepared = prepare(client_of, stack, watch)
    if prepared.action != "none":
        after = stack_events.newest(client, prepared.stack_id)
        # Otherwise a first attempt that fails leaves what is to be retained, and its names stay taken.
        client.execute_change_set(ChangeSetName=prepared.change_set, RetainExceptOnCreate=True)
        _follow(client, _Followed(stack.name, stack.region, prepared.stack_id), after, watch)
    state = stack_states.state_of(client, prepared.stack_id)
    return {} if state is None else dict(state.outputs)


def discard(client_of: ClientFactory, prepared: Prepared) -> None:
    """Delete a change set that is not to be executed, and the empty stack that was made to hold it."""
    if not prepared.change_set:
        return
    client = client_of("cloudformation", prepared.stack.region)
    client.delete_change_set(ChangeSetName=prepared.change_set)
    if prepared.action == "create":
        client.delete_stack(StackName=prepared.stack_id)


def delete(client_of: ClientFactory, region: str, name: str, watch: Watch) -> bool:
    """Delete a stack and wait until it is gone; one that is not there is left so.

    Returns:
        Whether there was one.

    Raises:
        DrillError: A resource could not be deleted.

    """
    client = client_of("cloudformation", region)
    state = stack_states.state_of(client, name)
    if state is not None and state.moving:
        watch.say(f"{stack_states.named(name, region)} is {state.status}; waiting")
        state = stack_states.wait(
            lambda: stack_states.state_of(client, name),
            lambda seen: seen is not None and seen.moving,
            stack_states.named(name, region),
            watch.sleep,
        )
    if state is None:
        return False
    after = stack_events.newest(client, state.stack_id)
    client.delete_stack(StackName=state.stack_id)
    _follow(client, _Followed(name, region, state.stack_id), after, watch)
    return True


def refuse_half_deleted(
    client_of: ClientFactory, region: str, name: str, state: StackState, watch: Watch
) -> None:
    """Refuse to make a stack again whose deletion did not end while it still has what keeps data.

    Raises:
        UsageError: It is so; the text names what is there and the command that ends the deletion.

    """
    if state.status != stack_states.HALF_DELETED:
        return
    pages = client_of("cloudformation", region).get_paginator("list_stack_resources")
    left = [
        f"{resource['LogicalResourceId']} ({resource['ResourceType']})"
        for page in pages.paginate(StackName=state.stack_id)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] in KEEPS_DATA
        and resource["ResourceStatus"] not in {"DELETE_COMPLETE", stack_events.SKIPPED}
    ]
    if left:
        msg = (
            f"{stack_states.named(name, region)} is {state.status} and still has {', '.join(left)}: making "
            "it again would go on without that data; nothing of it was touched; end its deletion first: "
            f"{watch.command('destroy')}"
        )
        raise UsageError(msg)


def events_command(region: str, name: str) -> str:
    """Return the command that shows a stack's events."""
    return f"aws cloudformation describe-stack-events --region {region} --stack-name {name}"


def _made(client: Any, stack: Stack, kind: str) -> dict[str, Any]:  # noqa: ANN401 (boto3 clients have no static type)
    name = f"drill-{secrets.token_hex(6)}"
    made: dict[str, Any] = client.create_change_set(
        StackName=stack.name,
        ChangeSetName=name,
        ChangeSetType=kind,
        # The same token makes a repeated call answer with what the first one made.
        ClientToken=name,
        TemplateBody=stack.body,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()
        ],
        Tags=[{"Key": key, "Value": value} for key, value in stack.tags.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    return made


def _described(client: Any, change_set: str, what: str) -> dict[str, Any]:  # noqa: ANN401
    described: dict[str, Any] = stack_states.wait(
        lambda: client.describe_change_set(ChangeSetName=change_set),
        lambda seen: seen["Status"] in {"CREATE_PENDING", "CREATE_IN_PROGRESS"},
        f"the change set of {what}",
    )
    return described


def _changes(client: Any, change_set: str) -> tuple[ResourceChange, ...]:  # noqa: ANN401
    pages = client.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
    changes = [change["ResourceChange"] for page in pages for change in page.get("Changes", ())]
    return tuple(
        ResourceChange(
            action=change["Action"],
            logical_id=change["LogicalResourceId"],
            resource_type=change["ResourceType"],
            replacement=change.get("Replacement") or "",
        )
        for change in changes
    )


def _follow(client: Any, followed: _Followed, after: str, watch: Watch) -> None:  # noqa: ANN401
    """Tell of a stack's events until it rests.

    Raises:
        DrillError: It came to rest at something else than was asked for.

    """
    cause, last = "", None
    for event in stack_events.follow(client, followed.stack_id, after, watch):
        watch.say(f"{followed.region} {followed.name}: {event}")
        if event.failed and not cause:
            cause = f"{event.logical_id} ({event.resource_type}): {_line(event.reason)}"
        last = event
    if last is None or last.status in stack_states.COMPLETE or last.status == "DELETE_COMPLETE":
        return
    what = stack_states.named(followed.name, followed.region)
    reason = cause or _line(last.reason) or "no reason given"
    see = events_command(followed.region, followed.name)
    raise StackFailed(what, f"{what} failed at {reason}; it is {last.status} now; see: {see}")


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
