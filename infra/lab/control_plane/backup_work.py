"""The work of AWS Backup: for each type of resource, how it is backed up, copied, restored and dropped.

A backup of an Aurora cluster is a snapshot of RDS of the type ``awsbackup``, and its copy one
too, so that the data are real; one of a DynamoDB table is a backup of DynamoDB's own.
https://docs.aws.amazon.com/aws-backup/latest/devguide/working-with-other-services.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.backup.exceptions import InvalidParameterValueException

from infra.lab.control_plane.backup_resources import AURORA, DYNAMODB, Resource
from infra.lab.control_plane.backup_store import Point


class WorkFailed(Exception):
    """A job can't be done; the text is its status message."""


@dataclass(frozen=True, slots=True)
class Backed:
    """What a backup or a copy has made.

    Attributes:
        arn: Of the recovery point.
        size_bytes: What it takes.
        key: ARN of the key that encrypts it; empty if it is not encrypted.
        metadata: What a restore needs to know.

    """

    arn: str
    size_bytes: int
    key: str
    metadata: Mapping[str, str] = field(default_factory=dict)


Done = Callable[[Backed | None, str], None]
"""Takes what was made, or None and why there is nothing."""


class Work(Protocol):
    """How resources of one type are backed up; every method is called in a thread of its own."""

    def back_up(self, job_id: str, resource: Resource, tags: Mapping[str, str], done: Done) -> None:
        """Back a resource up; ``done`` is called once, maybe later and from another thread.

        Raises:
            WorkFailed: It can't even begin.

        """

    def copy(self, job_id: str, point: Point, region: str, key: str, done: Done) -> None:
        """Copy a recovery point into a region; encrypted under ``key`` if the point is encrypted at all.

        Raises:
            WorkFailed: It can't even begin.

        """

    def restore(self, point: Point, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Make a resource of a recovery point; returns its ARN when it can be used.

        Raises:
            WorkFailed: It can't be made.

        """

    def drop(self, point: Point) -> None:
        """Delete what a recovery point holds; nothing happens if that is gone already."""


WORK: dict[str, Work] = {}
"""By type of resource, filled by :func:`infra.lab.control_plane.backups.install`."""


def work_of(kind: str) -> Work:
    """Return how a type of resource is backed up.

    Raises:
        InvalidParameterValueException: The lab does not know how.

    """
    if kind not in WORK:
        msg = f"The lab backs up {AURORA} and {DYNAMODB} only, not {kind or 'this resource'}."
        raise InvalidParameterValueException(msg)
    return WORK[kind]


def tag_list(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return tags as most services want them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
