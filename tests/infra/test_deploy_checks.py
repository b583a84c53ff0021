"""What is refused before anything is made, and how a stack that was rolled back is shown."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from moto.cloudformation.models import cloudformation_backends

from drill.errors import UsageError
from infra import deploy_checks
from infra.deploy import preview
from infra.deploy_config import DeployConfig
from infra.deploy_stacks import Part
from infra.deploy_status import StackStatus
from infra.lab.control_plane import function_quota
from infra.stack_events import Watch
from infra.stack_states import StackState
from tests.infra.deploylab import CONFIG, ONE, quick_control_plane, stack_names
from tests.infra.lab.planelab import EAST, WEST, Lab
from tests.infra.test_retained import table


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with quick_control_plane() as made:
        yield made


def state(status: str, **parameters: str) -> StackState:
    """Return a stack as CloudFormation would show it."""
    return StackState("arn:stack", status, "", datetime.now(UTC), {}, parameters)


def changed(**keys: object) -> DeployConfig:
    """Return the system file with other keys."""
    return CONFIG.model_copy(update=keys)


@pytest.mark.parametrize("region", [EAST, WEST])
def test_warm_processes_that_the_quota_has_no_room_for_are_refused(
    lab: Lab, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new account's quota of 10 in either region is found before anything is made."""
    monkeypatch.setitem(function_quota.quotas, region, 10)
    with pytest.raises(UsageError, match=rf"does not fit in {region}: of the 10 .*nothing was touched"):
        preview(lab.aws.client, changed(provisioned_concurrency=1), ONE)
    assert stack_names(lab) == []

    assert preview(lab.aws.client, changed(provisioned_concurrency=0), ONE).prepared


def test_a_global_database_is_not_made_one_of_backups_in_one_update(lab: Lab) -> None:
    """It would fail half-way on AWS; the way there and no change at all are not refused."""
    part = Part("data", EAST)
    there = {part: state("UPDATE_COMPLETE", Replication="global")}
    with pytest.raises(UsageError, match="keep replication: global"):
        deploy_checks.refuse(lab.aws.client, changed(replication="backup"), there, Watch())
    deploy_checks.refuse(lab.aws.client, changed(replication="global"), there, Watch())
    deploy_checks.refuse(
        lab.aws.client,
        changed(replication="global"),
        {part: state("UPDATE_COMPLETE", Replication="backup")},
        Watch(),
    )


def test_a_half_deleted_stack_that_still_has_data_is_not_made_again(lab: Lab) -> None:
    """Its table would be left out of sight: the way out is the end of the deletion."""
    table(lab)
    (backend,) = [region[EAST] for region in cloudformation_backends.values() if EAST in region]
    (stack,) = [stack for stack in backend.stacks.values() if stack.name == "shop-table"]
    stack.status = "DELETE_FAILED"

    with pytest.raises(UsageError, match=r"still has .*GlobalTable.*drill infra destroy"):
        preview(lab.aws.client, CONFIG, ONE)
    assert lab.client("dynamodb").list_tables()["TableNames"] == ["shop-orders"]


def test_a_stack_that_was_rolled_back_is_complete_and_said_to_be(lab: Lab) -> None:
    """What was undone is as before: nothing is to be gone on with, as ``deploy`` says too."""
    undone = StackStatus("shop-app", EAST, state("UPDATE_ROLLBACK_COMPLETE"))
    assert (undone.complete, undone.rolled_back) == (True, True)
    whole = replace(undone, state=state("UPDATE_COMPLETE"))
    assert (whole.complete, whole.rolled_back) == (True, False)
    broken = replace(undone, state=state("UPDATE_ROLLBACK_FAILED"))
    assert (broken.complete, broken.rolled_back) == (False, False)
