"""Readers of DynamoDB's tables and of Application Auto Scaling."""

import json
from collections.abc import Mapping
from typing import Any

from tests.infra.described.reader import ClientOf, Reader

_SCALING = "application-autoscaling"
_READS, _WRITES = "ReadCapacityUnits", "WriteCapacityUnits"
_TRACKED = {"TargetValue", "ScaleInCooldown", "ScaleOutCooldown", "DisableScaleIn"}


def _global_table(
    client_of: ClientOf, region: str, name: str, declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    dynamodb = client_of("dynamodb", region)
    table = dynamodb.describe_table(TableName=name)["Table"]
    live = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    encryption = table.get("SSEDescription", {"Status": "DISABLED"})
    return {
        **table,
        "BillingMode": table["BillingModeSummary"]["BillingMode"],
        "SSESpecification": {
            "SSEEnabled": encryption["Status"] == "ENABLED",
            "SSEType": encryption.get("SSEType"),
        },
        "TimeToLiveSpecification": {
            "AttributeName": live.get("AttributeName"),
            "Enabled": live["TimeToLiveStatus"] == "ENABLED",
        },
        "WriteProvisionedThroughputSettings": {
            "WriteCapacityAutoScalingSettings": _scaled(client_of, region, name, "", _WRITES, declared)
        },
        "WriteOnDemandThroughputSettings": table.get("OnDemandThroughput"),
        "GlobalSecondaryIndexes": [
            _index(client_of, region, name, index, declared)
            for index in table.get("GlobalSecondaryIndexes", ())
        ],
        "Replicas": [
            _replica(client_of, one["Region"], name, _as_written(declared, one))
            for one in declared["Replicas"]
            if one["Region"] == region or one["Region"] in _regions(table)
        ],
    }


def _table(client_of: ClientOf, region: str, name: str, _declared: Mapping[str, Any]) -> Mapping[str, Any]:
    dynamodb = client_of("dynamodb", region)
    table = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    encryption = table.get("SSEDescription", {"Status": "DISABLED"})
    return {
        **table,
        "BillingMode": table["BillingModeSummary"]["BillingMode"],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": recovery == "ENABLED"},
        "SSESpecification": {
            "SSEEnabled": encryption["Status"] == "ENABLED",
            "SSEType": encryption.get("SSEType"),
            "KMSMasterKeyId": encryption.get("KMSMasterKeyArn"),
        },
        "Tags": dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"],
    }


def _as_written(declared: Mapping[str, Any], replica: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        **replica,
        "WriteProvisionedThroughputSettings": declared.get("WriteProvisionedThroughputSettings"),
    }


def _regions(table: Mapping[str, Any]) -> set[str]:
    return {one["RegionName"] for one in table.get("Replicas", ())}


def _index(
    client_of: ClientOf, region: str, name: str, index: Mapping[str, Any], declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    (wanted,) = [
        one for one in declared["GlobalSecondaryIndexes"] if one["IndexName"] == index["IndexName"]
    ] or [{}]
    return {
        **index,
        "WriteOnDemandThroughputSettings": index.get("OnDemandThroughput"),
        "WriteProvisionedThroughputSettings": {
            "WriteCapacityAutoScalingSettings": _scaled(
                client_of, region, name, index["IndexName"], _WRITES, wanted
            )
        },
    }


def _replica(client_of: ClientOf, region: str, name: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    dynamodb = client_of("dynamodb", region)
    table = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]
    tags = dynamodb.get_paginator("list_tags_of_resource").paginate(ResourceArn=table["TableArn"])
    wanted = {one["IndexName"]: one for one in declared.get("GlobalSecondaryIndexes", ())}
    policy = {}
    if "ResourcePolicy" in declared:
        text = dynamodb.get_resource_policy(ResourceArn=table["TableArn"])["Policy"]
        policy = {"ResourcePolicy": {"PolicyDocument": json.loads(text)}}
    return {
        **policy,
        "Region": region,
        "DeletionProtectionEnabled": table["DeletionProtectionEnabled"],
        "TableClass": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
        "SSESpecification": {"KMSMasterKeyId": table.get("SSEDescription", {}).get("KMSMasterKeyArn")},
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
            "RecoveryPeriodInDays": recovery.get("RecoveryPeriodInDays"),
        },
        "ContributorInsightsSpecification": _insights(dynamodb, name),
        "ReadProvisionedThroughputSettings": _reads(client_of, region, name, table, declared),
        "ReadOnDemandThroughputSettings": table.get("OnDemandThroughput"),
        "Tags": [tag for page in tags for tag in page["Tags"]],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": one["IndexName"],
                "ReadProvisionedThroughputSettings": _reads(
                    client_of, region, name, one, wanted.get(one["IndexName"], {})
                ),
                "ReadOnDemandThroughputSettings": one.get("OnDemandThroughput"),
                "ContributorInsightsSpecification": _insights(dynamodb, name, one["IndexName"]),
            }
            for one in table.get("GlobalSecondaryIndexes", ())
        ],
    }


def _insights(dynamodb: Any, name: str, index: str = "") -> Mapping[str, Any]:
    of_index = {"IndexName": index} if index else {}
    shown = dynamodb.describe_contributor_insights(TableName=name, **of_index)
    return {
        "Enabled": shown["ContributorInsightsStatus"] == "ENABLED",
        "Mode": shown.get("ContributorInsightsMode"),
    }


def _reads(
    client_of: ClientOf, region: str, name: str, shown: Mapping[str, Any], declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    return {
        _READS: shown["ProvisionedThroughput"][_READS],
        "ReadCapacityAutoScalingSettings": _scaled(
            client_of, region, name, shown.get("IndexName", ""), _READS, declared
        ),
    }


def _scaled(
    client_of: ClientOf, region: str, name: str, index: str, units: str, declared: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Return the scaling of a capacity; SeedCapacity, which no service keeps, is given back as declared."""
    client = client_of(_SCALING, region)
    place = {
        "ServiceNamespace": "dynamodb",
        "ScalableDimension": f"dynamodb:{'index' if index else 'table'}:{units}",
    }
    resource_id = f"table/{name}/index/{index}" if index else f"table/{name}"
    targets = client.describe_scalable_targets(**place, ResourceIds=[resource_id])["ScalableTargets"]
    if not targets:
        return None
    (policy,) = client.describe_scaling_policies(**place, ResourceId=resource_id)["ScalingPolicies"]
    tracked = policy["TargetTrackingScalingPolicyConfiguration"]
    kind = units.removesuffix("CapacityUnits")
    settings = (declared.get(f"{kind}ProvisionedThroughputSettings") or {}).get(
        f"{kind}CapacityAutoScalingSettings", {}
    )
    seed = {"SeedCapacity": settings["SeedCapacity"]} if "SeedCapacity" in settings else {}
    return {
        "MinCapacity": targets[0]["MinCapacity"],
        "MaxCapacity": targets[0]["MaxCapacity"],
        **seed,
        "TargetTrackingScalingPolicyConfiguration": {
            key: value for key, value in tracked.items() if key in _TRACKED
        },
    }


def _target(client_of: ClientOf, region: str, target_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    resource_id, dimension, namespace = target_id.split("|")
    client = client_of(_SCALING, region)
    (shown,) = client.describe_scalable_targets(
        ServiceNamespace=namespace, ResourceIds=[resource_id], ScalableDimension=dimension
    )["ScalableTargets"]
    actions = client.describe_scheduled_actions(
        ServiceNamespace=namespace, ResourceId=resource_id, ScalableDimension=dimension
    )["ScheduledActions"]
    tags = client.list_tags_for_resource(ResourceARN=shown["ScalableTargetARN"])["Tags"]
    return {
        **shown,
        "ScheduledActions": actions,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def _policy(client_of: ClientOf, region: str, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    policies = client_of(_SCALING, region).describe_scaling_policies(ServiceNamespace="dynamodb")
    (shown,) = [one for one in policies["ScalingPolicies"] if one["PolicyARN"] == arn]
    place = "|".join(shown[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
    return {**shown, "ScalingTargetId": place}


READERS: dict[str, Reader] = {
    "AWS::DynamoDB::GlobalTable": _global_table,
    "AWS::DynamoDB::Table": _table,
    "AWS::ApplicationAutoScaling::ScalableTarget": _target,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _policy,
}
