"""The deletion protection of what keeps data in a deployed system: who has it, and taking it off."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra import stack_states
from infra.deploy_config import DeployConfig
from infra.deploy_stacks import Part, waves
from infra.stack_states import ClientFactory


@dataclass(frozen=True, slots=True)
class Protected:
    """A resource that refuses to be deleted.

    Attributes:
        kind: ``cluster``, ``global cluster`` or ``table``.
        name: What its service calls it.
        region: Where it is.

    """

    kind: str
    name: str
    region: str

    def __str__(self) -> str:
        """Return how messages name it."""
        return f"{self.kind} {self.name} in {self.region}"


def protected(client_of: ClientFactory, config: DeployConfig) -> tuple[Protected, ...]:
    """Return what is protected, as the services themselves say."""
    parts = [part for wave in waves(config) for part in wave if part.template in {"data", "table"}]
    return tuple(found for part in parts for found in _of_stack(client_of, config, part))


def take_off(client_of: ClientFactory, found: Protected) -> None:
    """Let a resource be deleted, and wait until it may be."""
    if found.kind == "table":
        dynamodb = client_of("dynamodb", found.region)
        dynamodb.update_table(TableName=found.name, DeletionProtectionEnabled=False)
        stack_states.wait(
            lambda: dynamodb.describe_table(TableName=found.name)["Table"]["TableStatus"],
            lambda status: status == "UPDATING",
            str(found),
        )
        return
    rds = client_of("rds", found.region)
    if found.kind == "cluster":
        rds.modify_db_cluster(DBClusterIdentifier=found.name, DeletionProtection=False, ApplyImmediately=True)
    else:
        rds.modify_global_cluster(GlobalClusterIdentifier=found.name, DeletionProtection=False)


def _of_stack(client_of: ClientFactory, config: DeployConfig, part: Part) -> Iterator[Protected]:
    client = client_of("cloudformation", part.region)
    name = part.stack_name(config.name)
    if stack_states.state_of(client, name) is None:
        return
    for page in client.get_paginator("list_stack_resources").paginate(StackName=name):
        for resource in page["StackResourceSummaries"]:
            physical_id = resource.get("PhysicalResourceId")
            if physical_id:
                yield from _of_resource(client_of, config, part.region, resource["ResourceType"], physical_id)


def _of_resource(
    client_of: ClientFactory, config: DeployConfig, region: str, kind: str, name: str
) -> Iterator[Protected]:
    try:
        if kind == "AWS::RDS::DBCluster":
            found = client_of("rds", region).describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
            if found.get("DeletionProtection"):
                yield Protected("cluster", name, region)
        elif kind == "AWS::RDS::GlobalCluster":
            rds = client_of("rds", region)
            if rds.describe_global_clusters(GlobalClusterIdentifier=name)["GlobalClusters"][0].get(
                "DeletionProtection"
            ):
                yield Protected("global cluster", name, region)
        elif kind == "AWS::DynamoDB::GlobalTable":
            yield from _of_table(client_of, config, name)
    except ClientError as problem:
        if "NotFound" not in problem.response["Error"]["Code"]:
            raise


def _of_table(client_of: ClientFactory, config: DeployConfig, name: str) -> Iterator[Protected]:
    for region in config.regions:
        table: dict[str, Any] = client_of("dynamodb", region).describe_table(TableName=name)["Table"]
        if table.get("DeletionProtectionEnabled"):
            yield Protected("table", name, region)
