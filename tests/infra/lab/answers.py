"""Answers of the AWS API, recorded and given again with one field changed."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from drill.aws import Aws


class Recording:
    """Keeps every answer of the API in the order in which it came."""

    def __init__(self, aws: Aws) -> None:
        """Record the answers of these clients."""
        self._aws = aws
        self.answers: list[tuple[str, dict[str, Any]]] = []

    def client(self, service: str, region: str) -> "_Recorded":
        """Return a recording client."""
        return _Recorded(self, service, self._aws.client(service, region))


class _Recorded:
    def __init__(self, recording: Recording, service: str, client: Any) -> None:
        self._recording = recording
        self._service = service
        self._client = client

    def can_paginate(self, _: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**params: Any) -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._client, operation)(**params)
            answer.pop("ResponseMetadata", None)
            self._recording.answers.append((operation, answer))
            return copy.deepcopy(answer)

        return call


class Replay:
    """Gives recorded answers again, in their order, whatever is asked."""

    def __init__(self, answers: list[tuple[str, dict[str, Any]]]) -> None:
        """Answer so."""
        self._answers = iter(answers)

    def client(self, service: str, region: str) -> "Replay":
        """Return itself: the order tells who asks."""
        return self

    def can_paginate(self, _: str) -> bool:
        """Say that each answer is whole."""
        return False

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        return lambda **_: next(self._answers)[1]


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


# What belongs to the paging of an answer, or repeats what was asked.
ENVELOPE = {
    "IsTruncated",
    "Marker",
    "MaxItems",
    "NextMarker",
    "NextToken",
    "ResourceArn",
    "ResourceId",
    "ResourceType",
    "nextToken",
}
# Calls whose answers only say what to get; what is then got is compared.
SUMMARIES = {"list_experiment_templates", "list_schedules", "list_tables"}


def compared(operation: str, answer: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Return the paths to the leaves of an answer that must show."""
    for path in leaves(answer):
        if operation not in SUMMARIES and not ENVELOPE & set(named(path)):
            listed = answer[path[0]]
            if not isinstance(listed, list) or not left_out(listed[path[1]]):
                yield path


def left_out(one: Any) -> bool:
    """Say whether something is of those that are published as left out as a whole."""
    if not isinstance(one, dict):
        return False
    return (
        one.get("SnapshotType") == "automated"
        or one.get("state", {}).get("status") == "stopped"
        or ("AccepterVpcInfo" in one and one["Status"]["Code"] == "deleted")
    )


def named(path: tuple[Any, ...]) -> list[str]:
    """Return a path without the places in lists."""
    return [step for step in path if isinstance(step, str)]
