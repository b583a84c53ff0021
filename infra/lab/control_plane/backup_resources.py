"""What AWS Backup can back up in the lab, and what a selection selects of it.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html
"""

import fnmatch
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.rds.models import rds_backends

from infra.lab.control_plane.mending import ACCOUNT

AURORA, DYNAMODB = "Aurora", "DynamoDB"
_TAG = "aws:ResourceTag/"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that can be backed up.

    Attributes:
        kind: As AWS Backup names its type.
        tags: Its tags.

    """

    arn: str
    kind: str
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        """Its own name."""
        return name_of(self.arn)


def kind_of(arn: str) -> str:
    """Return the type of a resource by its ARN; empty for what the lab can't back up."""
    fields = arn.split(":")
    if fields[2:3] == ["rds"] and fields[5:6] == ["cluster"] and len(fields) == 7:
        return AURORA
    if fields[2:3] == ["dynamodb"] and len(fields) == 6 and fields[5].startswith("table/"):
        return DYNAMODB
    return ""


def name_of(arn: str) -> str:
    """Return the name at the end of a resource's ARN."""
    return arn.rpartition(":")[2].removeprefix("table/")


def resources(region: str) -> Iterator[Resource]:
    """Return everything that can be backed up in a region."""
    for cluster in list(rds_backends[ACCOUNT][region].clusters.values()):
        yield Resource(cluster.arn, AURORA, _by_key(cluster.tags))
    backend = dynamodb_backends[ACCOUNT][region]
    for table in list(backend.tables.values()):
        tags = backend.list_tags_of_resource(table.table_arn)
        yield Resource(table.table_arn, DYNAMODB, _by_key(tags))


def found(arn: str) -> Resource | None:
    """Return a resource by its ARN; None if it is not there."""
    return next((item for item in resources(arn.split(":")[3]) if item.arn == arn), None)


def selected(selection: Mapping[str, Any], region: str) -> list[Resource]:
    """Return what a selection selects now.

    A resource is selected by its ARN or by any of the listed tags; conditions narrow that
    further, all of them, and stand for everything if nothing else is named.
    """
    return [item for item in resources(region) if selects(selection, item)]


def selects(selection: Mapping[str, Any], item: Resource) -> bool:
    """Say whether a selection selects a resource."""
    named, tags = selection.get("Resources") or (), selection.get("ListOfTags") or ()
    chosen = not named and not tags
    chosen |= any(fnmatch.fnmatchcase(item.arn, pattern) for pattern in named)
    chosen |= any(item.tags.get(tag["ConditionKey"]) == tag["ConditionValue"] for tag in tags)
    left_out = any(fnmatch.fnmatchcase(item.arn, pattern) for pattern in selection.get("NotResources") or ())
    return chosen and not left_out and _holds(selection.get("Conditions") or {}, item.tags)


_TESTS: dict[str, Callable[[str | None, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringNotEquals": lambda value, wanted: value != wanted,
    "StringLike": lambda value, wanted: value is not None and fnmatch.fnmatchcase(value, wanted),
    "StringNotLike": lambda value, wanted: value is None or not fnmatch.fnmatchcase(value, wanted),
}


def _holds(conditions: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    return all(
        _TESTS[kind](tags.get(wanted["ConditionKey"].removeprefix(_TAG)), wanted["ConditionValue"])
        for kind, listed in conditions.items()
        for wanted in listed or ()
    )


def _by_key(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or ()}
