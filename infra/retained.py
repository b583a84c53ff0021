"""What a system's stacks leave behind when they are deleted, found in CloudFormation's own records.

CloudFormation keeps the events of deleted stacks for 90 days, see
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html. What a
stack retained is there as ``DELETE_SKIPPED``; a cluster leaves its final snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra import stack_events
from infra.deploy_config import DeployConfig
from infra.deploy_stacks import waves
from infra.stack_events import StackEvent
from infra.stack_states import ClientFactory, state_of

CLUSTER = "AWS::RDS::DBCluster"
SNAPSHOT = "AWS::RDS::DBClusterSnapshot"


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """Something that outlives its stack.

    Attributes:
        region: Where it is.
        resource_type: As CloudFormation calls it.
        physical_id: What it is called in its service.

    """

    region: str
    resource_type: str
    physical_id: str

    def __str__(self) -> str:
        """Return how messages name it."""
        return f"{self.resource_type} {self.physical_id} in {self.region}"


def kept(client_of: ClientFactory, config: DeployConfig) -> tuple[Kept, ...]:
    """Return what the system's stacks left behind, in a fixed order; some of it may be gone since."""
    found: set[Kept] = set()
    clusters: set[str] = set()
    for region in config.regions:
        for event in _events(client_of("cloudformation", region), _names(config, region)):
            if event.resource_type == CLUSTER and event.physical_id:
                clusters.add(event.physical_id)
            if event.status == stack_events.SKIPPED and event.physical_id:
                found.add(Kept(region, event.resource_type, event.physical_id))
    for region in config.regions:
        rds = client_of("rds", region)
        found |= {
            Kept(region, SNAPSHOT, name) for cluster in sorted(clusters) for name in _snapshots(rds, cluster)
        }
    return tuple(sorted(found))


def there(client_of: ClientFactory, config: DeployConfig, item: Kept) -> bool:
    """Say whether something that a stack left behind is still there, and not on its way out."""
    look = _LOOKS.get(item.resource_type)
    if look is None:
        return True
    service, method, argument = look
    for region in {item.region, *(config.regions if service == "dynamodb" else ())}:
        try:
            found = getattr(client_of(service, region), method)(**{argument: item.physical_id})
        except ClientError as problem:
            if not is_gone(problem):
                raise
        else:
            return bool(found.get("KeyMetadata", {}).get("KeyState") != "PendingDeletion")
    return False


def in_the_way(client_of: ClientFactory, config: DeployConfig) -> tuple[Kept, ...]:
    """Return what an earlier system of this name left behind whose names a new one needs."""
    missing = {
        (part.template, part.region)
        for wave in waves(config)
        for part in wave
        if part.template in _FIXED_NAMES.values()
        and state_of(client_of("cloudformation", part.region), part.stack_name(config.name)) is None
    }
    if not missing:
        return ()
    return tuple(
        item
        for item in kept(client_of, config)
        if (_FIXED_NAMES.get(item.resource_type), item.region) in missing and there(client_of, config, item)
    )


def is_gone(problem: ClientError) -> bool:
    """Say whether a service answered that there is no such thing."""
    return any(word in problem.response["Error"]["Code"] for word in ("NotFound", "NoSuch", "DoesNotExist"))


# What has the same name in every deployment, and the template that makes it.
_FIXED_NAMES = {"AWS::Backup::BackupVault": "backup-vault", "AWS::DynamoDB::GlobalTable": "table"}

# By type: the service, its call, and the argument that names one.
_LOOKS = {
    "AWS::Backup::BackupVault": ("backup", "describe_backup_vault", "BackupVaultName"),
    "AWS::DynamoDB::GlobalTable": ("dynamodb", "describe_table", "TableName"),
    "AWS::KMS::Key": ("kms", "describe_key", "KeyId"),
    CLUSTER: ("rds", "describe_db_clusters", "DBClusterIdentifier"),
    "AWS::RDS::GlobalCluster": ("rds", "describe_global_clusters", "GlobalClusterIdentifier"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "describe_secret", "SecretId"),
}


def _names(config: DeployConfig, region: str) -> set[str]:
    parts = [part for wave in waves(config) for part in wave]
    return {part.stack_name(config.name) for part in parts if part.region == region}


def _events(client: Any, names: set[str]) -> Iterator[StackEvent]:  # noqa: ANN401 (boto3 clients have no static type)
    """Yield the events of every stack of these names, deleted ones too."""
    for page in client.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            if stack["StackName"] in names:
                yield from stack_events.since(client, stack["StackId"], "")


def _snapshots(rds: Any, cluster_id: str) -> Iterator[str]:  # noqa: ANN401
    pages = rds.get_paginator("describe_db_cluster_snapshots").paginate(
        DBClusterIdentifier=cluster_id, SnapshotType="manual"
    )
    try:
        for page in pages:
            yield from (item["DBClusterSnapshotIdentifier"] for item in page["DBClusterSnapshots"])
    except ClientError as problem:
        if not is_gone(problem):
            raise
