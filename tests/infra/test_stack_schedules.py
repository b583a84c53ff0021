"""Schedules, backup plans and budgets of a stack: made, read back, changed in place, gone without a trace."""

from collections.abc import Iterator

import pytest

from tests.infra.described.schedules import READERS
from tests.infra.lab.planelab import Lab, control_plane
from tests.infra.schedulestack import PLANNED
from tests.infra.stacklab import change, live, make, settle, undescribed


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def test_every_property_is_described(lab: Lab) -> None:
    """What a template says is what the services' own calls show, and every attribute is there."""
    stack = make(lab, PLANNED)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
    assert undescribed(lab, READERS) == []
    assert {one.kind.name for one in live().values()} >= set(READERS)
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    assert outputs["Schedule"].startswith("arn:aws:scheduler:us-east-1:123456789012:schedule/g/s-Schedule-")
    assert outputs["Vault"] == "arn:aws:backup:us-east-1:123456789012:backup-vault:vault"
    assert outputs["Plan"].rpartition(":")[2] == live()["Plan"].made.physical_resource_id
    budget = lab.client("budgets").describe_budget(AccountId="123456789012", BudgetName=outputs["Budget"])
    assert budget["Budget"]["CalculatedSpend"]["ActualSpend"]["Amount"] == "0"


def test_changes_are_made_in_place(lab: Lab) -> None:
    """All of it changes without another resource, but for a selection, which is always made anew."""
    make(lab, PLANNED)
    before = {name: one.made.physical_resource_id for name, one in live().items()}
    again = {"Minutes": "9", "Days": "9", "Usd": "9", "State": "DISABLED", "In": "h", "Policy": "no"}
    stack = change(lab, PLANNED, **again, Team="other")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stack.get("StackStatusReason")
    assert undescribed(lab, READERS) == []
    after = {name: one.made.physical_resource_id for name, one in live().items()}
    assert {name for name in after if after[name] != before[name]} == {"Selection"}
    assert [item["GroupName"] for item in lab.client("scheduler").list_schedules()["Schedules"]] == ["h"]
    with pytest.raises(lab.client("backup").exceptions.ResourceNotFoundException):
        lab.client("backup").get_backup_vault_access_policy(BackupVaultName="vault")


def test_a_deleted_stack_leaves_nothing(lab: Lab) -> None:
    """Schedules, groups, vault, plan, selection and budget go, and the same names can be taken again."""
    for _ in range(2):
        stack = make(lab, PLANNED)
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
        lab.client("cloudformation").delete_stack(StackName="s")
        assert settle(lab, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    scheduler, backup = lab.client("scheduler"), lab.client("backup")
    assert [item["Name"] for item in scheduler.list_schedule_groups()["ScheduleGroups"]] == ["default"]
    assert scheduler.list_schedules()["Schedules"] == []
    assert backup.list_backup_vaults()["BackupVaultList"] == []
    assert backup.list_backup_plans()["BackupPlansList"] == []
    assert lab.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"] == []
