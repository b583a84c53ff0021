"""Answers of the AWS API, recorded and given again with one field changed."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who was asked for what."""

    service: str
    region: str
    operation: str
    params: str


class Recording:
    """Keeps every answer of the API; errors that were answered too."""

    def __init__(self, aws: Aws) -> None:
        """Record the answers of these clients."""
        self._aws = aws
        self._lock = threading.Lock()
        self.answers: dict[Call, Any] = {}

    def client(self, service: str, region: str) -> "_Recorded":
        """Return a recording client."""
        return _Recorded(self, (service, region), self._aws.client(service, region))

    def keep(self, call: Call, answer: Any) -> None:
        """Keep an answer."""
        with self._lock:
            self.answers[call] = answer


class _Recorded:
    def __init__(self, recording: Recording, asked: tuple[str, str], client: Any) -> None:
        self._recording = recording
        self._asked = asked
        self._client = client

    def can_paginate(self, _: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**params: Any) -> dict[str, Any]:
            made = _call(*self._asked, operation, params)
            try:
                answer: dict[str, Any] = getattr(self._client, operation)(**params)
            except ClientError as problem:
                self._recording.keep(made, problem)
                raise
            answer.pop("ResponseMetadata", None)
            self._recording.keep(made, answer)
            return copy.deepcopy(answer)

        return call


def _call(service: str, region: str, operation: str, params: dict[str, Any]) -> Call:
    return Call(service, region, operation, json.dumps(params, sort_keys=True, default=str))


class Replay:
    """Gives recorded answers again."""

    def __init__(self, answers: dict[Call, Any]) -> None:
        """Answer so."""
        self._answers = answers

    def client(self, service: str, region: str) -> "_Replayed":
        """Return a client that gives them."""
        return _Replayed(self, (service, region))

    def answer(self, call: Call) -> Any:
        """Return the answer to a call; one that was never made gets that to another of its kind."""
        found = self._answers.get(call)
        if found is None:
            alike = [other for other in self._answers if other.operation == call.operation]
            found = self._answers[max(alike, key=lambda other: _shared(other, call))]
        if isinstance(found, ClientError):
            raise found
        return copy.deepcopy(found)


class _Replayed:
    def __init__(self, replay: Replay, asked: tuple[str, str]) -> None:
        self._replay = replay
        self._asked = asked

    def can_paginate(self, _: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **params: self._replay.answer(_call(*self._asked, operation, params))


def _shared(one: Call, other: Call) -> int:
    """Return how many parameters two calls share."""
    mine, theirs = json.loads(one.params), json.loads(other.params)
    return sum(mine.get(name) == value for name, value in theirs.items())


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the paths to all that is neither a mapping nor a list."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from leaves(one, (*path, number))
    else:
        yield path


def changed(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return f"{value}-changed"


def with_change(answer: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """Return an answer with one leaf changed."""
    other = copy.deepcopy(answer)
    place: Any = other
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = changed(place[path[-1]])
    return other


# What belongs to the paging of an answer.
ENVELOPE = {"IsTruncated", "Marker", "MaxItems", "NextMarker", "NextToken", "Owner", "Truncated", "nextToken"}
# What repeats what was asked.
REPEATED = {
    "describe_tags": {"ResourceArn"},
    "describe_vpc_attribute": {"VpcId"},
    "get_dashboard": {"DashboardName", "DashboardArn"},
    "get_key_policy": {"PolicyName"},
    "get_role_policy": {"RoleName", "PolicyName"},
    "get_template": {"StagesAvailable"},
    "list_resource_record_sets": {"MaxItems"},
    "list_tags": {"ResourceArn"},
    "list_tags_for_resource": {"ResourceId", "ResourceType"},
}
# So many of a kind are looked at: the others have the same fields.
ENOUGH = 4
# Calls whose answers only say what to get; what is then got is compared.
SUMMARIES = {
    "get_caller_identity",
    "list_backup_selections",
    "list_experiment_templates",
    "list_keys",
    "list_roles",
    "list_schedules",
    "list_tables",
}


def compared(operation: str, answer: Any) -> Iterator[tuple[Any, ...]]:
    """Return the paths to the leaves of an answer that must show."""
    if isinstance(answer, ClientError) or operation in SUMMARIES or left_out(answer.get("KeyMetadata")):
        return
    for path in leaves(answer):
        listed = answer[path[0]]
        beyond = isinstance(listed, list) and (path[1] >= ENOUGH or left_out(listed[path[1]]))
        repeated = REPEATED.get(operation, set()) & set(named(path))
        if path[0] not in ENVELOPE and not repeated and not beyond:
            yield path


def left_out(one: Any) -> bool:
    """Say whether something is of those that are published as left out as a whole."""
    if not isinstance(one, dict):
        return False
    return (
        one.get("SnapshotType") == "automated"
        or one.get("state", {}).get("status") == "stopped"
        or ("AccepterVpcInfo" in one and one["Status"]["Code"] == "deleted")
        or one.get("KeyManager") == "AWS"
        or one.get("AliasName", "").startswith("alias/aws/")
        or one.get("Source") in {"engine-default", "system"}
    )


def named(path: tuple[Any, ...]) -> list[str]:
    """Return a path without the places in lists."""
    return [step for step in path if isinstance(step, str)]
