"""``AWS::DynamoDB::GlobalTable``: a table with its replicas, their settings and their scaling.

Made as CloudFormation makes it: the table in the stack's region, then each replica, then what
is each replica's own, then the scalable targets and policies in every region. An update
changes what differs and waits for each change; one of the key schema needs another table.
"""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from infra.lab.stacks import table_calls as calls
from infra.lab.stacks import table_scaling as scaling
from infra.lab.stacks import table_template as template
from infra.lab.stacks.resource import Made, Request, ResourceType, truth
from infra.lab.stacks.typed import call_for

ACTIVE_WITHIN_S = 600.0
_POLL_S = 0.05
_REPLACING = {"KeySchema", "LocalSecondaryIndexes", "TableName"}
_ATTRIBUTES = {"Arn": "TableArn", "TableId": "TableId", "StreamArn": "LatestStreamArn"}


def _create(request: Request) -> Made:
    wanted = request.properties
    template.require_known(wanted.values_as_given())
    name = wanted.get("TableName") or request.name(255)
    own, *others = template.replicas(wanted, request.region).values()
    dynamodb = request.client("dynamodb")
    call = calls.create_call(wanted, request.region, name, _tags(request, own))
    dynamodb.create_table(**call_for(dynamodb, "CreateTable", call))
    made = Made(name)
    try:
        _settle(request, name)
        # A replica of a table whose writes are provisioned and not scaled is refused.
        scaling.register(request, name, request.region)
        for replica in others:
            _update_table(
                request, name, {"ReplicaUpdates": [{"Create": calls.replica_call(wanted, replica)}]}
            )
        for replica in (own, *others):
            _own_settings(request, name, replica, {})
        _time_to_live(request, name)
        scaling.register(request, name)
        return _described(request, name)
    except Exception as problem:
        # What is half made belongs to no stack yet: nobody else would delete it.
        try:
            _delete(request, made)
        except ClientError as left:
            msg = f"{problem}; and what was made of {name} is still there: {left}"
            raise RuntimeError(msg) from problem
        raise


def _described(request: Request, name: str) -> Made:
    table = request.client("dynamodb").describe_table(TableName=name)["Table"]
    return Made(name, {shown: table[key] for shown, key in _ATTRIBUTES.items() if key in table})


def _update(request: Request, made: Made) -> Made | None:
    changed, wanted, before = request.changed(), request.properties, request.before
    template.require_known(wanted.values_as_given())
    if changed & _REPLACING:
        return None
    name, region = made.physical_resource_id, request.region
    former = template.replicas(before, region)
    current = template.replicas(wanted, region)
    scaling.deregister_unwanted(request, name)
    for gone in former.keys() - current.keys():
        _update_table(request, name, {"ReplicaUpdates": [{"Delete": {"RegionName": gone}}]})
    for call in calls.update_calls(wanted, region, _table(request, name)):
        _update_table(request, name, call)
    for call in calls.setting_calls(wanted, before, region, _table(request, name)):
        _update_table(request, name, call)
    scaling.register(request, name, region)
    for place, replica in current.items():
        _replica(request, name, former.get(place), replica)
    if "TimeToLiveSpecification" in changed:
        _time_to_live(request, name)
    scaling.register(request, name)
    return _described(request, name)


def _replica(
    request: Request, name: str, former: Mapping[str, Any] | None, replica: Mapping[str, Any]
) -> None:
    """Make a replica of the table what is wanted."""
    wanted, before, region = request.properties, request.before, replica["Region"]
    if former is None:
        _update_table(request, name, {"ReplicaUpdates": [{"Create": calls.replica_call(wanted, replica)}]})
    elif region != request.region:
        call = calls.replica_call(wanted, replica, only_fixed=True)
        if call != calls.replica_call(before, former, only_fixed=True) and len(call) > 1:
            _update_table(request, name, {"ReplicaUpdates": [{"Update": call}]})
    _own_settings(request, name, replica, former or {})


def _own_settings(request: Request, name: str, replica: Mapping[str, Any], former: Mapping[str, Any]) -> None:
    """Set what each replica has for itself, by calls in its region."""
    region = replica["Region"]
    dynamodb = request.client("dynamodb", region)
    table = dynamodb.describe_table(TableName=name)["Table"]
    protected = truth(replica.get("DeletionProtectionEnabled", False))
    if table.get("DeletionProtectionEnabled", False) != protected:
        _update_table(request, name, {"DeletionProtectionEnabled": protected}, region)
    backups = "PointInTimeRecoverySpecification"
    if replica.get(backups) != former.get(backups):
        call = {
            "TableName": name,
            backups: replica.get(backups, {"PointInTimeRecoveryEnabled": False}),
        }
        dynamodb.update_continuous_backups(**call_for(dynamodb, "UpdateContinuousBackups", call))
    _insights(request, name, replica, former)
    _policy(dynamodb, table["TableArn"], replica, former)
    _retag(dynamodb, table["TableArn"], _tags(request, replica))


def _insights(request: Request, name: str, replica: Mapping[str, Any], former: Mapping[str, Any]) -> None:
    """Turn Contributor Insights on or off, for the table and for each index."""
    dynamodb = request.client("dynamodb", replica["Region"])
    for index in ("", *template.indexes(request.properties)):
        specified = "ContributorInsightsSpecification"
        own = template.of_index(replica, index) if index else replica
        old = template.of_index(former, index) if index else former
        wanted, before = own.get(specified), old.get(specified)
        if wanted == before:
            continue
        call = {"TableName": name, **({"IndexName": index} if index else {})}
        enabled = truth((wanted or {}).get("Enabled", False))
        call["ContributorInsightsAction"] = "ENABLE" if enabled else "DISABLE"
        if wanted and "Mode" in wanted:
            call["ContributorInsightsMode"] = wanted["Mode"]
        dynamodb.update_contributor_insights(**call)


def _policy(dynamodb: Any, arn: str, replica: Mapping[str, Any], former: Mapping[str, Any]) -> None:
    wanted, before = replica.get("ResourcePolicy"), former.get("ResourcePolicy")
    if wanted == before:
        return
    if wanted is None:
        dynamodb.delete_resource_policy(ResourceArn=arn)
        return
    document = wanted["PolicyDocument"]
    text = document if isinstance(document, str) else json.dumps(document)
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=text)


def _tags(request: Request, replica: Mapping[str, Any]) -> list[dict[str, str]]:
    own = {tag["Key"]: str(tag["Value"]) for tag in replica.get("Tags", ())}
    return [{"Key": key, "Value": value} for key, value in {**request.tags, **own}.items()]


def _retag(dynamodb: Any, arn: str, wanted: list[dict[str, str]]) -> None:
    """Make a replica's tags those that are wanted."""
    pages = dynamodb.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    there = [tag for page in pages for tag in page["Tags"]]
    keys = {tag["Key"] for tag in wanted}
    if gone := [tag["Key"] for tag in there if tag["Key"] not in keys]:
        dynamodb.untag_resource(ResourceArn=arn, TagKeys=gone)
    if new := [tag for tag in wanted if tag not in there]:
        dynamodb.tag_resource(ResourceArn=arn, Tags=new)


def _time_to_live(request: Request, name: str) -> None:
    wanted = request.properties.get("TimeToLiveSpecification")
    before = request.before.get("TimeToLiveSpecification")
    dynamodb = request.client("dynamodb")
    if wanted is None and before is not None:
        wanted = {"Enabled": False, "AttributeName": before["AttributeName"]}
    if wanted is None or (before is None and not truth(wanted["Enabled"])):
        return
    call = {"TableName": name, "TimeToLiveSpecification": wanted}
    dynamodb.update_time_to_live(**call_for(dynamodb, "UpdateTimeToLive", call))


def _table(request: Request, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request.client("dynamodb").describe_table(TableName=name)["Table"]
    return found


def _update_table(request: Request, name: str, call: Mapping[str, Any], region: str = "") -> None:
    """Call UpdateTable and wait until every region is done with it."""
    dynamodb = request.client("dynamodb", region or request.region)
    dynamodb.update_table(**call_for(dynamodb, "UpdateTable", {"TableName": name, **call}))
    _settle(request, name)


def _settle(request: Request, name: str) -> None:
    """Wait until the table is active in each of its regions, its indexes and replicas too.

    Raises:
        TimeoutError: It is not.

    """
    deadline = time.monotonic() + ACTIVE_WITHIN_S
    while True:
        own = _table(request, name)
        regions = [one["RegionName"] for one in own.get("Replicas", ())]
        tables = [own, *(_table_in(request, region, name) for region in regions)]
        resting = {status for table in tables for status in _statuses(table)} <= {"ACTIVE"}
        if resting:
            return
        if time.monotonic() > deadline:
            msg = f"table {name} is not active after {ACTIVE_WITHIN_S:.0f} s"
            raise TimeoutError(msg)
        time.sleep(_POLL_S)


def _table_in(request: Request, region: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request.client("dynamodb", region).describe_table(TableName=name)["Table"]
    return found


def _statuses(table: Mapping[str, Any]) -> Iterable[str]:
    yield table["TableStatus"]
    yield from (index["IndexStatus"] for index in table.get("GlobalSecondaryIndexes", ()))
    yield from (replica["ReplicaStatus"] for replica in table.get("Replicas", ()))


def _delete(request: Request, made: Made) -> None:
    """Delete every replica; a protected one is tried first, so that its refusal leaves all of them."""
    name = made.physical_resource_id
    there = []
    for region in template.replicas(request.properties, request.region):
        dynamodb = request.client("dynamodb", region)
        try:
            there.append((region, dynamodb.describe_table(TableName=name)["Table"]))
        except dynamodb.exceptions.ResourceNotFoundException:
            continue
    own = request.region
    order = sorted(there, key=lambda one: (not one[1].get("DeletionProtectionEnabled", False), one[0] == own))
    for region, _ in order:
        request.client("dynamodb", region).delete_table(TableName=name)
    scaling.deregister_all(request, name)


TYPES = (
    ResourceType(
        template.TYPE,
        _create,
        _delete,
        _update,
        attributes=frozenset(_ATTRIBUTES),
        physics=frozenset(
            {
                "AttributeDefinitions",
                "BillingMode",
                "GlobalSecondaryIndexes",
                "KeySchema",
                "LocalSecondaryIndexes",
                "ReadOnDemandThroughputSettings",
                "ReadProvisionedThroughputSettings",
                "Replicas",
                "TableName",
                "WriteOnDemandThroughputSettings",
                "WriteProvisionedThroughputSettings",
            }
        ),
    ),
    *scaling.TYPES,
)
