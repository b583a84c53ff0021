"""``AWS::RDS::*``, ``AWS::DynamoDB::GlobalTable``, ``AWS::SecretsManager::Secret``: what keeps data."""

import json
import time
from collections.abc import Callable
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number, truth

AVAILABLE_WITHIN_S = 60.0
_POLL_S = 0.05

_CLUSTER = (
    "Engine",
    "EngineVersion",
    "MasterUsername",
    "MasterUserPassword",
    "DatabaseName",
    "DBSubnetGroupName",
    "VpcSecurityGroupIds",
    "DBClusterParameterGroupName",
    "KmsKeyId",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
)
_CLUSTER_NUMBERS = ("Port", "BackupRetentionPeriod")
_CLUSTER_TRUTHS = ("StorageEncrypted", "DeletionProtection", "CopyTagsToSnapshot")
_CLUSTER_CHANGES = {"MasterUserPassword", "VpcSecurityGroupIds", "PreferredBackupWindow", "EngineVersion"}
_CLUSTER_ATTRIBUTES = frozenset(
    {"Endpoint.Address", "Endpoint.Port", "ReadEndpoint.Address", "DBClusterArn", "DBClusterResourceId"}
)


def _subnet_group(request: Request) -> Made:
    wanted = request.properties
    made = request.client("rds").create_db_subnet_group(
        DBSubnetGroupName=(wanted.get("DBSubnetGroupName") or request.name(255)).lower(),
        DBSubnetGroupDescription=wanted["DBSubnetGroupDescription"],
        SubnetIds=wanted["SubnetIds"],
        Tags=request.tag_list(),
    )
    return Made(made["DBSubnetGroup"]["DBSubnetGroupName"])


def _delete_subnet_group(request: Request, made: Made) -> None:
    request.client("rds").delete_db_subnet_group(DBSubnetGroupName=made.physical_resource_id)


def _cluster(request: Request) -> Made:
    rds, wanted = request.client("rds"), request.properties
    cluster_id = (wanted.get("DBClusterIdentifier") or request.name(63)).lower()
    rds.create_db_cluster(
        DBClusterIdentifier=cluster_id,
        **chosen(wanted, *_CLUSTER),
        **{name: number(wanted[name]) for name in _CLUSTER_NUMBERS if name in wanted},
        **{name: truth(wanted[name]) for name in _CLUSTER_TRUTHS if name in wanted},
        Tags=request.tag_list(),
    )
    return _described_cluster(rds, cluster_id)


def _described_cluster(rds: Any, cluster_id: str) -> Made:
    def status() -> tuple[str, dict[str, Any]]:
        cluster = rds.describe_db_clusters(DBClusterIdentifier=cluster_id)["DBClusters"][0]
        return cluster["Status"], cluster

    cluster = _available(f"DB cluster {cluster_id}", status)
    attributes = {
        "Endpoint.Address": cluster["Endpoint"],
        "Endpoint.Port": str(cluster["Port"]),
        "ReadEndpoint.Address": cluster["ReaderEndpoint"],
        "DBClusterArn": cluster["DBClusterArn"],
        "DBClusterResourceId": cluster["DbClusterResourceId"],
    }
    return Made(cluster_id, attributes)


def _update_cluster(request: Request, made: Made) -> Made | None:
    changed = request.changed() - {"Tags"}
    if changed - _CLUSTER_CHANGES - {"BackupRetentionPeriod", "DeletionProtection"}:
        return None
    wanted = request.properties
    call = chosen(wanted, *(changed & _CLUSTER_CHANGES))
    if "BackupRetentionPeriod" in changed:
        call["BackupRetentionPeriod"] = number(wanted["BackupRetentionPeriod"])
    if "DeletionProtection" in changed:
        call["DeletionProtection"] = truth(wanted["DeletionProtection"])
    if call:
        request.client("rds").modify_db_cluster(
            DBClusterIdentifier=made.physical_resource_id, ApplyImmediately=True, **call
        )
    return made


def _delete_cluster(request: Request, made: Made) -> None:
    cluster_id = made.physical_resource_id
    final = {"SkipFinalSnapshot": True}
    if request.keep == "Snapshot":
        name = f"{cluster_id}-final-{int(time.time())}"
        final = {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": name}  # type: ignore[dict-item]
    request.client("rds").delete_db_cluster(DBClusterIdentifier=cluster_id, **final)


def _available(what: str, status: Callable[[], tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    deadline = time.monotonic() + AVAILABLE_WITHIN_S
    while True:
        shown, found = status()
        if shown == "available":
            return found
        if time.monotonic() > deadline:
            msg = f"{what} is still {shown} after {AVAILABLE_WITHIN_S:.0f} s"
            raise TimeoutError(msg)
        time.sleep(_POLL_S)


def _instance(request: Request) -> Made:
    rds, wanted = request.client("rds"), request.properties
    instance_id = (wanted.get("DBInstanceIdentifier") or request.name(63)).lower()
    call = chosen(
        wanted, "DBInstanceClass", "Engine", "EngineVersion", "DBClusterIdentifier", "AvailabilityZone"
    )
    call |= chosen(wanted, "MasterUsername", "MasterUserPassword", "DBSubnetGroupName", "VPCSecurityGroups")
    if "PubliclyAccessible" in wanted:
        call["PubliclyAccessible"] = truth(wanted["PubliclyAccessible"])
    if "PromotionTier" in wanted:
        call["PromotionTier"] = number(wanted["PromotionTier"])
    if "AllocatedStorage" in wanted:
        call["AllocatedStorage"] = number(wanted["AllocatedStorage"])
    rds.create_db_instance(DBInstanceIdentifier=instance_id, **call, Tags=request.tag_list())

    def status() -> tuple[str, dict[str, Any]]:
        instance = rds.describe_db_instances(DBInstanceIdentifier=instance_id)["DBInstances"][0]
        return instance["DBInstanceStatus"], instance

    instance = _available(f"DB instance {instance_id}", status)
    endpoint = instance.get("Endpoint", {})
    attributes = {"Endpoint.Address": endpoint.get("Address"), "Endpoint.Port": str(endpoint.get("Port"))}
    return Made(instance_id, {**attributes, "DBInstanceArn": instance["DBInstanceArn"]})


def _delete_instance(request: Request, made: Made) -> None:
    request.client("rds").delete_db_instance(
        DBInstanceIdentifier=made.physical_resource_id, SkipFinalSnapshot=True
    )


def _global_table(request: Request) -> Made:
    wanted = request.properties
    replicas = {replica["Region"]: replica for replica in wanted["Replicas"]}
    if request.region not in replicas:
        msg = f"Replicas must include the stack's own region {request.region}"
        raise ValueError(msg)
    name = wanted.get("TableName") or request.name(255)
    call = chosen(wanted, "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    call |= chosen(wanted, "LocalSecondaryIndexes")
    if "StreamSpecification" in wanted:
        call["StreamSpecification"] = {"StreamEnabled": True, **wanted["StreamSpecification"]}
    dynamodb = request.client("dynamodb")
    own_tags = _replica_tags(request, replicas[request.region])
    table = dynamodb.create_table(TableName=name, **call, Tags=own_tags)["TableDescription"]
    for region, replica in replicas.items():
        if region == request.region:
            continue
        dynamodb.update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": region}}])
        elsewhere = request.client("dynamodb", region)
        arn = elsewhere.describe_table(TableName=name)["Table"]["TableArn"]
        if tags := _replica_tags(request, replica):
            elsewhere.tag_resource(ResourceArn=arn, Tags=tags)
    for region, replica in replicas.items():
        _continuous_backups(request.client("dynamodb", region), name, replica)
    named = {"Arn": "TableArn", "TableId": "TableId", "StreamArn": "LatestStreamArn"}
    return Made(name, {shown: table[key] for shown, key in named.items() if key in table})


def _replica_tags(request: Request, replica: dict[str, Any]) -> list[dict[str, str]]:
    own = {tag["Key"]: str(tag["Value"]) for tag in replica.get("Tags", ())}
    return [{"Key": key, "Value": value} for key, value in {**request.tags, **own}.items()]


def _continuous_backups(dynamodb: Any, name: str, replica: dict[str, Any]) -> None:
    wanted = replica.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
    if truth(wanted):
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )


def _delete_global_table(request: Request, made: Made) -> None:
    name = made.physical_resource_id
    others = [item["Region"] for item in request.properties["Replicas"] if item["Region"] != request.region]
    for region in (*others, request.region):
        request.client("dynamodb", region).delete_table(TableName=name)


def _secret(request: Request) -> Made:
    manager, wanted = request.client("secretsmanager"), request.properties
    name = wanted.get("Name") or request.name(255)
    call = chosen(wanted, "Description", "KmsKeyId")
    if "ReplicaRegions" in wanted:
        call["AddReplicaRegions"] = [chosen(item, "Region", "KmsKeyId") for item in wanted["ReplicaRegions"]]
    text = wanted.get("SecretString")
    if text is None:
        text = _generated(manager, wanted.get("GenerateSecretString", {}))
    made = manager.create_secret(Name=name, SecretString=text, **call, Tags=request.tag_list())
    return Made(made["ARN"], {"Id": made["ARN"]})


def _generated(manager: Any, wanted: dict[str, Any]) -> str:
    kinds = {name: truth(value) for name, value in wanted.items() if name.startswith(("Exclude", "Include"))}
    if "ExcludeCharacters" in wanted:
        kinds["ExcludeCharacters"] = wanted["ExcludeCharacters"]
    length = {"PasswordLength": number(wanted["PasswordLength"])} if "PasswordLength" in wanted else {}
    password = manager.get_random_password(**length, **kinds)["RandomPassword"]
    if "GenerateStringKey" not in wanted:
        return str(password)
    template = json.loads(wanted.get("SecretStringTemplate", "{}"))
    return json.dumps({**template, wanted["GenerateStringKey"]: password})


def _delete_secret(request: Request, made: Made) -> None:
    manager = request.client("secretsmanager")
    regions = [item["Region"] for item in request.properties.get("ReplicaRegions", ())]
    if regions:
        manager.remove_regions_from_replication(
            SecretId=made.physical_resource_id, RemoveReplicaRegions=regions
        )
    manager.delete_secret(SecretId=made.physical_resource_id, ForceDeleteWithoutRecovery=True)


TYPES = (
    ResourceType("AWS::RDS::DBSubnetGroup", _subnet_group, _delete_subnet_group),
    ResourceType("AWS::RDS::DBCluster", _cluster, _delete_cluster, _update_cluster, _CLUSTER_ATTRIBUTES),
    ResourceType(
        "AWS::RDS::DBInstance",
        _instance,
        _delete_instance,
        attributes=frozenset({"Endpoint.Address", "Endpoint.Port", "DBInstanceArn"}),
    ),
    ResourceType(
        "AWS::DynamoDB::GlobalTable",
        _global_table,
        _delete_global_table,
        attributes=frozenset({"Arn", "TableId", "StreamArn"}),
    ),
    ResourceType("AWS::SecretsManager::Secret", _secret, _delete_secret, attributes=frozenset({"Id"})),
)
