"""Something of a system that outlives its stack, and whether it is still there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy_config import DeployConfig
from infra.stack_states import ClientFactory

CLUSTER = "AWS::RDS::DBCluster"
KEY = "AWS::KMS::Key"
SNAPSHOT = "AWS::RDS::DBClusterSnapshot"
TABLE = "AWS::DynamoDB::GlobalTable"
VAULT = "AWS::Backup::BackupVault"


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """Something that outlives its stack.

    Attributes:
        region: Where it is.
        resource_type: As CloudFormation calls it.
        physical_id: What it is called in its service.
        foreign: Why it is not this system's to delete; empty if it is.

    """

    region: str
    resource_type: str
    physical_id: str
    foreign: str = ""

    def __str__(self) -> str:
        """Return how messages name it."""
        return f"{self.resource_type} {self.physical_id} in {self.region}"


def there(client_of: ClientFactory, config: DeployConfig, item: Kept) -> bool:
    """Say whether something that a stack left behind is still there, and not on its way out."""
    if item.resource_type == VAULT:
        return vault_arn(client_of("backup", item.region), item.physical_id) != ""
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


def is_gone(problem: ClientError) -> bool:
    """Say whether a service answered that there is no such thing."""
    return any(word in problem.response["Error"]["Code"] for word in ("NotFound", "NoSuch", "DoesNotExist"))


def vault_arn(backup: Any, name: str) -> str:  # noqa: ANN401 (boto3 clients have no static type)
    """Return the ARN of a backup vault; empty if there is none of that name.

    It is looked for in the list: to who asks for a vault that is not there, AWS Backup says
    ``AccessDeniedException``, as if it were somebody else's; see
    https://github.com/aws/aws-sdk-js/issues/2625
    """
    arns = (vault["BackupVaultArn"] for vault in _vaults(backup) if vault["BackupVaultName"] == name)
    return next(arns, "")


def _vaults(backup: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for page in backup.get_paginator("list_backup_vaults").paginate():
        yield from page["BackupVaultList"]


# By type: the service, its call, and the argument that names one.
_LOOKS = {
    TABLE: ("dynamodb", "describe_table", "TableName"),
    KEY: ("kms", "describe_key", "KeyId"),
    CLUSTER: ("rds", "describe_db_clusters", "DBClusterIdentifier"),
    SNAPSHOT: ("rds", "describe_db_cluster_snapshots", "DBClusterSnapshotIdentifier"),
    "AWS::RDS::GlobalCluster": ("rds", "describe_global_clusters", "GlobalClusterIdentifier"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "describe_secret", "SecretId"),
}
