"""From an ``AWS::DynamoDB::GlobalTable`` to the arguments of the calls that make and change one; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.lab.stacks.resource import chosen, truth
from infra.lab.stacks.table_template import (
    ON_DEMAND,
    PROVISIONED,
    billing_mode,
    first_reads,
    fixed_reads,
    indexes,
    most_on_demand,
    of_index,
    replicas,
    throughput,
)

_STANDARD = "STANDARD"


def index_call(
    properties: Mapping[str, Any], replica: Mapping[str, Any], name: str, *, seed: bool = False
) -> dict[str, Any]:
    """Return an index as CreateTable and UpdateTable take it."""
    wanted = indexes(properties)[name]
    call: dict[str, Any] = chosen(wanted, "IndexName", "KeySchema", "Projection", "WarmThroughput")
    most = most_on_demand(wanted, of_index(replica, name))
    if billing_mode(properties) == PROVISIONED:
        call["ProvisionedThroughput"] = throughput(properties, replica, name, seed=seed)
    elif most:
        call["OnDemandThroughput"] = most
    return call


def encryption(properties: Mapping[str, Any], replica: Mapping[str, Any]) -> dict[str, Any]:
    """Return the SSESpecification of the API: the table says whether, the replica with which key."""
    wanted = properties.get("SSESpecification")
    if wanted is None:
        return {}
    if not truth(wanted["SSEEnabled"]):
        return {"Enabled": False}
    key = chosen(replica.get("SSESpecification", {}), "KMSMasterKeyId")
    return {"Enabled": True, "SSEType": wanted.get("SSEType", "KMS"), **key}


def create_call(
    properties: Mapping[str, Any], region: str, name: str, tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Return the arguments of CreateTable in the stack's region."""
    own = replicas(properties, region)[region]
    call = chosen(properties, "AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", "WarmThroughput")
    call |= {"TableName": name, "BillingMode": billing_mode(properties), "Tags": list(tags)}
    call |= chosen(own, "TableClass", "DeletionProtectionEnabled")
    if found := [index_call(properties, own, index) for index in indexes(properties)]:
        call["GlobalSecondaryIndexes"] = found
    if billing_mode(properties) == PROVISIONED:
        call["ProvisionedThroughput"] = throughput(properties, own)
    elif most := most_on_demand(properties, own):
        call["OnDemandThroughput"] = most
    if "StreamSpecification" in properties:
        call["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    if sse := encryption(properties, own):
        call["SSESpecification"] = sse
    return call


def replica_call(
    properties: Mapping[str, Any], replica: Mapping[str, Any], *, only_fixed: bool = False
) -> dict[str, Any]:
    """Return a replica as the Create and Update actions of ReplicaUpdates take it.

    Args:
        properties: What the template says of the table.
        replica: What it says of the replica.
        only_fixed: Leave out read capacities that are scaled: an update must not set them back.

    """
    call: dict[str, Any] = {"RegionName": replica["Region"]}
    if "TableClass" in replica:
        call["TableClassOverride"] = replica["TableClass"]
    if key := encryption(properties, replica).get("KMSMasterKeyId"):
        call["KMSMasterKeyId"] = key
    call |= _reads(properties, replica, "", only_fixed)
    if own := [
        {"IndexName": index, **found}
        for index in indexes(properties)
        if (found := _reads(properties, replica, index, only_fixed))
    ]:
        call["GlobalSecondaryIndexes"] = own
    return call


def _reads(
    properties: Mapping[str, Any], replica: Mapping[str, Any], index: str, only_fixed: bool
) -> dict[str, Any]:
    """Return the override of the reads of a replica, or of its index."""
    whole = indexes(properties)[index] if index else properties
    own = of_index(replica, index) if index else replica
    if billing_mode(properties) == PROVISIONED:
        if only_fixed and fixed_reads(own, whole) is None:
            return {}
        return {"ProvisionedThroughputOverride": {"ReadCapacityUnits": first_reads(own, whole)}}
    read = chosen(most_on_demand(whole, own), "MaxReadRequestUnits")
    return {"OnDemandThroughputOverride": read} if read else {}


def update_calls(
    properties: Mapping[str, Any], region: str, shown: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the arguments of UpdateTable, one call after the other, that make a table what is wanted.

    Args:
        properties: What the template wants.
        region: The stack's.
        shown: The table as DescribeTable shows it there.

    """
    own = replicas(properties, region)[region]
    wanted, there = indexes(properties), {one["IndexName"] for one in shown.get("GlobalSecondaryIndexes", ())}
    for gone in sorted(there - set(wanted)):
        yield {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": gone}}]}
    yield from _capacity_mode(properties, own, shown, [name for name in wanted if name in there])
    for new in (name for name in wanted if name not in there):
        action = {"Create": index_call(properties, own, new, seed=True)}
        definitions = properties["AttributeDefinitions"]
        yield {"AttributeDefinitions": definitions, "GlobalSecondaryIndexUpdates": [action]}


def _capacity_mode(
    properties: Mapping[str, Any], own: Mapping[str, Any], shown: Mapping[str, Any], kept: list[str]
) -> Iterator[dict[str, Any]]:
    mode = billing_mode(properties)
    if mode == shown.get("BillingModeSummary", {}).get("BillingMode", PROVISIONED):
        return
    if mode == ON_DEMAND:
        yield {"BillingMode": mode}
        return
    updates = [
        {"Update": {"IndexName": name, "ProvisionedThroughput": throughput(properties, own, name, seed=True)}}
        for name in kept
    ]
    call = {"BillingMode": mode, "ProvisionedThroughput": throughput(properties, own, seed=True)}
    yield {**call, "GlobalSecondaryIndexUpdates": updates} if updates else call


def setting_calls(
    properties: Mapping[str, Any], before: Mapping[str, Any], region: str, shown: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the UpdateTable calls for the settings that an update changes, in the stack's region."""
    own, former = replicas(properties, region)[region], replicas(before, region)[region]
    if billing_mode(properties) == ON_DEMAND:
        yield from _maxima((properties, own), (before, former))
    yield from _fixed_reads(properties, own, shown)
    if own.get("TableClass", _STANDARD) != former.get("TableClass", _STANDARD):
        yield {"TableClass": own.get("TableClass", _STANDARD)}
    if encryption(properties, own) != encryption(before, former):
        yield {"SSESpecification": encryption(properties, own) or {"Enabled": False}}
    if properties.get("WarmThroughput") not in (None, before.get("WarmThroughput")):
        yield {"WarmThroughput": properties["WarmThroughput"]}
    yield from _stream(properties.get("StreamSpecification"), before.get("StreamSpecification"))


def _stream(wanted: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield the calls that change the stream; one of another kind needs the old one gone."""
    if wanted == before:
        return
    if before is not None:
        yield {"StreamSpecification": {"StreamEnabled": False}}
    if wanted is not None:
        yield {"StreamSpecification": {"StreamEnabled": True, **wanted}}


_Specified = tuple[Mapping[str, Any], Mapping[str, Any]]


def _maxima(now: _Specified, before: _Specified) -> Iterator[dict[str, Any]]:
    """Yield the calls that change on-demand maxima; each argument is the table and its own replica."""
    if most := _changed_most(most_on_demand(*before), most_on_demand(*now)):
        yield {"OnDemandThroughput": most}
    for name in indexes(now[0]).keys() & indexes(before[0]).keys():
        old = most_on_demand(indexes(before[0])[name], of_index(before[1], name))
        if most := _changed_most(old, most_on_demand(indexes(now[0])[name], of_index(now[1], name))):
            update = {"IndexName": name, "OnDemandThroughput": most}
            yield {"GlobalSecondaryIndexUpdates": [{"Update": update}]}


def _changed_most(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Return the maxima that differ; -1 takes one away."""
    return {
        name: after.get(name, -1) for name in {*before, *after} if before.get(name, -1) != after.get(name, -1)
    }


def _fixed_reads(
    properties: Mapping[str, Any], own: Mapping[str, Any], shown: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the calls that set the fixed read capacities of the stack's region."""
    if billing_mode(properties) != PROVISIONED:
        return
    described = {"": shown["ProvisionedThroughput"]}
    for one in shown.get("GlobalSecondaryIndexes", ()):
        described[one["IndexName"]] = one["ProvisionedThroughput"]
    for index, now in described.items():
        wholes = (of_index(own, index), indexes(properties)[index]) if index else (own, properties)
        fixed = fixed_reads(*wholes)
        if fixed is None or fixed == now["ReadCapacityUnits"]:
            continue
        units = {"ReadCapacityUnits": fixed, "WriteCapacityUnits": now["WriteCapacityUnits"]}
        update = {"Update": {"IndexName": index, "ProvisionedThroughput": units}}
        yield {"GlobalSecondaryIndexUpdates": [update]} if index else {"ProvisionedThroughput": units}
