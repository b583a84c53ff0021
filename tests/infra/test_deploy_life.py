"""A system from its deployment through changes to its end: each step leaves what it must and no more."""

from collections.abc import Iterator

import pytest

from drill.errors import UsageError
from drill.target import Target
from infra import deploy_status, stack_changes
from infra.deploy import deploy
from infra.deploy_preview import Preview
from infra.destroy import destroy
from infra.stack_events import Watch
from tests.infra.deploylab import CONFIG, ONE, TWO, quick_control_plane, stack_names
from tests.infra.lab.planelab import EAST, WEST, Lab

pytestmark = pytest.mark.slow

KEPT = CONFIG.changed(protect_data=True)


@pytest.fixture
def shop() -> Iterator[tuple[Lab, Target]]:
    """Give a system whose data is protected."""
    with quick_control_plane() as lab:
        yield lab, deploy(lab.aws.client, KEPT, ONE)


def left(lab: Lab) -> dict[str, int]:
    """Return how much is there, by kind."""
    now = lab.now
    counts = {
        "vpcs": len(now.vpcs),
        "clusters": len(now.clusters),
        "functions": len(now.functions),
        "health checks": len(now.health_checks),
        "records": len(now.records),
        "tables": len(now.tables),
        "buckets": len(lab.client("s3").list_buckets()["Buckets"]),
        "roles": len(lab.client("iam").list_roles()["Roles"]),
        "budgets": len(lab.client("budgets").describe_budgets(AccountId="123456789012").get("Budgets", ())),
    }
    for region in (EAST, WEST):
        counts[f"alarms {region}"] = len(lab.client("cloudwatch", region).describe_alarms()["MetricAlarms"])
        counts[f"secrets {region}"] = len(lab.client("secretsmanager", region).list_secrets()["SecretList"])
        counts[f"queues {region}"] = len(lab.client("sqs", region).list_queues().get("QueueUrls", ()))
        counts[f"logs {region}"] = len(lab.client("logs", region).describe_log_groups()["logGroups"])
        vaults = lab.client("backup", region).list_backup_vaults()["BackupVaultList"]
        counts[f"vaults {region}"] = len(vaults)
        snapshots = lab.client("rds", region).describe_db_cluster_snapshots()["DBClusterSnapshots"]
        counts[f"snapshots {region}"] = len(snapshots)
    return {name: count for name, count in counts.items() if count}


def test_other_code_makes_another_version(shop: tuple[Lab, Target]) -> None:
    """The aliases move on to the new version; network, data and names stay."""
    lab, first = shop
    before = lab.now
    lines: list[str] = []
    assert deploy(lab.aws.client, KEPT, TWO, Watch(lines.append)) == first
    after = lab.now
    for region in (first.primary, first.standby):
        alias = lab.client("lambda", region.name).get_alias(FunctionName=region.function_name, Name="live")
        config = lab.client("lambda", region.name).get_function_configuration(
            FunctionName=region.function_name, Qualifier=alias["FunctionVersion"]
        )
        assert config["CodeSha256"] == TWO.sha256
    assert (after.vpcs, after.clusters, after.records) == (before.vpcs, before.clusters, before.records)
    assert any("UPDATE_COMPLETE" in line and "shop-app" in line for line in lines)
    assert not any("shop-network" in line for line in lines)


def test_data_that_would_be_lost_later_is_asked_about_again(shop: tuple[Lab, Target]) -> None:
    """A key that is made anew would replace the cluster, which is seen only then, and can be refused."""
    lab, target = shop
    stack_changes.delete(lab.aws.client, EAST, "shop-keys", Watch())
    asked: list[Preview] = []

    def careful(shown: Preview) -> None:
        asked.append(shown)
        if shown.losses:
            msg = "no"
            raise UsageError(msg)

    with pytest.raises(UsageError, match="no"):
        deploy(lab.aws.client, KEPT, ONE, approve=careful)
    first, second = asked
    assert first.losses == ()
    assert "perhaps changed shop-data in us-east-1" in "\n".join(first.lines())
    assert [loss for loss in second.losses if loss.startswith("Cluster (AWS::RDS::DBCluster)")]
    assert [item.id for item in lab.now.clusters] == [target.primary.cluster_id]
    assert {stack.state.status for stack in deploy_status.statuses(lab.aws.client, KEPT) if stack.state} == {
        "CREATE_COMPLETE"
    }


def test_protected_data_stays_until_its_name_is_typed(shop: tuple[Lab, Target]) -> None:
    """Without the name, or with a wrong one, nothing is touched; with it, everything goes."""
    lab, _ = shop
    before = lab.now
    with pytest.raises(UsageError, match=r"protected \(.*cluster .*drill infra destroy --delete-data shop$"):
        destroy(lab.aws.client, KEPT)
    with pytest.raises(UsageError, match="--delete-data ship is not this system's name"):
        destroy(lab.aws.client, KEPT, "ship")
    assert lab.now == before

    lines: list[str] = []
    for _ in range(2):
        destroy(lab.aws.client, KEPT, "shop", Watch(lines.append))
        assert stack_names(lab) == []
        assert left(lab) == {}
    said = "\n".join(lines)
    for what in ("took the deletion protection off", "deleted stack", "deleted table", "deleted bucket"):
        assert what in said
    assert "deleted cluster snapshot" in said
    assert "stays until" in said
    assert [item.status for item in lab.now.peerings] == ["deleted"]


def test_what_keeps_data_stays_without_the_name() -> None:
    """An unprotected system goes, but table, snapshot, vaults and keys stay, and are named."""
    with quick_control_plane() as lab:
        deploy(lab.aws.client, CONFIG, ONE)
        lines: list[str] = []
        destroy(lab.aws.client, CONFIG, None, Watch(lines.append))
        stays = sorted(line.split()[1] for line in lines if line.startswith("stays: "))
        assert stays == [
            "AWS::Backup::BackupVault",
            "AWS::Backup::BackupVault",
            "AWS::DynamoDB::GlobalTable",
            "AWS::KMS::Key",
            "AWS::KMS::Key",
            "AWS::RDS::DBClusterSnapshot",
        ]
        assert left(lab) == {
            "tables": 2,
            "vaults us-east-1": 1,
            "vaults us-west-2": 1,
            "snapshots us-east-1": 1,
        }


def test_the_state_of_every_stack_is_known(shop: tuple[Lab, Target]) -> None:
    """Complete stacks have outputs; a missing one is told from the others."""
    lab, target = shop
    found = deploy_status.statuses(lab.aws.client, KEPT)
    assert all(each.complete for each in found)
    given = deploy_status.outputs(found)
    assert given[EAST]["shop-app"]["FunctionName"] == target.primary.function_name
    stack_changes.delete(lab.aws.client, EAST, "shop-dashboard", Watch())
    missing = [each for each in deploy_status.statuses(lab.aws.client, KEPT) if not each.complete]
    assert [(each.name, each.region, each.state) for each in missing] == [("shop-dashboard", EAST, None)]
