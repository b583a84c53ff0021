"""Which resources a selection of AWS Backup holds, as its documentation has it."""

from typing import Any

import pytest

from drill.audit.selections import selected

ARN = "arn:aws:rds:us-east-1:123456789012:cluster:orders"
TAGS = {"backup": "daily", "stage": "prod"}
ALL = {"Resources": ["*"]}


def _if(operator: str, key: str, value: str) -> dict[str, Any]:
    return {operator: [{"ConditionKey": f"aws:ResourceTag/{key}", "ConditionValue": value}]}


def _listed(value: str) -> dict[str, Any]:
    return {
        "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": value}]
    }


@pytest.mark.parametrize(
    ("selection", "held"),
    [
        ({}, True),
        (ALL, True),
        ({"Resources": ["arn:aws:rds:*:*:cluster:*"]}, True),
        ({"Resources": ["arn:aws:ec2:*:*:volume/*"]}, False),
        ({**ALL, "NotResources": ["arn:aws:rds:*"]}, False),
        (_listed("daily"), True),
        (_listed("never"), False),
        ({"Resources": ["arn:aws:ec2:*"], **_listed("daily")}, True),
        ({"Conditions": _if("StringEquals", "backup", "daily")}, True),
        ({**ALL, "Conditions": _if("StringEquals", "backup", "daily")}, True),
        ({**ALL, "Conditions": _if("StringEquals", "backup", "Daily")}, False),
        ({**ALL, "Conditions": _if("StringEquals", "owner", "me")}, False),
        ({"Resources": ["arn:aws:ec2:*"], "Conditions": _if("StringEquals", "backup", "daily")}, False),
        (
            {
                **ALL,
                "Conditions": {**_if("StringEquals", "backup", "daily"), **_if("StringLike", "stage", "t*")},
            },
            False,
        ),
        ({**ALL, "Conditions": _if("StringLike", "stage", "*ro*")}, True),
        ({**ALL, "Conditions": _if("StringLike", "stage", "p?od")}, False),
        ({**ALL, "Conditions": _if("StringNotEquals", "stage", "test")}, True),
        ({**ALL, "Conditions": _if("StringNotEquals", "stage", "prod")}, False),
        ({**ALL, "Conditions": _if("StringNotLike", "stage", "t*")}, True),
        ({**ALL, "Conditions": _if("StringNotLike", "stage", "p*")}, False),
        ({**ALL, "Conditions": {"StringEquals": [], "StringLike": []}}, True),
        ({**ALL, "Conditions": _if("StringNotEquals", "owner", "me")}, None),
        ({**ALL, "Conditions": _if("NumericLessThan", "stage", "3")}, None),
        ({**_listed("daily"), "Conditions": _if("StringEquals", "stage", "test")}, None),
    ],
)
def test_a_selection_holds_what_aws_would_back_up(selection: dict[str, Any], held: bool | None) -> None:
    """Names by "or", conditions by "and"; what is written nowhere is not guessed."""
    assert selected(selection, ARN, TAGS) is held
