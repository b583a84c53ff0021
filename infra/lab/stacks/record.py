"""What a stack says of each of its resources: status, reason, physical id, and since when."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.models import Event, Stack


@dataclass(frozen=True, slots=True)
class Record:
    """A resource of a stack as DescribeStackResources shows it.

    Attributes:
        name: Its name in the template.
        kind: Its type.
        status: For example ``CREATE_COMPLETE``.
        physical_id: Empty while it is not made.
        reason: Why, where there is something to say.
        at: When it got this status.

    """

    name: str
    kind: str
    status: str
    physical_id: str
    reason: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))


def records_of(stack: Stack) -> dict[str, Record]:
    """Return what a stack says of its resources, by name."""
    found: dict[str, Record] = stack.__dict__.setdefault("records", {})
    return found


def tell(stack: Stack, record: Record) -> None:
    """Note a resource's new status, and make an event of it."""
    records_of(stack)[record.name] = record
    tell_event(stack, record)


def tell_event(stack: Stack, record: Record) -> None:
    """Make an event of what happened to a resource in whose place there is another one now."""
    event = Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=record.name,
        physical_resource_id=record.physical_id,
        resource_type=record.kind,
        resource_status=record.status,
        resource_status_reason=record.reason,
        resource_properties=None,
    )
    event.timestamp = record.at
    stack.events.append(event)


def forget(stack: Stack, name: str) -> None:
    """Say nothing more of a resource that a changed stack no longer has."""
    records_of(stack).pop(name, None)


def shown(stack: Stack, record: Record) -> dict[str, Any]:
    """Return a resource in the names of DescribeStackResources and its like."""
    return {
        "StackName": stack.name,
        "StackId": stack.stack_id,
        "LogicalResourceId": record.name,
        "PhysicalResourceId": record.physical_id or None,
        "ResourceType": record.kind,
        "Timestamp": record.at,
        "LastUpdatedTimestamp": record.at,
        "ResourceStatus": record.status,
        "ResourceStatusReason": record.reason,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def reason_of(problem: BaseException) -> str:
    """Return a failure in one line, as stack events show it."""
    if isinstance(problem, ClientError):
        error = problem.response["Error"]
        return f"{error['Code']}: {error['Message']}"
    if isinstance(problem, KeyError):
        return f"Properties validation failed: required key [{problem.args[0]}] not found"
    return f"{type(problem).__name__}: {problem}"
