"""A stack's events as they happen: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from drill.errors import DrillError
from infra import commands, stack_states
from infra.stack_states import Say

STACK = "AWS::CloudFormation::Stack"
SKIPPED = "DELETE_SKIPPED"
# The longer a stack takes, the less often it is asked about: never more than a fifth of the time late.
_SHORTEST_POLL_S = 0.03
_LONGEST_POLL_S = 4.0
_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One thing that happened to a stack or to a resource of it.

    Attributes:
        event_id: Unique.
        logical_id: The resource's name in the template; the stack's own name for the stack.
        physical_id: What the resource is called in its service; empty until it is known.
        resource_type: For example ``AWS::EC2::VPC``.
        status: For example ``CREATE_FAILED``.
        reason: Why; empty if nothing is said.

    """

    event_id: str
    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    reason: str

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Return an event as the API gives it."""
        return cls(
            event_id=document["EventId"],
            logical_id=document["LogicalResourceId"],
            physical_id=document.get("PhysicalResourceId") or "",
            resource_type=document["ResourceType"],
            status=document["ResourceStatus"],
            reason=document.get("ResourceStatusReason") or "",
        )

    @property
    def ends(self) -> bool:
        """Say whether with it the whole stack has come to rest, or has all that its template wants."""
        about_stack = self.resource_type == STACK
        return about_stack and (
            self.status in stack_states.COMPLETE or not self.status.endswith("_IN_PROGRESS")
        )

    @property
    def failed(self) -> bool:
        """Say whether it is a failure that was not merely caused by another one."""
        return (
            self.status.endswith("_FAILED")
            and self.resource_type != STACK
            and "cancelled" not in self.reason.lower()
        )

    def __str__(self) -> str:
        """Return it as one line."""
        reason = " ".join(self.reason.split())
        return f"{self.status:<20} {self.logical_id} ({self.resource_type})" + (
            f": {reason}" if reason else ""
        )


class Watch:
    """Hears what happens to the stacks, can end every wait for them, and knows how commands are typed."""

    def __init__(self, say: Say = lambda _line: None, config: Path = commands.FILE) -> None:
        """Take who is told, one line at a time, and where the system file is."""
        self._say = say
        self._config = config
        self._lock = threading.Lock()
        self._interrupted = threading.Event()

    def say(self, line: str) -> None:
        """Tell one line; safe from any thread."""
        with self._lock:
            self._say(line)

    def command(self, verb: str, *more: object) -> str:
        """Return a command of ``drill infra`` as whoever is told has to type it."""
        return commands.typed(verb, self._config, *more)

    def interrupt(self) -> None:
        """Make every wait end."""
        self._interrupted.set()

    def sleep(self, duration_s: float) -> None:
        """Wait.

        Raises:
            DrillError: Interrupted.

        """
        if self._interrupted.wait(duration_s):
            msg = f"interrupted; CloudFormation goes on by itself, see: {self.command('status')}"
            raise DrillError(msg)


def newest(client: Any, name: str) -> str:  # noqa: ANN401 (boto3 clients have no static type)
    """Return the id of a stack's newest event; empty if it has none."""
    found = client.describe_stack_events(StackName=name)["StackEvents"]
    return str(found[0]["EventId"]) if found else ""


def since(client: Any, name: str, event_id: str) -> list[StackEvent]:  # noqa: ANN401
    """Return what happened after an event, the first first; everything, if it is empty."""
    later: list[StackEvent] = []
    for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
        for document in page["StackEvents"]:
            if document["EventId"] == event_id:
                return later[::-1]
            later.append(StackEvent.of(document))
    return later[::-1]


def follow(client: Any, stack_id: str, after: str, watch: Watch) -> Iterator[StackEvent]:  # noqa: ANN401
    """Yield what happens to a stack as it happens, until it rests.

    Args:
        client: Of CloudFormation.
        stack_id: Its ARN: a stack that is deleted no longer answers to its name.
        after: The id of the event before the first that is wanted.
        watch: Ends it early.

    Raises:
        DrillError: It takes too long, or was interrupted.

    """
    began = time.monotonic()
    while True:
        for event in since(client, stack_id, after):
            after = event.event_id
            yield event
            if event.ends:
                return
        waited_s = time.monotonic() - began
        if waited_s > stack_states.STACK_WITHIN_S:
            msg = (
                f"{stack_id} does not come to rest within {stack_states.STACK_WITHIN_S:g} s; "
                "see why with: aws cloudformation describe-stack-events"
            )
            raise DrillError(msg)
        watch.sleep(min(max(waited_s * _SHARE, _SHORTEST_POLL_S), _LONGEST_POLL_S))
