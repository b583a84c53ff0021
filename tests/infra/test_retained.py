"""What stacks leave behind: found in CloudFormation's records, and deleted by each service's own calls."""

from collections.abc import Iterator

import pytest

from drill.errors import UsageError
from infra import data_removal, leftovers, retained, stack_changes
from infra.deploy import preview
from infra.kept import KEY, SNAPSHOT, TABLE, Kept, there
from infra.stack_events import Watch
from infra.stack_model import Stack
from tests.infra.deploylab import CONFIG, ONE, quick_control_plane, stack_names
from tests.infra.lab.planelab import EAST, WEST, Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with quick_control_plane() as made:
        yield made


def keys(lab: Lab) -> dict[str, str]:
    """Deploy the system's keys; returns their ARNs by region."""
    return {region: put(lab, "keys", region)["KeyArn"] for region in (EAST, WEST)}


def put(lab: Lab, template: str, region: str, **parameters: str) -> dict[str, str]:
    """Deploy one of the system's stacks."""
    given = {"Project": CONFIG.name, **parameters}
    stack = Stack(f"{CONFIG.name}-{template}", region, f"{template}.yaml", given, {})
    watch = Watch()
    return stack_changes.apply(lab.aws.client, stack_changes.prepare(lab.aws.client, stack, watch), watch)


def table(lab: Lab, protect: str = "false") -> None:
    """Deploy the system's table with its keys."""
    arns = keys(lab)
    put(lab, "table", EAST, PeerRegion=WEST, KeyArn=arns[EAST], PeerKeyArn=arns[WEST], ProtectData=protect)


def take_down(lab: Lab) -> None:
    """Delete the stacks that are there."""
    for region, template in ((EAST, "table"), (EAST, "backup-vault"), (EAST, "keys"), (WEST, "keys")):
        stack_changes.delete(lab.aws.client, region, f"{CONFIG.name}-{template}", Watch())


def removed(lab: Lab) -> list[str]:
    """Delete for good what is kept; returns the lines told."""
    found = sorted(retained.left_behind(lab.aws.client, CONFIG), key=data_removal.order)
    return [line for item in found for line in data_removal.remove(lab.aws.client, CONFIG, item)]


def test_nothing_is_kept_of_nothing(lab: Lab) -> None:
    """An empty account has nothing left behind, and nothing in the way."""
    assert retained.left_behind(lab.aws.client, CONFIG) == ()
    assert leftovers.in_the_way(lab.aws.client, CONFIG) == ()


def test_what_a_live_stack_has_is_not_left_behind(lab: Lab) -> None:
    """Only what was skipped by a deletion counts."""
    keys(lab)
    assert retained.left_behind(lab.aws.client, CONFIG) == ()


def test_a_protected_table_goes_from_both_regions(lab: Lab) -> None:
    """A retained table is found by its deleted stack, unprotected, and deleted as its replicas."""
    table(lab, protect="true")
    take_down(lab)
    kinds = [item.resource_type for item in retained.left_behind(lab.aws.client, CONFIG)]
    assert sorted(kinds) == ["AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::KMS::Key"]

    lines = removed(lab)

    assert lines[:2] == ["deleted table shop-orders in us-west-2", "deleted table shop-orders in us-east-1"]
    assert [line.split(":")[0].split()[:2] for line in lines[2:]] == [["stays", "until"]] * 2
    assert lab.now.tables == ()
    assert removed(lab)[:1] == lines[2:3]


def test_a_key_goes_later_and_says_when(lab: Lab) -> None:
    """KMS waits for a week; the line names the day and how to keep the key."""
    arns = keys(lab)
    take_down(lab)
    line = removed(lab)[0]
    key = lab.client("kms").describe_key(KeyId=arns[EAST])["KeyMetadata"]
    assert key["KeyState"] == "PendingDeletion"
    assert line.startswith(f"stays until {key['DeletionDate']:%Y-%m-%d}: key ")
    assert "keep it with: aws kms cancel-key-deletion --region us-east-1 --key-id " in line
    assert not any(
        there(lab.aws.client, CONFIG, item) for item in retained.left_behind(lab.aws.client, CONFIG)
    )


def test_what_is_left_of_a_vault_is_in_the_way(lab: Lab) -> None:
    """A new system can't be made while an old one's vault has its name; that is said before anything is."""
    arns = keys(lab)
    put(lab, "backup-vault", EAST, KeyArn=arns[EAST])
    assert leftovers.in_the_way(lab.aws.client, CONFIG) == ()
    take_down(lab)
    assert leftovers.in_the_way(lab.aws.client, CONFIG) == (Kept(EAST, "AWS::Backup::BackupVault", "shop"),)
    command = "drill infra destroy --delete-data shop$"
    with pytest.raises(UsageError, match=rf"left its data behind \(.*shop in us-east-1\); .*{command}"):
        preview(lab.aws.client, CONFIG, ONE)
    assert stack_names(lab) == []

    assert "deleted backup vault shop in us-east-1 with 0 recovery points" in removed(lab)
    assert leftovers.in_the_way(lab.aws.client, CONFIG) == ()


def test_a_kind_that_is_not_known_stays_and_is_said(lab: Lab) -> None:
    """What this program can't delete is named and left."""
    item = Kept(EAST, "AWS::EC2::Volume", "vol-1")
    (line,) = data_removal.remove(lab.aws.client, CONFIG, item)
    assert line.startswith("stays: AWS::EC2::Volume vol-1 in us-east-1: delete it by hand")


@pytest.mark.parametrize(
    "item",
    [
        Kept(EAST, "AWS::DynamoDB::GlobalTable", "none"),
        Kept(EAST, "AWS::Backup::BackupVault", "none"),
        Kept(EAST, "AWS::SecretsManager::Secret", "none"),
        Kept(EAST, "AWS::RDS::DBCluster", "none"),
        Kept(EAST, "AWS::RDS::GlobalCluster", "none"),
        Kept(EAST, SNAPSHOT, "none"),
    ],
)
def test_what_is_gone_is_left_so(lab: Lab, item: Kept) -> None:
    """Deleting what is not there says nothing and is no error."""
    assert list(data_removal.remove(lab.aws.client, CONFIG, item)) == []


def test_a_replicated_secret_goes_at_once(lab: Lab) -> None:
    """A retained secret goes with its replicas, without a recovery window."""
    secrets = lab.client("secretsmanager")
    arn = secrets.create_secret(Name="login", SecretString="x", AddReplicaRegions=[{"Region": WEST}])["ARN"]
    item = Kept(EAST, "AWS::SecretsManager::Secret", arn)
    (line,) = data_removal.remove(lab.aws.client, CONFIG, item)
    assert line == f"deleted secret {arn} without a recovery window"
    assert not there(lab.aws.client, CONFIG, item)
    assert lab.client("secretsmanager", WEST).list_secrets()["SecretList"] == []


def test_only_cloudformations_own_snapshots_may_go(lab: Lab) -> None:
    """A final snapshot is the system's; one that somebody took of the same cluster stays and is named."""
    rds = lab.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="shop-primary",
        Engine="aurora-postgresql",
        MasterUsername="u",
        MasterUserPassword="a-long-password",
    )
    rds.get_waiter("db_cluster_available").wait(
        DBClusterIdentifier="shop-primary", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    final, own = "shop-data-snapshot-cluster-1k2j3h4g5f6d", "before-the-big-change"
    for name in (final, own):
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier="shop-primary")
        rds.get_waiter("db_cluster_snapshot_available").wait(
            DBClusterSnapshotIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )

    lines = removed(lab)

    assert f"deleted cluster snapshot {final} in us-east-1" in lines
    (stays,) = [line for line in lines if line.startswith("stays")]
    assert stays.startswith(f"stays: {SNAPSHOT} {own} in us-east-1: CloudFormation did not take it")
    left = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert [snapshot["DBClusterSnapshotIdentifier"] for snapshot in left] == [own]


def test_what_cloudformation_has_forgotten_is_found_by_name_and_tag(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 90 days a deleted stack has no events; table, vault and keys are found without them."""
    table(lab)
    put(lab, "backup-vault", EAST, KeyArn=keys(lab)[EAST])
    take_down(lab)
    recorded = retained.left_behind(lab.aws.client, CONFIG)
    monkeypatch.setattr(retained, "_events", lambda *_: iter(()))
    assert retained.left_behind(lab.aws.client, CONFIG) == recorded
    assert {item.resource_type for item in recorded} >= {KEY, TABLE, "AWS::Backup::BackupVault"}


def test_another_ones_table_is_in_the_way_and_stays(lab: Lab) -> None:
    """A table of the same name without the system's tags is never deleted; another name is asked for."""
    lab.client("dynamodb").create_table(
        TableName="shop-orders",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(UsageError, match=r"taken .*shop-orders.* choose another name in the system file"):
        preview(lab.aws.client, CONFIG, ONE)
    (line,) = removed(lab)
    assert line.startswith("stays: AWS::DynamoDB::GlobalTable shop-orders in us-east-1: it does not carry")
    assert lab.client("dynamodb").list_tables()["TableNames"] == ["shop-orders"]
