"""``AWS::RDS::DBCluster`` and ``AWS::RDS::DBInstance``: Aurora's storage, and the servers over it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html
"""

import time
from collections.abc import Iterable
from typing import Any

from infra.lab.stacks.arguments import arguments
from infra.lab.stacks.resource import Made, Request, ResourceType
from infra.lab.stacks.settling import gone, settled, unless_gone

_RENAMED = {
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKmsKeyId",
}
_CLUSTER_REPLACED = {
    "AvailabilityZones",
    "CharacterSetName",
    "DatabaseName",
    "DBClusterIdentifier",
    "DBSubnetGroupName",
    "DBSystemId",
    "Engine",
    "EngineMode",
    "KmsKeyId",
    "MasterUsername",
    "PubliclyAccessible",
    "ReplicationSourceIdentifier",
    "RestoreToTime",
    "RestoreType",
    "SnapshotIdentifier",
    "SourceDBClusterIdentifier",
    "SourceRegion",
    "StorageEncrypted",
    "UseLatestRestorableTime",
}
_CLUSTER_PHYSICS = frozenset(
    {
        "CopyTagsToSnapshot",
        "DatabaseName",
        "DBClusterIdentifier",
        "DBSubnetGroupName",
        "DeletionProtection",
        "GlobalClusterIdentifier",
        "ManageMasterUserPassword",
        "MasterUserPassword",
        "MasterUserSecret",
        "MasterUsername",
        "Port",
        "SnapshotIdentifier",
        "SourceDBClusterIdentifier",
        "UseLatestRestorableTime",
    }
)
_CLUSTER_ATTRIBUTES = frozenset(
    {
        "DBClusterArn",
        "DBClusterResourceId",
        "Endpoint.Address",
        "Endpoint.Port",
        "MasterUserSecret.SecretArn",
        "ReadEndpoint.Address",
    }
)
_INSTANCE_REPLACED = {
    "AvailabilityZone",
    "CharacterSetName",
    "DBClusterIdentifier",
    "DBInstanceIdentifier",
    "DBName",
    "DBSubnetGroupName",
    "DBSystemId",
    "Engine",
    "KmsKeyId",
    "MasterUsername",
    "Port",
    "StorageEncrypted",
    "Timezone",
}


def _cluster(request: Request) -> Made:
    rds, wanted = request.client("rds"), request.properties
    cluster_id = (wanted.get("DBClusterIdentifier") or request.name(63)).lower()
    named = {"DBClusterIdentifier": cluster_id, "Tags": request.tag_list()}
    if wanted.get("SnapshotIdentifier"):
        rds.restore_db_cluster_from_snapshot(**_call(request, "RestoreDBClusterFromSnapshot"), **named)
        _complete(request, cluster_id, "RestoreDBClusterFromSnapshot")
    elif wanted.get("SourceDBClusterIdentifier"):
        rds.restore_db_cluster_to_point_in_time(**_call(request, "RestoreDBClusterToPointInTime"), **named)
        _complete(request, cluster_id, "RestoreDBClusterToPointInTime")
    else:
        rds.create_db_cluster(**_call(request, "CreateDBCluster"), **named, **_secret_key(request))
    for role in wanted.get("AssociatedRoles", ()):
        rds.add_role_to_db_cluster(DBClusterIdentifier=cluster_id, **role)
    return _described_cluster(request, cluster_id)


def _call(request: Request, operation: str) -> dict[str, Any]:
    call = arguments(request.client("rds"), operation, request.properties, _RENAMED)
    for name in ("DBClusterIdentifier", "AssociatedRoles"):
        call.pop(name, None)
    return call


def _secret_key(request: Request) -> dict[str, Any]:
    secret = request.properties.get("MasterUserSecret") or {}
    return {"MasterUserSecretKmsKeyId": secret["KmsKeyId"]} if "KmsKeyId" in secret else {}


def _complete(request: Request, cluster_id: str, operation: str) -> None:
    """Give a restored cluster what the restoring call does not take."""
    rds = request.client("rds")
    _wait_for_cluster(rds, cluster_id)
    later = _modification(request, set(request.properties)) | _secret_key(request)
    later = {name: value for name, value in later.items() if name not in _call(request, operation)}
    if later:
        rds.modify_db_cluster(DBClusterIdentifier=cluster_id, ApplyImmediately=True, **later)


def _modification(request: Request, names: Iterable[str]) -> dict[str, Any]:
    rds = request.client("rds")
    call = arguments(rds, "ModifyDBCluster", request.properties, _RENAMED, set(names))
    call.pop("DBClusterIdentifier", None)
    return call


def _wait_for_cluster(rds: Any, cluster_id: str) -> dict[str, Any]:
    def status() -> tuple[str, dict[str, Any]]:
        (cluster,) = rds.describe_db_clusters(DBClusterIdentifier=cluster_id)["DBClusters"]
        return cluster["Status"], cluster

    return settled(f"DB cluster {cluster_id}", status)


def _described_cluster(request: Request, cluster_id: str) -> Made:
    cluster = _wait_for_cluster(request.client("rds"), cluster_id)
    attributes = {
        "Endpoint.Address": cluster["Endpoint"],
        "Endpoint.Port": str(cluster["Port"]),
        "ReadEndpoint.Address": cluster["ReaderEndpoint"],
        "DBClusterArn": cluster["DBClusterArn"],
        "DBClusterResourceId": cluster["DbClusterResourceId"],
    }
    if "MasterUserSecret" in cluster:
        attributes["MasterUserSecret.SecretArn"] = cluster["MasterUserSecret"]["SecretArn"]
    return Made(cluster_id, attributes)


def _update_cluster(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if changed & _CLUSTER_REPLACED:
        return None
    rds, cluster_id = request.client("rds"), made.physical_resource_id
    arn = made.attributes["DBClusterArn"]
    if "GlobalClusterIdentifier" in changed:
        before = request.before.get("GlobalClusterIdentifier")
        if request.properties.get("GlobalClusterIdentifier") or not before:
            return None
        rds.remove_from_global_cluster(GlobalClusterIdentifier=before, DbClusterIdentifier=arn)
        _wait_for_cluster(rds, cluster_id)
    call = _modification(request, changed - {"Tags"})
    call |= _secret_key(request) if "MasterUserSecret" in changed else {}
    if "ManageMasterUserPassword" in changed:
        call.setdefault("ManageMasterUserPassword", False)
    call |= _changed_exports(request) if "EnableCloudwatchLogsExports" in changed else {}
    if call:
        rds.modify_db_cluster(DBClusterIdentifier=cluster_id, ApplyImmediately=True, **call)
    _change_roles(request, cluster_id)
    retag(request, arn)
    return _described_cluster(request, cluster_id)


def _changed_exports(request: Request) -> dict[str, Any]:
    before = set(request.before.get("EnableCloudwatchLogsExports", ()))
    wanted = set(request.properties.get("EnableCloudwatchLogsExports", ()))
    change = {"EnableLogTypes": sorted(wanted - before), "DisableLogTypes": sorted(before - wanted)}
    return {"CloudwatchLogsExportConfiguration": change}


def _change_roles(request: Request, cluster_id: str) -> None:
    rds = request.client("rds")
    before = list(request.before.get("AssociatedRoles", ()))
    wanted = list(request.properties.get("AssociatedRoles", ()))
    for role in before:
        if role not in wanted:
            rds.remove_role_from_db_cluster(DBClusterIdentifier=cluster_id, **role)
    for role in wanted:
        if role not in before:
            rds.add_role_to_db_cluster(DBClusterIdentifier=cluster_id, **role)


def retag(request: Request, arn: str) -> None:
    """Make a resource's tags those that the template wants."""
    rds, gone = request.client("rds"), request.tags_gone()
    if "Tags" not in request.changed():
        return
    if gone:
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=gone)
    if request.tag_list():
        rds.add_tags_to_resource(ResourceName=arn, Tags=request.tag_list())


def _delete_cluster(request: Request, made: Made) -> None:
    # Its global database first: a member can't be deleted. AWS's own type does it so, too.
    rds, cluster_id = request.client("rds"), made.physical_resource_id
    group = request.properties.get("GlobalClusterIdentifier")
    if group:
        arn = made.attributes["DBClusterArn"]
        unless_gone(
            lambda: rds.remove_from_global_cluster(GlobalClusterIdentifier=group, DbClusterIdentifier=arn)
        )
        _wait_for_cluster(rds, cluster_id)
    final: dict[str, Any] = {"SkipFinalSnapshot": True}
    if request.keep == "Snapshot":
        name = f"{request.stack}-snapshot-{request.logical_id}-{time.time_ns() // 1_000_000:x}".lower()
        final = {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": name}
    rds.delete_db_cluster(DBClusterIdentifier=cluster_id, **final)
    gone(f"DB cluster {cluster_id}", lambda: rds.describe_db_clusters(DBClusterIdentifier=cluster_id))


def _instance(request: Request) -> Made:
    rds, wanted = request.client("rds"), request.properties
    instance_id = (wanted.get("DBInstanceIdentifier") or request.name(63)).lower()
    call = arguments(rds, "CreateDBInstance", wanted, {"VpcSecurityGroupIds": "VPCSecurityGroups"})
    rds.create_db_instance(**{**call, "DBInstanceIdentifier": instance_id}, Tags=request.tag_list())
    return _described_instance(request, instance_id)


def _described_instance(request: Request, instance_id: str) -> Made:
    rds = request.client("rds")

    def status() -> tuple[str, dict[str, Any]]:
        (instance,) = rds.describe_db_instances(DBInstanceIdentifier=instance_id)["DBInstances"]
        return instance["DBInstanceStatus"], instance

    instance = settled(f"DB instance {instance_id}", status)
    endpoint = instance.get("Endpoint", {})
    attributes = {"Endpoint.Address": endpoint.get("Address"), "Endpoint.Port": str(endpoint.get("Port"))}
    named = {"DBInstanceArn": instance["DBInstanceArn"], "DbiResourceId": instance["DbiResourceId"]}
    return Made(instance_id, attributes | named)


def _update_instance(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if changed & _INSTANCE_REPLACED:
        return None
    rds, instance_id = request.client("rds"), made.physical_resource_id
    call = arguments(rds, "ModifyDBInstance", request.properties, only=changed)
    if call:
        rds.modify_db_instance(DBInstanceIdentifier=instance_id, ApplyImmediately=True, **call)
    retag(request, made.attributes["DBInstanceArn"])
    return _described_instance(request, instance_id)


def _delete_instance(request: Request, made: Made) -> None:
    rds, instance_id = request.client("rds"), made.physical_resource_id
    rds.delete_db_instance(DBInstanceIdentifier=instance_id, SkipFinalSnapshot=True)
    gone(f"DB instance {instance_id}", lambda: rds.describe_db_instances(DBInstanceIdentifier=instance_id))


TYPES = (
    ResourceType(
        "AWS::RDS::DBCluster",
        _cluster,
        _delete_cluster,
        _update_cluster,
        _CLUSTER_ATTRIBUTES,
        _CLUSTER_PHYSICS,
    ),
    ResourceType(
        "AWS::RDS::DBInstance",
        _instance,
        _delete_instance,
        _update_instance,
        frozenset({"Endpoint.Address", "Endpoint.Port", "DBInstanceArn", "DbiResourceId"}),
        frozenset({"DBClusterIdentifier", "DBInstanceIdentifier", "PromotionTier"}),
    ),
)
