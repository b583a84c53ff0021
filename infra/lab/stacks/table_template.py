"""What an ``AWS::DynamoDB::GlobalTable`` says, where a template says it; pure.

What a template says of a table is spread: writes are set for the whole table, reads, keys,
tags and protection for each replica.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
"""

from collections.abc import Mapping
from typing import Any

from infra.lab.stacks.resource import number

PROVISIONED, ON_DEMAND = "PROVISIONED", "PAY_PER_REQUEST"
TYPE = "AWS::DynamoDB::GlobalTable"

_SCALING = {"MinCapacity", "MaxCapacity", "SeedCapacity", "TargetTrackingScalingPolicyConfiguration"}
_READ = {"ReadCapacityUnits", "ReadCapacityAutoScalingSettings"}
# The names that the lab knows below the first level, by the property that holds them.
_KNOWN: Mapping[str, set[str]] = {
    "GlobalSecondaryIndexes": {
        "IndexName",
        "KeySchema",
        "Projection",
        "ReadOnDemandThroughputSettings",
        "ReadProvisionedThroughputSettings",
        "WarmThroughput",
        "WriteOnDemandThroughputSettings",
        "WriteProvisionedThroughputSettings",
        "ContributorInsightsSpecification",
    },
    "Replicas": {
        "Region",
        "ContributorInsightsSpecification",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "PointInTimeRecoverySpecification",
        "ReadOnDemandThroughputSettings",
        "ReadProvisionedThroughputSettings",
        "ResourcePolicy",
        "SSESpecification",
        "TableClass",
        "Tags",
    },
    "ContributorInsightsSpecification": {"Enabled", "Mode"},
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled", "RecoveryPeriodInDays"},
    "ReadOnDemandThroughputSettings": {"MaxReadRequestUnits"},
    "WriteOnDemandThroughputSettings": {"MaxWriteRequestUnits"},
    "ReadProvisionedThroughputSettings": _READ,
    "WriteProvisionedThroughputSettings": {"WriteCapacityAutoScalingSettings"},
    "ReadCapacityAutoScalingSettings": _SCALING,
    "WriteCapacityAutoScalingSettings": _SCALING,
    "TargetTrackingScalingPolicyConfiguration": {
        "DisableScaleIn",
        "ScaleInCooldown",
        "ScaleOutCooldown",
        "TargetValue",
    },
    "SSESpecification": {"SSEEnabled", "SSEType", "KMSMasterKeyId"},
    "StreamSpecification": {"StreamViewType"},
    "TimeToLiveSpecification": {"AttributeName", "Enabled"},
    "WarmThroughput": {"ReadUnitsPerSecond", "WriteUnitsPerSecond"},
}


def require_known(properties: Mapping[str, Any]) -> None:
    """Refuse names that the lab does not know, at any depth.

    Raises:
        NotImplementedError: There is one; the text names it.

    """
    for name, value in properties.items():
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, Mapping):
                continue
            unknown = sorted(set(item) - _KNOWN[name]) if name in _KNOWN else []
            if unknown:
                msg = f"the lab does not know {', '.join(unknown)} in {name} of {TYPE}"
                raise NotImplementedError(msg)
            require_known(item if name in _KNOWN else {})


def replicas(properties: Mapping[str, Any], region: str) -> dict[str, Mapping[str, Any]]:
    """Return the replicas by region, the stack's own first.

    Raises:
        ValueError: The stack's own region is not among them.

    """
    by_region = {str(one["Region"]): one for one in properties["Replicas"]}
    if region not in by_region:
        msg = f"Replicas must include the stack's own region {region}"
        raise ValueError(msg)
    return {region: by_region[region], **by_region}


def billing_mode(properties: Mapping[str, Any]) -> str:
    """Return the capacity mode; CloudFormation's default is provisioned."""
    return str(properties.get("BillingMode", PROVISIONED))


def indexes(properties: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the global secondary indexes by name."""
    return {str(one["IndexName"]): one for one in properties.get("GlobalSecondaryIndexes", ())}


def of_index(replica: Mapping[str, Any], index: str) -> Mapping[str, Any]:
    """Return what a replica says of an index."""
    named = {one["IndexName"]: one for one in replica.get("GlobalSecondaryIndexes", ())}
    found: Mapping[str, Any] = named.get(index, {})
    return found


def write_scaling(described: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the scaling of writes of a table or of an index."""
    settings = described.get("WriteProvisionedThroughputSettings", {})
    found: Mapping[str, Any] | None = settings.get("WriteCapacityAutoScalingSettings")
    return found


def read_scaling(*described: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the scaling of reads; the first that says anything of reads decides."""
    for one in described:
        if settings := one.get("ReadProvisionedThroughputSettings"):
            found: Mapping[str, Any] | None = settings.get("ReadCapacityAutoScalingSettings")
            return found
    return None


def fixed_reads(*described: Mapping[str, Any]) -> int | None:
    """Return the read capacity that a template fixes; the first that says anything decides."""
    for one in described:
        if settings := one.get("ReadProvisionedThroughputSettings"):
            units = settings.get("ReadCapacityUnits")
            return None if units is None else number(units)
    return None


def first_reads(*described: Mapping[str, Any], seed: bool = False) -> int:
    """Return the read capacity to begin with: the fixed one, else where its scaling begins.

    Raises:
        ValueError: Nothing says it.

    """
    fixed, scaling = fixed_reads(*described), read_scaling(*described)
    if fixed is not None:
        return fixed
    if scaling is None:
        msg = f"{TYPE} with BillingMode {PROVISIONED} needs ReadProvisionedThroughputSettings"
        raise ValueError(msg)
    return _begin(scaling, seed=seed)


def first_writes(described: Mapping[str, Any], *, seed: bool = False) -> int:
    """Return the write capacity to begin with.

    Raises:
        ValueError: The template says none.

    """
    scaling = write_scaling(described)
    if scaling is None:
        msg = f"{TYPE} with BillingMode {PROVISIONED} needs WriteProvisionedThroughputSettings"
        raise ValueError(msg)
    return _begin(scaling, seed=seed)


def _begin(scaling: Mapping[str, Any], *, seed: bool) -> int:
    """Return where a scaled capacity begins: SeedCapacity is for a change of the capacity mode."""
    return number(scaling.get("SeedCapacity", scaling["MinCapacity"]) if seed else scaling["MinCapacity"])


def throughput(
    properties: Mapping[str, Any], replica: Mapping[str, Any], index: str = "", *, seed: bool = False
) -> dict[str, int]:
    """Return the ProvisionedThroughput that a replica, or an index of it, begins with."""
    whole = indexes(properties)[index] if index else properties
    own = of_index(replica, index) if index else replica
    return {
        "ReadCapacityUnits": first_reads(own, whole, seed=seed),
        "WriteCapacityUnits": first_writes(whole, seed=seed),
    }


def most_on_demand(whole: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, int]:
    """Return the OnDemandThroughput of a table or index, as far as a template sets a maximum."""
    reads = own.get("ReadOnDemandThroughputSettings") or whole.get("ReadOnDemandThroughputSettings", {})
    writes = whole.get("WriteOnDemandThroughputSettings", {})
    return {name: number(value) for name, value in {**reads, **writes}.items()}
