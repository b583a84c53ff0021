"""What the API of AWS Backup takes, keeps and refuses of vaults, plans and selections; nothing runs here."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.control_plane.backup_resources import Resource, selects
from tests.infra.lab.backuplab import CLUSTER, Kept, make_vaults, plan_of
from tests.infra.lab.planelab import control_plane
from tests.infra.lab.schedulelab import make_role


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    """Give vaults in both regions."""
    with control_plane() as lab:
        yield make_vaults(lab)


RESOURCE = Resource(CLUSTER, "Aurora", {"team": "shop", "tier": "gold"})
TAGGED = {"ConditionType": "STRINGEQUALS", "ConditionKey": "team", "ConditionValue": "shop"}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"Resources": [CLUSTER]}, True),
        ({"Resources": ["arn:aws:rds:*:*:cluster:*"]}, True),
        ({"Resources": ["arn:aws:rds:*:*:cluster:other"]}, False),
        ({"Resources": ["*"], "NotResources": ["arn:aws:rds:*"]}, False),
        ({"ListOfTags": [TAGGED]}, True),
        ({"ListOfTags": [{**TAGGED, "ConditionValue": "none"}]}, False),
        ({"ListOfTags": [{**TAGGED, "ConditionValue": "none"}, TAGGED]}, True),
        ({"Resources": ["arn:none"], "ListOfTags": [TAGGED]}, True),
        ({"Conditions": {"StringEquals": [{"ConditionKey": "team", "ConditionValue": "shop"}]}}, True),
        (
            {
                "Resources": ["*"],
                "Conditions": {
                    "StringLike": [{"ConditionKey": "aws:ResourceTag/team", "ConditionValue": "s*"}],
                    "StringNotEquals": [{"ConditionKey": "aws:ResourceTag/tier", "ConditionValue": "gold"}],
                },
            },
            False,
        ),
        (
            {"Conditions": {"StringNotLike": [{"ConditionKey": "aws:ResourceTag/x", "ConditionValue": "*"}]}},
            True,
        ),
    ],
)
def test_what_a_selection_selects(selection: dict[str, Any], expected: bool) -> None:
    """ARNs and tags add to one another, conditions all must hold, and exceptions win."""
    assert selects(selection, RESOURCE) is expected


def test_a_plan_and_its_versions(kept: Kept) -> None:
    """An update makes another version; a plan goes after its selections; a name may be taken twice."""
    backup = kept.client("backup")
    plan, document = plan_of(kept)
    first = backup.get_backup_plan(BackupPlanId=plan)
    document["Rules"][0]["Lifecycle"] = {"DeleteAfterDays": 9}
    second = backup.update_backup_plan(BackupPlanId=plan, BackupPlan=document)["VersionId"]
    assert first["VersionId"] != second
    former = backup.get_backup_plan(BackupPlanId=plan, VersionId=first["VersionId"])["BackupPlan"]
    assert former["Rules"][0]["Lifecycle"] == {"DeleteAfterDays": 7}
    versions = backup.list_backup_plan_versions(BackupPlanId=plan)["BackupPlanVersionsList"]
    assert [item["VersionId"] for item in versions] == [second, first["VersionId"]]
    with pytest.raises(ClientError, match="selections must be deleted prior"):
        backup.delete_backup_plan(BackupPlanId=plan)
    (selection,) = backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
    backup.delete_backup_selection(BackupPlanId=plan, SelectionId=selection["SelectionId"])
    backup.delete_backup_plan(BackupPlanId=plan)
    with pytest.raises(backup.exceptions.ResourceNotFoundException):
        backup.get_backup_plan(BackupPlanId=plan)
    assert plan_of(kept)[0] != plan


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ScheduleExpression": "cron(0/15 * * * ? *)"}, "every hour"),
        ({"ScheduleExpression": "rate(1 hour)"}, "no cron expression"),
        ({"ScheduleExpression": "cron(0 5 * *)"}, "Invalid Schedule Expression"),
        ({"StartWindowMinutes": 30}, "at least 60 minutes"),
        ({"StartWindowMinutes": 90}, "CompletionWindowMinutes"),
        ({"Lifecycle": {"DeleteAfterDays": 0}}, "Invalid lifecycle"),
        ({"Lifecycle": {"DeleteAfterDays": 60, "MoveToColdStorageAfterDays": 30}}, "90 days"),
    ],
)
def test_rules_that_are_refused(kept: Kept, changed: dict[str, Any], told: str) -> None:
    """A rule that AWS Backup does not take is refused with its reason."""
    _, document = plan_of(kept)
    document["Rules"][0].update(changed)
    with pytest.raises(ClientError, match=told) as caught:
        kept.client("backup").create_backup_plan(BackupPlan=document)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_selection_needs_a_role_of_aws_backup(kept: Kept) -> None:
    """A role that AWS Backup can't assume is refused, and so is a selection of nothing."""
    backup = kept.client("backup")
    plan, _ = plan_of(kept)
    call = {"SelectionName": "s", "Resources": ["*"], "IamRoleArn": make_role(kept.lab, "other", "lambda")}
    with pytest.raises(ClientError, match="cannot be assumed by AWS Backup"):
        backup.create_backup_selection(BackupPlanId=plan, BackupSelection=call)
    with pytest.raises(backup.exceptions.InvalidParameterValueException):
        backup.create_backup_selection(
            BackupPlanId=plan, BackupSelection={"SelectionName": "s", "IamRoleArn": kept.role}
        )


def test_a_vaults_own_key(kept: Kept) -> None:
    """A vault without a key of its own has that of AWS Backup; one that does not exist is refused."""
    backup = kept.client("backup")
    backup.create_backup_vault(BackupVaultName="plain")
    key = backup.describe_backup_vault(BackupVaultName="plain")["EncryptionKeyArn"]
    aliases = kept.client("kms").list_aliases(KeyId=key)["Aliases"]
    assert [item["AliasName"] for item in aliases] == ["alias/aws/backup"]
    with pytest.raises(backup.exceptions.InvalidParameterValueException):
        backup.create_backup_vault(BackupVaultName="locked", EncryptionKeyArn=key + "0")
