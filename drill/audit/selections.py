"""What an AWS Backup selection selects. Pure.

Resources are joined by "or", and so are they with ListOfTags; Conditions by "and", and so are they with
Resources: https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html and
https://repost.aws/knowledge-center/backup-assign-resources.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_TAG = "aws:ResourceTag/"


def selected(selection: Mapping[str, Any], arn: str, tags: Mapping[str, str]) -> bool | None:
    """Say whether a selection holds a resource; None where AWS does not say.

    Args:
        selection: As AWS answers it,
            https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html
        arn: The resource's.
        tags: The resource's.

    """
    if _any_like(arn, selection.get("NotResources", ())):
        return False
    named, listed = selection.get("Resources", ()), selection.get("ListOfTags", ())
    by_name = _any_like(arn, named)
    by_tag = any(tags.get(_key(one)) == one["ConditionValue"] for one in listed)
    if not (by_name or by_tag) and (named or listed):
        return False
    met = _all(_conditions(selection.get("Conditions", {}), tags))
    # How conditions join with ListOfTags is written nowhere.
    return met if met or by_name or not listed else None


def _conditions(conditions: Mapping[str, Any], tags: Mapping[str, str]) -> Iterator[bool | None]:
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Conditions.html."""
    for operator, rows in conditions.items():
        for one in rows:
            value, wanted = tags.get(_key(one)), one["ConditionValue"]
            if operator in {"StringEquals", "StringLike"} and value is None:
                yield False
            elif value is None:
                yield None  # "tagged resources that do not have the same value": with no value at all?
            elif operator in {"StringEquals", "StringNotEquals"}:
                yield (value == wanted) is (operator == "StringEquals")
            elif operator in {"StringLike", "StringNotLike"}:
                yield _like(value, wanted) is (operator == "StringLike")
            else:
                yield None


def _all(answers: Iterable[bool | None]) -> bool | None:
    """Join by "and": one no decides, whatever is not known."""
    every = tuple(answers)
    if False in every:
        return False
    return None if None in every else True


def _key(condition: Mapping[str, str]) -> str:
    return condition["ConditionKey"].removeprefix(_TAG)


def _any_like(text: str, patterns: Iterable[str]) -> bool:
    return any(_like(text, pattern) for pattern in patterns)


def _like(text: str, pattern: str) -> bool:
    """Match with ``*`` as the only wildcard."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
