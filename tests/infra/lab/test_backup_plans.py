"""Plans that run by the lab's clock, what they select, and what the API says of them."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.backups import Backups
from infra.lab.control_plane.backup_resources import Resource, _selects
from infra.lab.control_plane.backup_store import STORE
from infra.lab.profile import FAST
from infra.lab.virtual_time import VirtualClock
from tests.infra.lab.backuplab import CLUSTER, VAULTS, Kept, make_cluster, make_vaults, plan_of
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane
from tests.infra.lab.schedulelab import Following, make_role, until

# An hour lasts 0.9 s, a day 21.6 s.
QUICK = replace(FAST, clock_scale=1 / 4000)


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Give vaults in both regions and a cluster, in a lab whose plans run."""
    with control_plane() as lab:
        STORE.clock_scale = QUICK.clock_scale
        following = Following(lab, [Backups(lab.plane, VirtualClock(QUICK.clock_scale))])
        following.start()
        try:
            kept = make_vaults(lab)
            make_cluster(lab, team="shop")
            yield kept
        finally:
            following.close()


def test_a_rule_backs_up_and_copies_every_hour(kept: Kept) -> None:
    """Each hour of the lab's clock gives a recovery point in both regions, and says which rule made it."""
    plan, document = plan_of(kept)
    until(lambda: len(kept.points(EAST)) >= 2 and len(kept.points(WEST)) >= 2, "two backups and copies")
    newest, before = kept.points(EAST)[:2]
    between = (newest["CreationDate"] - before["CreationDate"]).total_seconds()
    assert between > 0.5 * 3600 * QUICK.clock_scale
    by = newest["CreatedBy"]
    assert (by["BackupPlanId"], by["BackupRuleName"], by["BackupRuleCron"]) == (
        plan,
        "both-regions",
        document["Rules"][0]["ScheduleExpression"],
    )
    copied = {item["ResourceArn"] for item in kept.points(WEST)}
    assert copied == {CLUSTER}
    backup = kept.client("backup")
    assert backup.list_tags(ResourceArn=newest["RecoveryPointArn"])["Tags"]["made-by"] == "plan"
    assert backup.get_backup_plan(BackupPlanId=plan)["LastExecutionDate"] >= newest["CreationDate"].replace(
        microsecond=0
    )
    jobs = backup.list_copy_jobs(ByState="COMPLETED")["CopyJobs"]
    made = {item["BackupJobId"] for item in backup.list_backup_jobs()["BackupJobs"]}
    assert {job["CreatedByBackupJobId"] for job in jobs} <= made


def test_a_recovery_point_ends_with_its_lifecycle(kept: Kept) -> None:
    """After its days on the lab's clock a recovery point is gone, and its snapshot too; a copy stays."""
    source = kept.back_up(Lifecycle={"DeleteAfterDays": 1})["RecoveryPointArn"]
    kept.copy(source)
    (point,) = kept.points()
    ends = point["CalculatedLifecycle"]["DeleteAt"]
    lasts = (ends - point["CreationDate"]).total_seconds()
    assert lasts == pytest.approx(86400 * QUICK.clock_scale, rel=0.01)
    until(lambda: not kept.points(), "the end of the recovery point", 60)
    assert time.time() >= ends.timestamp()
    assert kept.snapshots() == []
    assert len(kept.points(WEST)) == 1


def test_another_lifecycle(kept: Kept) -> None:
    """A recovery point that is given another lifecycle ends by that."""
    arn = kept.back_up(Lifecycle={"DeleteAfterDays": 1})["RecoveryPointArn"]
    shown = kept.client("backup").update_recovery_point_lifecycle(
        BackupVaultName=VAULTS[EAST], RecoveryPointArn=arn, Lifecycle={"DeleteAfterDays": 1000}
    )
    assert shown["Lifecycle"] == {"DeleteAfterDays": 1000}
    (point,) = kept.points()
    lasts = (point["CalculatedLifecycle"]["DeleteAt"] - point["CreationDate"]).total_seconds()
    assert lasts == pytest.approx(1000 * 86400 * QUICK.clock_scale, rel=0.01)


def test_a_rule_without_its_vault_fails(kept: Kept) -> None:
    """A rule whose vault is gone makes failed jobs that say so."""
    plan, document = plan_of(kept)
    document["Rules"][0]["TargetBackupVaultName"] = "gone"
    kept.client("backup").update_backup_plan(BackupPlanId=plan, BackupPlan=document)
    backup = kept.client("backup")
    jobs = until(lambda: backup.list_backup_jobs(ByState="FAILED")["BackupJobs"], "a failed job")
    assert (jobs[0]["BackupVaultName"], "does not exist" in jobs[0]["StatusMessage"]) == ("gone", True)


RESOURCE = Resource(CLUSTER, "Aurora", {"team": "shop", "tier": "gold"})
TAGGED = {"ConditionType": "STRINGEQUALS", "ConditionKey": "team", "ConditionValue": "shop"}


@pytest.mark.parametrize(
    ("selection", "selects"),
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
def test_what_a_selection_selects(selection: dict[str, Any], selects: bool) -> None:
    """ARNs and tags add to one another, conditions all must hold, and exceptions win."""
    assert _selects(selection, RESOURCE) is selects


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane whose plans do not run."""
    with control_plane() as made:
        yield made


def test_a_plan_and_its_versions(lab: Lab) -> None:
    """An update makes another version; a plan goes after its selections; a name may be taken twice."""
    kept, backup = make_vaults(lab), lab.client("backup")
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
def test_rules_that_are_refused(lab: Lab, changed: dict[str, Any], told: str) -> None:
    """A rule that AWS Backup does not take is refused with its reason."""
    kept = make_vaults(lab)
    _, document = plan_of(kept)
    document["Rules"][0].update(changed)
    with pytest.raises(ClientError, match=told) as caught:
        lab.client("backup").create_backup_plan(BackupPlan=document)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_selection_needs_a_role_of_aws_backup(lab: Lab) -> None:
    """A role that AWS Backup can't assume is refused, and so is a selection of nothing."""
    kept, backup = make_vaults(lab), lab.client("backup")
    plan, _ = plan_of(kept)
    call = {"SelectionName": "s", "Resources": ["*"], "IamRoleArn": make_role(lab, "other", "lambda")}
    with pytest.raises(ClientError, match="cannot be assumed by AWS Backup"):
        backup.create_backup_selection(BackupPlanId=plan, BackupSelection=call)
    with pytest.raises(backup.exceptions.InvalidParameterValueException):
        backup.create_backup_selection(
            BackupPlanId=plan, BackupSelection={"SelectionName": "s", "IamRoleArn": kept.role}
        )


def test_a_vaults_own_key(lab: Lab) -> None:
    """A vault without a key of its own has that of AWS Backup; one that does not exist is refused."""
    backup = lab.client("backup")
    backup.create_backup_vault(BackupVaultName="plain")
    key = backup.describe_backup_vault(BackupVaultName="plain")["EncryptionKeyArn"]
    aliases = lab.client("kms").list_aliases(KeyId=key)["Aliases"]
    assert [item["AliasName"] for item in aliases] == ["alias/aws/backup"]
    with pytest.raises(backup.exceptions.InvalidParameterValueException):
        backup.create_backup_vault(BackupVaultName="locked", EncryptionKeyArn=key + "0")
