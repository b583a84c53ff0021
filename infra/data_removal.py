"""Deletes for good what a system's stacks retained: each kind by its own service's calls.

Every function may be called again for something that is half gone.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy_config import DeployConfig
from infra.kept import CLUSTER, KEY, SNAPSHOT, TABLE, VAULT, Kept, is_gone, vault_arn
from infra.stack_states import ClientFactory, wait

# KMS waits for at least so long, see
# https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
_KEY_WAITS_DAYS = 7


def remove(client_of: ClientFactory, config: DeployConfig, item: Kept) -> Iterator[str]:
    """Delete something and yield a line for each thing that went, or that stays and why.

    What is not the system's stays.

    Raises:
        ClientError: Its service refuses.

    """
    known = _BY_TYPE.get(item.resource_type)
    if item.foreign:
        yield f"stays: {item}: {item.foreign}"
        return
    if known is None:
        yield f"stays: {item}: delete it by hand, this command does not know its kind"
        return
    try:
        yield from known(client_of, config, item)
    except ClientError as problem:
        if not is_gone(problem):
            raise


def order(item: Kept) -> int:
    """Return when something goes: what is encrypted before its key, backups before their vault."""
    return list(_BY_TYPE).index(item.resource_type) if item.resource_type in _BY_TYPE else -1


def _table(client_of: ClientFactory, config: DeployConfig, item: Kept) -> Iterator[str]:
    """Delete every replica; the last one first, since the others hang on the one where it was made."""
    for region in reversed(config.regions):
        dynamodb = client_of("dynamodb", region)
        where = f"table {item.physical_id} in {region}"
        _end_scaling(client_of("application-autoscaling", region), item.physical_id)
        try:
            table = dynamodb.describe_table(TableName=item.physical_id)["Table"]
            if table.get("DeletionProtectionEnabled"):
                dynamodb.update_table(TableName=item.physical_id, DeletionProtectionEnabled=False)
                _settle(dynamodb, item.physical_id, where, {"UPDATING"})
            dynamodb.delete_table(TableName=item.physical_id)
        except ClientError as problem:
            if not is_gone(problem):
                raise
            continue
        _settle(dynamodb, item.physical_id, where, {"ACTIVE", "UPDATING", "DELETING"})
        yield f"deleted {where}"


def _end_scaling(scaling: Any, table: str) -> None:  # noqa: ANN401 (boto3 clients have no static type)
    """Take the table and its indexes from auto scaling, which outlives a table that is deleted by its API.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
    """
    for page in scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="dynamodb"):
        for found in page["ScalableTargets"]:
            if found["ResourceId"].split("/")[1] == table:
                scaling.deregister_scalable_target(
                    ServiceNamespace="dynamodb",
                    ResourceId=found["ResourceId"],
                    ScalableDimension=found["ScalableDimension"],
                )


def _settle(dynamodb: Any, name: str, where: str, passing: Container[str]) -> None:  # noqa: ANN401
    """Wait while a table is at something that passes; a table that is gone is at nothing."""
    wait(lambda: _table_status(dynamodb, name), lambda status: status in passing, where)


def _table_status(dynamodb: Any, name: str) -> str:  # noqa: ANN401
    try:
        return str(dynamodb.describe_table(TableName=name)["Table"]["TableStatus"])
    except ClientError as problem:
        if is_gone(problem):
            return ""
        raise


def _vault(client_of: ClientFactory, _config: DeployConfig, item: Kept) -> Iterator[str]:
    """Empty the vault, of what still arrives by a copy too, and delete it."""
    backup = client_of("backup", item.region)
    if not vault_arn(backup, item.physical_id):
        return
    gone: set[str] = set()

    def sweep() -> int:
        points = list(_recovery_points(backup, item.physical_id))
        for point in points:
            if point["Status"] != "DELETING":
                arn = point["RecoveryPointArn"]
                backup.delete_recovery_point(BackupVaultName=item.physical_id, RecoveryPointArn=arn)
                gone.add(arn)
        return len(points)

    wait(sweep, bool, f"the recovery points of vault {item.physical_id} in {item.region}")
    backup.delete_backup_vault(BackupVaultName=item.physical_id)
    yield f"deleted backup vault {item.physical_id} in {item.region} with {len(gone)} recovery points"


def _recovery_points(backup: Any, vault: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    pages = backup.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=vault)
    for page in pages:
        yield from page["RecoveryPoints"]


def _snapshot(client_of: ClientFactory, _config: DeployConfig, item: Kept) -> Iterator[str]:
    rds = client_of("rds", item.region)
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=item.physical_id)
    yield f"deleted cluster snapshot {item.physical_id} in {item.region}"


def _cluster(client_of: ClientFactory, _config: DeployConfig, item: Kept) -> Iterator[str]:
    """Delete a cluster that was replaced by another one, with its instances."""
    rds = client_of("rds", item.region)
    found = rds.describe_db_clusters(DBClusterIdentifier=item.physical_id)["DBClusters"][0]
    rds.modify_db_cluster(
        DBClusterIdentifier=item.physical_id, DeletionProtection=False, ApplyImmediately=True
    )
    for member in found.get("DBClusterMembers", ()):
        rds.delete_db_instance(DBInstanceIdentifier=member["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier=item.physical_id, SkipFinalSnapshot=True)
    yield f"deleted cluster {item.physical_id} in {item.region}"


def _global_cluster(client_of: ClientFactory, _config: DeployConfig, item: Kept) -> Iterator[str]:
    rds = client_of("rds", item.region)
    rds.modify_global_cluster(GlobalClusterIdentifier=item.physical_id, DeletionProtection=False)
    rds.delete_global_cluster(GlobalClusterIdentifier=item.physical_id)
    yield f"deleted global cluster {item.physical_id}"


def _secret(client_of: ClientFactory, _config: DeployConfig, item: Kept) -> Iterator[str]:
    secrets = client_of("secretsmanager", item.region)
    replicas = secrets.describe_secret(SecretId=item.physical_id).get("ReplicationStatus", ())
    if replicas:
        regions = [replica["Region"] for replica in replicas]
        secrets.remove_regions_from_replication(SecretId=item.physical_id, RemoveReplicaRegions=regions)
    secrets.delete_secret(SecretId=item.physical_id, ForceDeleteWithoutRecovery=True)
    yield f"deleted secret {item.physical_id} without a recovery window"


def _key(client_of: ClientFactory, _config: DeployConfig, item: Kept) -> Iterator[str]:
    kms = client_of("kms", item.region)
    key = kms.describe_key(KeyId=item.physical_id)["KeyMetadata"]
    if key["KeyState"] != "PendingDeletion":
        key = kms.schedule_key_deletion(KeyId=item.physical_id, PendingWindowInDays=_KEY_WAITS_DAYS)
    yield (
        f"stays until {key['DeletionDate']:%Y-%m-%d}: key {item.physical_id} in {item.region}, since KMS "
        f"deletes none sooner; keep it with: aws kms cancel-key-deletion --region {item.region} "
        f"--key-id {item.physical_id}"
    )


# In the order in which they go.
_BY_TYPE: Mapping[str, Callable[[ClientFactory, DeployConfig, Kept], Iterator[str]]] = {
    TABLE: _table,
    "AWS::RDS::GlobalCluster": _global_cluster,
    CLUSTER: _cluster,
    SNAPSHOT: _snapshot,
    VAULT: _vault,
    "AWS::SecretsManager::Secret": _secret,
    KEY: _key,
}
