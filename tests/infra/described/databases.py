"""Readers of ``AWS::RDS::*``: clusters, instances, groups and global databases."""

from collections.abc import Mapping
from typing import Any

from tests.infra.described.reader import ClientOf, Reader

# What no call of the service ever shows; CloudFormation calls these properties write-only.
_NEVER_SHOWN = {
    "MasterUserPassword",
    "RestoreToTime",
    "RestoreType",
    "SnapshotIdentifier",
    "SourceDBClusterIdentifier",
    "SourceRegion",
    "UseLatestRestorableTime",
}


def _cluster(client_of: ClientOf, region: str, name: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    (shown,) = client_of("rds", region).describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    secret = shown.get("MasterUserSecret")
    return {
        **shown,
        **{key: value for key, value in declared.items() if key in _NEVER_SHOWN},
        "DBClusterParameterGroupName": shown["DBClusterParameterGroup"],
        "DBSubnetGroupName": shown["DBSubnetGroup"],
        "EnableCloudwatchLogsExports": shown.get("EnabledCloudwatchLogsExports", []),
        "EnableGlobalWriteForwarding": shown.get("GlobalWriteForwardingRequested"),
        "EnableHttpEndpoint": shown["HttpEndpointEnabled"],
        "EnableIAMDatabaseAuthentication": shown["IAMDatabaseAuthenticationEnabled"],
        "ManageMasterUserPassword": secret is not None,
        "PerformanceInsightsKmsKeyId": shown.get("PerformanceInsightsKMSKeyId"),
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in shown["VpcSecurityGroups"]],
        "Tags": shown["TagList"],
    }


def _instance(client_of: ClientOf, region: str, name: str, _declared: Mapping[str, Any]) -> Mapping[str, Any]:
    (shown,) = client_of("rds", region).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return {
        **shown,
        "DBParameterGroupName": shown["DBParameterGroups"][0]["DBParameterGroupName"],
        "DBSubnetGroupName": shown.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
        "EnableCloudwatchLogsExports": shown.get("EnabledCloudwatchLogsExports", []),
        "EnablePerformanceInsights": shown["PerformanceInsightsEnabled"],
        "VPCSecurityGroups": [group["VpcSecurityGroupId"] for group in shown["VpcSecurityGroups"]],
        "Tags": shown["TagList"],
    }


def _tags(rds: Any, arn: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = rds.list_tags_for_resource(ResourceName=arn)["TagList"]
    return found


def _subnet_group(
    client_of: ClientOf, region: str, name: str, _declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    rds = client_of("rds", region)
    (shown,) = rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
    return {
        **shown,
        "SubnetIds": [subnet["SubnetIdentifier"] for subnet in shown["Subnets"]],
        "Tags": _tags(rds, shown["DBSubnetGroupArn"]),
    }


def _parameter_group(
    client_of: ClientOf, region: str, name: str, _declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    rds, named = client_of("rds", region), {"DBClusterParameterGroupName": name}
    (shown,) = rds.describe_db_cluster_parameter_groups(**named)["DBClusterParameterGroups"]
    changed = rds.describe_db_cluster_parameters(**named, Source="user")["Parameters"]
    return {
        **shown,
        "Family": shown["DBParameterGroupFamily"],
        "Parameters": {item["ParameterName"]: item["ParameterValue"] for item in changed},
        "Tags": _tags(rds, shown["DBClusterParameterGroupArn"]),
    }


def _global_cluster(
    client_of: ClientOf, region: str, name: str, declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    rds = client_of("rds", region)
    (shown,) = rds.describe_global_clusters(GlobalClusterIdentifier=name)["GlobalClusters"]
    wanted = declared.get("SourceDBClusterIdentifier", "")
    members = [member["DBClusterArn"] for member in shown["GlobalClusterMembers"]]
    # Another member may take the writes by now; the cluster that it was made of stays one.
    sources = [arn for arn in members if wanted in {arn, arn.rpartition(":")[2]}]
    return {
        **shown,
        "SourceDBClusterIdentifier": wanted if sources else None,
        "Tags": _tags(rds, shown["GlobalClusterArn"]),
    }


READERS: dict[str, Reader] = {
    "AWS::RDS::DBCluster": _cluster,
    "AWS::RDS::DBClusterParameterGroup": _parameter_group,
    "AWS::RDS::DBInstance": _instance,
    "AWS::RDS::DBSubnetGroup": _subnet_group,
    "AWS::RDS::GlobalCluster": _global_cluster,
}
