"""What state a CloudFormation stack is in, and waiting until it rests.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from drill.errors import DrillError

ClientFactory = Callable[[str, str], Any]
"""Returns a boto3 client of a service (first) in a region (second); called from several threads."""

Sleep = Callable[[float], None]
"""Waits so many seconds."""

Say = Callable[[str], object]
"""Takes one line for whoever is watching; called from several threads."""

STACK_WITHIN_S = 7200.0
_FIRST_POLL_S = 0.02
_LONGEST_POLL_S = 5.0

COMPLETE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"}
)
"""What a stack is at when everything in it is as its template wants."""

USABLE = COMPLETE | {"UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"}
"""What a stack is at when its outputs are those of something that is there."""

HALF_DELETED = "DELETE_FAILED"
"""What a stack is at when its deletion did not end: some of its resources may be there still."""

STILLBORN = frozenset(
    {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", HALF_DELETED}
)
"""What a stack is at that never came to be, or no longer is: it can only be deleted."""


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as CloudFormation shows it.

    Attributes:
        stack_id: Its ARN, which finds it after it was deleted too.
        status: For example ``UPDATE_COMPLETE``.
        reason: Why it is at that; empty if nothing is said.
        changed_at: When it was last made or changed.
        outputs: By key.
        parameters: By key.

    """

    stack_id: str
    status: str
    reason: str
    changed_at: datetime
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def moving(self) -> bool:
        """Say whether CloudFormation is working on it, so that nobody may ask for anything else."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


def named(name: str, region: str) -> str:
    """Return how messages name a stack."""
    return f"stack {name} in {region}"


def state_of(client: Any, name: str) -> StackState | None:  # noqa: ANN401 (boto3 clients have no static type)
    """Return what a stack is at; None if there is no such stack."""
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as problem:
        if "does not exist" in problem.response["Error"]["Message"]:
            return None
        raise
    return StackState(
        stack_id=found["StackId"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        changed_at=found.get("LastUpdatedTime", found["CreationTime"]),
        outputs={item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", ())},
        parameters={item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", ())},
    )


def resting(client: Any, name: str, region: str, say: Say, sleep: Sleep) -> StackState | None:  # noqa: ANN401
    """Return what a stack is at once nobody works on it; None if there is no such stack.

    Args:
        client: Of CloudFormation.
        name: The stack's.
        region: Where it is.
        say: Hears that it is waited for.
        sleep: Waits some seconds, or raises.

    Raises:
        DrillError: It is worked on for too long, or a rolled back update is stuck.

    """
    state = state_of(client, name)
    if state is not None and state.moving:
        say(f"{named(name, region)} is {state.status}: somebody else works on it; waiting")
        state = wait(
            lambda: state_of(client, name),
            lambda seen: seen is not None and seen.moving,
            named(name, region),
            sleep,
        )
    if state is not None and state.status == "UPDATE_ROLLBACK_FAILED":
        msg = (
            f"{named(name, region)} is UPDATE_ROLLBACK_FAILED: {state.reason or 'see its events'}; "
            "mend that, then: "
            f"aws cloudformation continue-update-rollback --region {region} --stack-name {name}"
        )
        raise DrillError(msg)
    return state


def wait(
    read: Callable[[], Any], pending: Callable[[Any], bool], what: str, sleep: Sleep = time.sleep
) -> Any:  # noqa: ANN401
    """Return what ``read`` gives once it is no longer pending.

    Raises:
        DrillError: It was pending for too long.

    """
    retrying = Retrying(
        retry=retry_if_result(pending),
        wait=wait_exponential(multiplier=_FIRST_POLL_S, exp_base=1.5, max=_LONGEST_POLL_S),
        stop=stop_after_delay(STACK_WITHIN_S),
        sleep=sleep,
    )
    try:
        return retrying(read)
    except RetryError as problem:
        msg = (
            f"{what} does not come to rest within {STACK_WITHIN_S:.0f} s; "
            "see why with: aws cloudformation describe-stack-events"
        )
        raise DrillError(msg) from problem
