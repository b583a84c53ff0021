"""UpdateTable: when it is in force, what all replicas share, and what is refused."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from infra.lab.control_plane import experiments, table_updates
from infra.lab.control_plane.decreases import CapacityHistory
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.table_settings import settings_of
from tests.infra.lab.capacitylab import (
    INDEX,
    TABLE,
    capacity_lab,
    capacity_of,
    described,
    emptied,
    item,
    make_table,
    refusal,
    settled,
    units,
)
from tests.infra.lab.planelab import EAST, WEST, Lab
from tests.infra.lab.tablelab import template

SLOW_S = 2.0


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """Give a control plane on which updates take no time to speak of."""
    with capacity_lab(1 / 3000) as made:
        made.client("iam").create_role(RoleName="fis", AssumeRolePolicyDocument="{}")
        yield made


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """Give an empty account."""
    return emptied(shared)


@pytest.fixture
def slow() -> Iterator[None]:
    """Have updates take some seconds, so that one can be watched."""
    table_updates.install(SLOW_S / table_updates.UPDATE_S, experiments.is_paused, lambda: None)
    yield
    table_updates.install(1 / 3000, experiments.is_paused, lambda: None)


def _update(lab: Lab, region: str = EAST, **request: Any) -> dict[str, Any]:
    """Update the table and wait until it is done everywhere; return the answer."""
    answer: dict[str, Any] = lab.client("dynamodb", region).update_table(TableName=TABLE, **request)
    regions = [one["RegionName"] for one in described(lab, region).get("Replicas", ())]
    settled(lab, region, *regions)
    return answer["TableDescription"]  # type: ignore[no-any-return]


def _index(reads: int, writes: int) -> dict[str, Any]:
    return {"IndexName": INDEX, "ProvisionedThroughput": units(reads, writes)}


@pytest.mark.usefixtures("slow")
def test_an_update_takes_its_time(lab: Lab) -> None:
    """The table shows UPDATING with the old capacity, then ACTIVE with the new one."""
    client = make_table(lab, (10, 10), (10, 10))
    began_s = time.monotonic()
    answer = client.update_table(TableName=TABLE, ProvisionedThroughput=units(20, 30))["TableDescription"]
    assert answer["TableStatus"] == "UPDATING"
    assert answer["ProvisionedThroughput"]["WriteCapacityUnits"] == 10
    assert capacity_of(lab) == (10, 10)
    settled(lab)
    assert time.monotonic() - began_s >= SLOW_S
    assert capacity_of(lab) == (20, 30)
    shown = described(lab)["ProvisionedThroughput"]
    assert shown["NumberOfDecreasesToday"] == 0
    assert abs(shown["LastIncreaseDateTime"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert "LastDecreaseDateTime" not in shown


def test_the_new_capacity_is_in_force_then(lab: Lab) -> None:
    """The physics and the buckets have it when the table is active again."""
    make_table(lab, (10, 10), (10, 10))
    _update(lab, ProvisionedThroughput=units(10, 500))
    (seen,) = lab.now.tables
    assert (seen.status, seen.write_capacity, seen.indexes[0].write_capacity) == ("ACTIVE", 500, 10)
    time.sleep(0.3)
    client = lab.client("dynamodb")
    for number in range(100):
        client.put_item(TableName=TABLE, Item=item(str(number)))


@pytest.mark.usefixtures("slow")
def test_a_second_update_meanwhile_is_refused(lab: Lab) -> None:
    """In every region, and the table can't be deleted then either."""
    client = make_table(lab, (10, 10), replica=True)
    client.update_table(TableName=TABLE, ProvisionedThroughput=units(10, 20))
    west = lab.client("dynamodb", WEST)
    for act in (
        lambda: client.update_table(TableName=TABLE, ProvisionedThroughput=units(10, 30)),
        lambda: west.update_table(TableName=TABLE, DeletionProtectionEnabled=True),
        lambda: west.delete_table(TableName=TABLE),
    ):
        assert refusal(act)["Error"]["Code"] == "ResourceInUseException"
    settled(lab, EAST, WEST)


@pytest.mark.usefixtures("slow")
def test_a_failed_transaction_loses_no_update(lab: Lab) -> None:
    """Moto puts a copy of the table in its place: the update still comes into force."""
    client = make_table(lab, (500, 500))
    client.update_table(TableName=TABLE, ProvisionedThroughput=units(500, 600))
    refused = {"TableName": TABLE, "Item": item("1"), "ConditionExpression": "attribute_exists(customer)"}
    refusal(lambda: client.transact_write_items(TransactItems=[{"Put": refused}]))
    settled(lab)
    assert capacity_of(lab) == (500, 600)


def test_write_capacity_is_the_same_in_all_replicas(lab: Lab) -> None:
    """Of the table and of its index, whichever region changes it."""
    make_table(lab, (10, 10), (10, 10), replica=True)
    _update(lab, WEST, ProvisionedThroughput=units(10, 40))
    _update(lab, EAST, GlobalSecondaryIndexUpdates=[{"Update": _index(10, 50)}])
    for region in (EAST, WEST):
        assert capacity_of(lab, region) == (10, 40)
        assert capacity_of(lab, region, INDEX) == (10, 50)


def test_a_replica_may_have_reads_of_its_own(lab: Lab) -> None:
    """Until the reads are changed in another region: then they are the same everywhere again."""
    make_table(lab, (10, 10), (10, 10), replica=True)
    override = {"ProvisionedThroughputOverride": {"ReadCapacityUnits": 77}}
    own = {"RegionName": WEST, **override, "GlobalSecondaryIndexes": [{"IndexName": INDEX, **override}]}
    _update(lab, ReplicaUpdates=[{"Update": own}])
    assert (capacity_of(lab, EAST), capacity_of(lab, WEST)) == ((10, 10), (77, 10))
    assert capacity_of(lab, WEST, INDEX) == (77, 10)
    (shown,) = described(lab)["Replicas"]
    assert shown["ProvisionedThroughputOverride"] == {"ReadCapacityUnits": 77}
    assert shown["GlobalSecondaryIndexes"] == [{"IndexName": INDEX, **override}]
    _update(lab, ProvisionedThroughput=units(10, 20))
    assert capacity_of(lab, WEST) == (77, 20)
    _update(lab, ProvisionedThroughput=units(30, 20))
    assert capacity_of(lab, WEST) == (30, 20)
    assert "ProvisionedThroughputOverride" not in described(lab)["Replicas"][0]


def test_the_capacity_mode_is_the_same_in_all_replicas(lab: Lab) -> None:
    """On-demand shows no units; the way back needs those of the table and of each index."""
    make_table(lab, (10, 10), (10, 10), replica=True)
    _update(lab, BillingMode="PAY_PER_REQUEST")
    for region in (EAST, WEST):
        assert described(lab, region)["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert "LastUpdateToPayPerRequestDateTime" in described(lab, region)["BillingModeSummary"]
        assert capacity_of(lab, region) == capacity_of(lab, region, INDEX) == (0, 0)
    client = lab.client("dynamodb")
    back: dict[str, Any] = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 6)}
    assert "must both" in refusal(lambda: client.update_table(TableName=TABLE, **back))["Error"]["Message"]
    _update(lab, **back, GlobalSecondaryIndexUpdates=[{"Update": _index(7, 8)}])
    for region in (EAST, WEST):
        assert (capacity_of(lab, region), capacity_of(lab, region, INDEX)) == ((5, 6), (7, 8))


def test_on_demand_maxima(lab: Lab) -> None:
    """Writes are limited alike everywhere, reads perhaps for one replica alone; -1 leaves no trace."""
    make_table(lab, on_demand=True, index=(1, 1), replica=True)
    _update(lab, OnDemandThroughput={"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20})
    own = {"RegionName": WEST, "OnDemandThroughputOverride": {"MaxReadRequestUnits": 99}}
    _update(lab, ReplicaUpdates=[{"Update": own}])
    assert described(lab)["OnDemandThroughput"] == {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20}
    assert described(lab, WEST)["OnDemandThroughput"]["MaxReadRequestUnits"] == 99
    assert described(lab, WEST)["OnDemandThroughput"]["MaxWriteRequestUnits"] == 20
    _update(lab, OnDemandThroughput={"MaxWriteRequestUnits": -1})
    assert described(lab)["OnDemandThroughput"] == {"MaxReadRequestUnits": 10}
    assert described(lab, WEST)["OnDemandThroughput"] == {"MaxReadRequestUnits": 99}
    _update(lab, OnDemandThroughput={"MaxReadRequestUnits": -1})
    assert "OnDemandThroughput" not in described(lab)


@pytest.mark.usefixtures("slow")
def test_indexes_come_and_go_in_all_replicas(lab: Lab) -> None:
    """A new index is CREATING before it is ACTIVE; a deleted one is DELETING until it is gone."""
    client = make_table(lab, (10, 10), replica=True)
    definitions = [{"AttributeName": name, "AttributeType": "S"} for name in ("customer", "token", INDEX)]
    new = {
        **_index(5, 6),
        "KeySchema": [{"AttributeName": INDEX, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    client.update_table(
        TableName=TABLE,
        AttributeDefinitions=definitions,
        GlobalSecondaryIndexUpdates=[{"Create": new}],
    )
    assert described(lab)["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    settled(lab, EAST, WEST)
    for region in (EAST, WEST):
        assert described(lab, region)["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
        assert capacity_of(lab, region, INDEX) == (5, 6)
    client.update_table(TableName=TABLE, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": INDEX}}])
    assert described(lab)["GlobalSecondaryIndexes"][0]["IndexStatus"] == "DELETING"
    settled(lab, EAST, WEST)
    assert all("GlobalSecondaryIndexes" not in described(lab, region) for region in (EAST, WEST))


def test_what_is_each_replicas_own_stays_so(lab: Lab) -> None:
    """Table class, protection and tags are not shared; time to live is."""
    client = make_table(lab, (10, 10), replica=True)
    _update(lab, TableClass="STANDARD_INFREQUENT_ACCESS")
    _update(lab, DeletionProtectionEnabled=True)
    client.update_time_to_live(
        TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    assert described(lab)["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert described(lab)["DeletionProtectionEnabled"] is True
    assert "TableClassSummary" not in described(lab, WEST)
    assert described(lab, WEST)["DeletionProtectionEnabled"] is False
    live = lab.client("dynamodb", WEST).describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert live == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


@pytest.mark.parametrize(
    ("request_", "code", "why"),
    [
        ({}, "ValidationException", "At least one of"),
        ({"ProvisionedThroughput": units(10, 10)}, "ValidationException", "will not change"),
        (
            {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "none"}}]},
            "ValidationException",
            "does not have the specified index",
        ),
        ({"OnDemandThroughput": {"MaxReadRequestUnits": 5}}, "ValidationException", "OnDemandThroughput"),
        (
            {"ReplicaUpdates": [{"Update": {"RegionName": "eu-west-1", "TableClassOverride": "STANDARD"}}]},
            "ValidationException",
            "was not found",
        ),
        (
            {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/none"}},
            "ValidationException",
            "KMS key",
        ),
    ],
)
def test_refusals(lab: Lab, request_: dict[str, Any], code: str, why: str) -> None:
    """An update that asks for nothing, for what is there, or for what can't be; nothing changes."""
    client = make_table(lab, (10, 10), (10, 10))
    before = described(lab)
    error = refusal(lambda: client.update_table(TableName=TABLE, **request_))["Error"]
    assert error["Code"] == code
    assert why in error["Message"]
    assert described(lab) == before


def test_a_provisioned_table_becomes_global_only_when_its_writes_are_scaled(lab: Lab) -> None:
    """As AWS refuses it: replicas of fixed write capacity could not keep up."""
    client = make_table(lab, (10, 10))
    error = refusal(
        lambda: client.update_table(TableName=TABLE, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    )["Error"]
    assert "Pay-Per-Request or AutoScaled" in error["Message"]


def test_the_fifth_decrease_of_an_hour_is_refused(lab: Lab) -> None:
    """Table and index count apart; increases are free; a request over the limit is refused whole."""
    client = make_table(lab, (10, 50), (10, 50), replica=True)
    for writes in (49, 48, 47, 46):
        _update(lab, ProvisionedThroughput=units(10, writes))
    both = {
        "TableName": TABLE,
        "ProvisionedThroughput": units(10, 45),
        "GlobalSecondaryIndexUpdates": [{"Update": _index(10, 40)}],
    }
    error = refusal(lambda: client.update_table(**both))["Error"]
    assert error["Code"] == "LimitExceededException"
    assert "Number of decreases today: 4" in error["Message"]
    for region in (EAST, WEST):
        shown = described(lab, region)["ProvisionedThroughput"]
        assert shown["NumberOfDecreasesToday"] == 4
        assert shown["LastDecreaseDateTime"] is not None
        assert capacity_of(lab, region, INDEX) == (10, 50)
    _update(lab, GlobalSecondaryIndexUpdates=[{"Update": _index(10, 40)}])
    _update(lab, ProvisionedThroughput=units(10, 60))
    assert capacity_of(lab) == (10, 60)


def test_an_hour_later_one_more_is_allowed(lab: Lab) -> None:
    """And the refusal of an index names it."""
    make_table(lab, (10, 50), (10, 50))
    now = datetime.now(UTC)
    if now.hour < 2:
        pytest.skip("two hours ago was yesterday, which has a quota of its own")
    table = dynamodb_backends[ACCOUNT][EAST].tables[TABLE]
    settings_of(table).history[""] = CapacityHistory(None, (now - timedelta(hours=2),) * 4)
    settings_of(table).history[INDEX] = CapacityHistory(None, (now - timedelta(minutes=1),) * 4)
    _update(lab, ProvisionedThroughput=units(10, 40))
    client = lab.client("dynamodb")
    error = refusal(
        lambda: client.update_table(TableName=TABLE, GlobalSecondaryIndexUpdates=[{"Update": _index(10, 40)}])
    )["Error"]
    assert f"of the index {INDEX}" in error["Message"]


def test_nothing_can_be_updated_while_replication_is_paused(lab: Lab) -> None:
    """An experiment of AWS FIS forbids changes of the table in all its regions, until it ends."""
    experiments.install(0.0, lambda: None)
    make_table(lab, (10, 10), replica=True)
    fis = lab.client("fis")
    made = fis.create_experiment_template(**template(described(lab)["TableArn"]))["experimentTemplate"]
    started = fis.start_experiment(experimentTemplateId=made["id"])["experiment"]["id"]
    for region in (EAST, WEST):
        client = lab.client("dynamodb", region)
        act = partial(client.update_table, TableName=TABLE, ProvisionedThroughput=units(10, 20))
        error = refusal(act)["Error"]
        assert error["Code"] == "ResourceInUseException"
        assert "experiment" in error["Message"]
    fis.stop_experiment(id=started)
    _update(lab, ProvisionedThroughput=units(10, 20))
    assert capacity_of(lab, WEST) == (10, 20)


def test_each_replica_is_encrypted_under_its_own_key(lab: Lab) -> None:
    """Shown by ARN, in its own region and in the other's list of replicas."""
    keys = {region: lab.client("kms", region).create_key()["KeyMetadata"] for region in (EAST, WEST)}
    encrypted = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": keys[EAST]["KeyId"]}
    client = make_table(lab, on_demand=True, SSESpecification=encrypted)
    create = {"RegionName": WEST, "KMSMasterKeyId": keys[WEST]["Arn"]}
    client.update_table(TableName=TABLE, ReplicaUpdates=[{"Create": create}])
    for region in (EAST, WEST):
        assert described(lab, region)["SSEDescription"] == {
            "Status": "ENABLED",
            "SSEType": "KMS",
            "KMSMasterKeyArn": keys[region]["Arn"],
        }
    (shown,) = described(lab)["Replicas"]
    assert shown["KMSMasterKeyId"] == keys[WEST]["Arn"]


def test_contributor_insights(lab: Lab) -> None:
    """They are turned on and off for the table and for each index."""
    client = make_table(lab, (10, 10), (10, 10))
    client.update_contributor_insights(
        TableName=TABLE,
        IndexName=INDEX,
        ContributorInsightsAction="ENABLE",
        ContributorInsightsMode="THROTTLED_KEYS",
    )
    shown = client.describe_contributor_insights(TableName=TABLE, IndexName=INDEX)
    assert (shown["ContributorInsightsStatus"], shown["ContributorInsightsMode"]) == (
        "ENABLED",
        "THROTTLED_KEYS",
    )
    assert client.describe_contributor_insights(TableName=TABLE)["ContributorInsightsStatus"] == "DISABLED"
    listed = client.list_contributor_insights(TableName=TABLE)["ContributorInsightsSummaries"]
    assert [one["IndexName"] for one in listed] == [INDEX]


def test_a_tag_that_is_there_gets_its_new_value(lab: Lab) -> None:
    """It is not added once more."""
    client = make_table(lab, on_demand=True, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
    arn = described(lab)["TableArn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
    tags = client.list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("a", "2"), ("b", "1")]
