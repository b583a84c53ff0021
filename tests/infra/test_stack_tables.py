"""``AWS::DynamoDB::GlobalTable`` and ``AWS::ApplicationAutoScaling::*`` in stacks of the lab."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from moto.cloudformation.models import cloudformation_backends

from infra.lab.control_plane.mending import ACCOUNT
from tests.infra.described.tables import READERS
from tests.infra.lab.capacitylab import capacity_lab, capacity_of, described, emptied, make_table, settled
from tests.infra.lab.planelab import EAST, WEST, Lab
from tests.infra.stacklab import change, events, make, settle, undescribed
from tests.infra.tablestack import PROVISIONED, SCALED

SCALING = "application-autoscaling"


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """Give a control plane on which updates take no time to speak of."""
    with capacity_lab(1 / 3000) as made:
        yield made


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """Give an account without tables and stacks."""
    for backend in list(cloudformation_backends[ACCOUNT].values()):
        backend.reset()
    return emptied(shared)


@pytest.fixture
def keys(lab: Lab) -> dict[str, str]:
    """Give a key in each region, as the template's parameters."""
    return {
        name: lab.client("kms", region).create_key()["KeyMetadata"]["Arn"]
        for name, region in (("Key", EAST), ("PeerKey", WEST))
    }


def delete(lab: Lab) -> dict[str, Any]:
    """Delete the stack and wait."""
    stack_id = lab.client("cloudformation").describe_stacks(StackName="s")["Stacks"][0]["StackId"]
    lab.client("cloudformation").delete_stack(StackName="s")
    return settle(lab, stack_id)


def reasons(lab: Lab, stack: dict[str, Any]) -> str:
    """Return why resources of a stack failed."""
    return " ".join(reason for _, status, reason in events(lab, stack["StackId"]) if "FAILED" in status)


def scaled(lab: Lab, region: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Return what is scaled in a region, with its bounds."""
    shown = lab.client(SCALING, region).describe_scalable_targets(ServiceNamespace="dynamodb")
    return {
        (one["ResourceId"], one["ScalableDimension"].rpartition(":")[2]): (
            one["MinCapacity"],
            one["MaxCapacity"],
        )
        for one in shown["ScalableTargets"]
    }


@pytest.mark.parametrize("mode", ["PROVISIONED", "PAY_PER_REQUEST"])
def test_every_property_is_read_back(lab: Lab, keys: dict[str, str], mode: str) -> None:
    """Through the services' own Describe calls, in each replica's region, in both capacity modes."""
    stack = make(lab, PROVISIONED, **keys, Mode=mode)
    assert stack["StackStatus"] == "CREATE_COMPLETE", reasons(lab, stack)
    assert undescribed(lab, READERS) == []
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    table = described(lab)
    assert outputs == {
        "Arn": table["TableArn"],
        "Id": table["TableId"],
        "Stream": table["LatestStreamArn"],
    }


def test_scaling_is_registered_where_it_belongs(lab: Lab, keys: dict[str, str]) -> None:
    """Writes in every region, reads for each replica; fixed reads are fixed, and nobody scales them."""
    make(lab, PROVISIONED, **keys)
    writes = {
        ("table/orders", "WriteCapacityUnits"): (40, 400),
        ("table/orders/index/pending", "WriteCapacityUnits"): (30, 300),
    }
    reads = {
        ("table/orders", "ReadCapacityUnits"): (20, 200),
        ("table/orders/index/pending", "ReadCapacityUnits"): (10, 100),
    }
    assert scaled(lab, EAST) == {**writes, **reads}
    assert scaled(lab, WEST) == writes
    assert (capacity_of(lab, EAST), capacity_of(lab, WEST)) == ((20, 40), (33, 40))
    assert capacity_of(lab, WEST, "pending") == (44, 30)
    policies = lab.client(SCALING).describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"]
    assert sorted(one["PolicyName"].split(":")[0] for one in policies) == [
        "DynamoDBReadCapacityUtilization",
        "DynamoDBReadCapacityUtilization",
        "DynamoDBWriteCapacityUtilization",
        "DynamoDBWriteCapacityUtilization",
    ]


def test_an_update_changes_what_differs_in_place(lab: Lab, keys: dict[str, str]) -> None:
    """Bounds, fixed reads, protection and tags change; the table, its items and its scaled capacity stay."""
    make(lab, PROVISIONED, **keys)
    before = described(lab)
    client = lab.client("dynamodb")
    client.put_item(TableName="orders", Item={"customer": {"S": "c"}, "token": {"S": "1"}})
    client.update_table(
        TableName="orders", ProvisionedThroughput={"ReadCapacityUnits": 20, "WriteCapacityUnits": 99}
    )
    settled(lab, EAST, WEST)
    stack = change(lab, PROVISIONED, **keys, Most="500", Reads="55", Protected="true", Tag="second")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", reasons(lab, stack)
    assert undescribed(lab, READERS) == []
    assert scaled(lab, WEST)["table/orders", "WriteCapacityUnits"] == (40, 500)
    assert (capacity_of(lab, EAST), capacity_of(lab, WEST)) == ((20, 99), (55, 99))
    assert described(lab)["TableId"] == before["TableId"]
    assert client.scan(TableName="orders")["Count"] == 1


def test_the_capacity_mode_changes_in_place(lab: Lab, keys: dict[str, str]) -> None:
    """On-demand takes the scaling away; the way back begins at the seed capacities."""
    make(lab, PROVISIONED, **keys)
    before = described(lab)["TableId"]
    assert change(lab, PROVISIONED, **keys, Mode="PAY_PER_REQUEST")["StackStatus"] == "UPDATE_COMPLETE"
    assert undescribed(lab, READERS) == []
    assert scaled(lab, EAST) == scaled(lab, WEST) == {}
    stack = change(lab, PROVISIONED, **keys)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", reasons(lab, stack)
    assert undescribed(lab, READERS) == []
    assert capacity_of(lab) == (25, 45)
    assert capacity_of(lab, WEST) == (33, 45)
    assert capacity_of(lab, EAST, "pending") == (10, 35)
    assert described(lab)["TableId"] == before


def test_indexes_and_replicas_come_and_go(lab: Lab, keys: dict[str, str]) -> None:
    """One after the other, with their scaling; the table stays."""
    make(lab, PROVISIONED, **keys)
    first, second = PROVISIONED.split("        - Region: us-west-2\n")
    alone = first + "Outputs:" + second.split("Outputs:")[1]
    assert change(lab, alone, **keys)["StackStatus"] == "UPDATE_COMPLETE"
    assert "Replicas" not in described(lab)
    assert lab.client("dynamodb", WEST).list_tables()["TableNames"] == []
    assert scaled(lab, WEST) == {}
    stack = change(lab, PROVISIONED, **keys)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", reasons(lab, stack)
    assert undescribed(lab, READERS) == []
    renamed = PROVISIONED.replace("IndexName: pending", "IndexName: waiting")
    stack = change(lab, renamed, **keys)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", reasons(lab, stack)
    assert undescribed(lab, READERS) == []
    assert ("table/orders/index/pending", "WriteCapacityUnits") not in scaled(lab, WEST)
    assert scaled(lab, WEST)["table/orders/index/waiting", "WriteCapacityUnits"] == (30, 300)


def test_a_protected_table_is_not_deleted(lab: Lab, keys: dict[str, str]) -> None:
    """Not even one of its replicas; without protection all of it goes, its scaling too."""
    make(lab, PROVISIONED, **keys, Protected="true")
    failed = delete(lab)
    assert failed["StackStatus"] == "DELETE_FAILED"
    assert "DeletionProtectionEnabled" in reasons(lab, failed)
    assert described(lab, WEST)["TableStatus"] == "ACTIVE"
    for region in (EAST, WEST):
        lab.client("dynamodb", region).update_table(TableName="orders", DeletionProtectionEnabled=False)
        settled(lab, region)
    assert delete(lab)["StackStatus"] == "DELETE_COMPLETE"
    for region in (EAST, WEST):
        assert lab.client("dynamodb", region).list_tables()["TableNames"] == []
        assert scaled(lab, region) == {}


def test_a_retained_table_outlives_its_stack(lab: Lab, keys: dict[str, str]) -> None:
    """With its replicas, their items and their scaling."""
    template = PROVISIONED.replace(
        "    Properties:\n      TableName", "    DeletionPolicy: Retain\n    Properties:\n      TableName"
    )
    make(lab, template, **keys)
    assert delete(lab)["StackStatus"] == "DELETE_COMPLETE"
    for region in (EAST, WEST):
        assert described(lab, region)["TableStatus"] == "ACTIVE"
        assert ("table/orders", "WriteCapacityUnits") in scaled(lab, region)


def test_a_table_that_fails_halfway_leaves_nothing(lab: Lab, keys: dict[str, str]) -> None:
    """A key of the wrong region is refused when the replica is made; the table goes again."""
    stack = make(lab, PROVISIONED, Key=keys["Key"], PeerKey=keys["Key"])
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "KMS key" in reasons(lab, stack)
    assert lab.client("dynamodb").list_tables()["TableNames"] == []
    assert scaled(lab, EAST) == {}


def test_a_name_that_the_lab_does_not_know_is_refused_at_any_depth(lab: Lab, keys: dict[str, str]) -> None:
    """It would be lost without a word otherwise."""
    template = PROVISIONED.replace("RecoveryPeriodInDays: 7", "RecoveryPeriod: 7")
    stack = make(lab, template, **keys)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "RecoveryPeriod in PointInTimeRecoverySpecification" in reasons(lab, stack)


def test_provisioned_capacity_must_be_given(lab: Lab, keys: dict[str, str]) -> None:
    """BillingMode PROVISIONED without settings for writes can't be."""
    template = PROVISIONED.replace(
        "      WriteProvisionedThroughputSettings: !If\n        - Provisioned",
        "      WriteProvisionedThroughputSettings: !If\n        - Never",
    ).replace("Resources:\n", "  Never: !Equals [a, b]\nResources:\n")
    stack = make(lab, template, **keys)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "WriteProvisionedThroughputSettings" in reasons(lab, stack)


def test_targets_and_policies_of_their_own(lab: Lab) -> None:
    """The types of Application Auto Scaling are made, changed in place, read back and deleted."""
    make_table(lab, (10, 10))
    stack = make(lab, SCALED)
    assert stack["StackStatus"] == "CREATE_COMPLETE", reasons(lab, stack)
    assert undescribed(lab, READERS) == []
    changed = SCALED.replace("MaxCapacity: 50", "MaxCapacity: 70").replace(
        "TargetValue: 70", "TargetValue: 60"
    )
    changed = changed.replace("ScheduledActionName: morning", "ScheduledActionName: noon")
    assert change(lab, changed)["StackStatus"] == "UPDATE_COMPLETE"
    assert undescribed(lab, READERS) == []
    actions = lab.client(SCALING).describe_scheduled_actions(ServiceNamespace="dynamodb")["ScheduledActions"]
    assert [one["ScheduledActionName"] for one in actions] == ["noon"]
    assert delete(lab)["StackStatus"] == "DELETE_COMPLETE"
    assert scaled(lab, EAST) == {}


@pytest.mark.parametrize("mode", ["PROVISIONED", "PAY_PER_REQUEST"])
def test_the_systems_own_table(lab: Lab, keys: dict[str, str], mode: str) -> None:
    """The template that is deployed, in both capacity modes."""
    template = (files("infra") / "stacks" / "table.yaml").read_text(encoding="utf-8")
    parameters = {"Project": "shop", "PeerRegion": WEST, "KeyArn": keys["Key"], "PeerKeyArn": keys["PeerKey"]}
    stack = make(lab, template, **parameters, BillingMode=mode)
    assert stack["StackStatus"] == "CREATE_COMPLETE", reasons(lab, stack)
    assert undescribed(lab, READERS) == []
