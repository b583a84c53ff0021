"""The fingerprint of everything drillable: equal before a drill and after its rollback.

It is read through the public AWS API alone, with Describe, Get and List calls, so that it
sees what a client of AWS sees. What is left out is published in :data:`IGNORED`, one reason
each; everything else changes the fingerprint.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Client: TypeAlias = Any
Clients: TypeAlias = Callable[[str, str], Client]
Description: TypeAlias = dict[str, Any]

GLOBAL = "global"
FINISHED = frozenset({"completed", "stopped", "failed", "cancelled"})
GONE = frozenset({"deleted", "deleting", "expired", "failed", "rejected"})

_NEW_TIE = "an association gets a new id whenever it is replaced; who is tied to what counts"
_ROWS = "rows written by the application, not configuration"
_DECREASES = "DynamoDB counts and dates capacity changes; putting the capacity back is one more"
_POINT_IN_TIME = "moves on by itself with every backup"
_EDITS = "changes with every update, also with the one that puts back"

IGNORED: Mapping[str, str] = {
    "health_checks.HealthCheckVersion": "counts updates, also the one that puts back",
    "network_acls.NetworkAclAssociationId": _NEW_TIE,
    "route_tables.RouteTableAssociationId": _NEW_TIE,
    "vpcs.AssociationId": _NEW_TIE,
    "peerings.VpcPeeringConnectionId": "a recreated peering has another id; its two VPCs name it",
    "peerings.ExpirationTime": "only a peering that waits to be accepted has one, and it moves",
    "subnets.AvailableIpAddressCount": "load balancers and functions take and free addresses by themselves",
    "record_sets.ResourceRecordSetCount": "the record sets themselves are compared",
    "target_groups.TargetHealth": "what the load balancer sees of a target, not configuration",
    "functions.LastModified": _EDITS,
    "functions.RevisionId": _EDITS,
    "tables.ItemCount": _ROWS,
    "tables.TableSizeBytes": _ROWS,
    "tables.IndexSizeBytes": _ROWS,
    "tables.NumberOfDecreasesToday": _DECREASES,
    "tables.LastDecreaseDateTime": _DECREASES,
    "tables.LastIncreaseDateTime": _DECREASES,
    "tables.EarliestRestorableDateTime": _POINT_IN_TIME,
    "tables.LatestRestorableDateTime": _POINT_IN_TIME,
    "clusters.EarliestRestorableTime": _POINT_IN_TIME,
    "clusters.LatestRestorableTime": _POINT_IN_TIME,
    "instances.LatestRestorableTime": _POINT_IN_TIME,
    "templates.lastUpdateTime": _EDITS,
    "schedules.LastModificationDate": _EDITS,
    "secrets.LastAccessedDate": "reading a secret changes it",
    "secrets.LastChangedDate": _EDITS,
    # Not fields: whole things that are left out.
    "cluster_snapshots[automated]": "taken and dropped by themselves",
    "experiments[finished]": "history that can't be deleted",
    "peerings[gone]": "shown for some hours after they were deleted, and carry nothing",
    "secrets[values]": "never read; the ids of their versions tell a change",
}


@dataclass(frozen=True, slots=True)
class _Section:
    """One kind of thing: the call that lists it, and what names one.

    Attributes:
        name: Its key in the configuration.
        service: boto3's name of the service.
        operation: The call, as boto3's method.
        key: Where the list is in the answer.
        identity: The field that names one.
        whole: Makes the whole description of one that was listed; None for what drops out.

    """

    name: str
    service: str
    operation: str
    key: str
    identity: str
    whole: Callable[[Client, Any], Description | None] = lambda _, one: one


def fingerprint(client: Clients, regions: Sequence[str]) -> str:
    """Return a digest of :func:`configuration`, the same for the same configuration."""
    return hashlib.sha256(json.dumps(configuration(client, regions), sort_keys=True).encode()).hexdigest()


def configuration(client: Clients, regions: Sequence[str]) -> dict[str, Any]:
    """Read everything drillable: by region, then by section, then by what names one.

    Args:
        client: Gives boto3's client of a service in a region.
        regions: The regions to read; Route 53 is read once, under ``global``.

    """
    found: dict[str, Any] = {
        region: {section.name: _read(section, client(section.service, region)) for section in REGIONAL}
        for region in regions
    }
    found[GLOBAL] = {
        section.name: _read(section, client(section.service, regions[0])) for section in WITHOUT_REGION
    }
    whole: Any = _canonical(_named_by_ends(found), "")
    return dict(whole)


def _read(section: _Section, client: Client) -> dict[str, Description]:
    wholes = [section.whole(client, one) for one in _all(client, section.operation, section.key)]
    return {str(one[section.identity]): one for one in wholes if one is not None}


def _all(client: Client, operation: str, key: str, **params: str) -> Iterable[Any]:
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**params):
            yield from page.get(key, ())
        return
    more: dict[str, Any] = {}
    while True:
        page = getattr(client, operation)(**params, **more)
        yield from page.get(key, ())
        if not page.get("nextToken"):
            return
        more = {"nextToken": page["nextToken"]}


def _named_by_ends(found: Mapping[str, Any]) -> object:
    """Replace the id of each peering, wherever it stands, by the VPCs that it joins."""
    names = {
        peering_id: f"peering {one['RequesterVpcInfo']['VpcId']} {one['AccepterVpcInfo']['VpcId']}"
        for part in found.values()
        for peering_id, one in part.get("peerings", {}).items()
    }
    return _renamed(found, names)


def _renamed(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, Mapping):
        return {names.get(key, key): _renamed(one, names) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


def _canonical(value: object, section: str, depth: int = 0) -> object:
    """Drop what is ignored, order every list, and make dates text."""
    if isinstance(value, Mapping):
        return {
            key: _canonical(one, key if depth == 1 else section, depth + 1)
            for key, one in value.items()
            if key != "ResponseMetadata" and f"{section}.{key}" not in IGNORED
        }
    if isinstance(value, (list, tuple)):
        ordered = [_canonical(one, section, depth + 1) for one in value]
        return sorted(ordered, key=lambda one: json.dumps(one, sort_keys=True))
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _peering(_: Client, one: Description) -> Description | None:
    return None if one["Status"]["Code"] in GONE else one


def _snapshot(_: Client, one: Description) -> Description | None:
    return None if one["SnapshotType"] == "automated" else one


def _health_check(client: Client, one: Description) -> Description:
    tags = client.list_tags_for_resource(ResourceType="healthcheck", ResourceId=one["Id"])
    return {**one, "Tags": tags["ResourceTagSet"]["Tags"]}


def _zone(client: Client, one: Description) -> Description:
    zone_id = one["Id"].rpartition("/")[2]
    tags = client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)
    records = list(_all(client, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id))
    return {**one, "Records": records, "Tags": tags["ResourceTagSet"]["Tags"]}


def _elb_tags(client: Client, arn: str) -> list[Any]:
    (one,) = client.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    tags: list[Any] = one["Tags"]
    return tags


def _load_balancer(client: Client, one: Description) -> Description:
    arn = one["LoadBalancerArn"]
    return {
        **one,
        "Attributes": client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"],
        "Tags": _elb_tags(client, arn),
        "Listeners": [
            {
                **listener,
                "Rules": client.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"],
                "Tags": _elb_tags(client, listener["ListenerArn"]),
            }
            for listener in _all(client, "describe_listeners", "Listeners", LoadBalancerArn=arn)
        ],
    }


def _target_group(client: Client, one: Description) -> Description:
    arn = one["TargetGroupArn"]
    return {
        **one,
        "Attributes": client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"],
        "Tags": _elb_tags(client, arn),
        "Targets": client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"],
    }


def _function(client: Client, one: Description) -> Description:
    name, arn = one["FunctionName"], one["FunctionArn"]
    reserved = client.get_function_concurrency(FunctionName=name)
    configs = "list_provisioned_concurrency_configs", "ProvisionedConcurrencyConfigs"
    provisioned = _all(client, *configs, FunctionName=name)
    return {
        **one,
        "Versions": list(_all(client, "list_versions_by_function", "Versions", FunctionName=name)),
        "Aliases": list(_all(client, "list_aliases", "Aliases", FunctionName=name)),
        "Provisioned": list(provisioned),
        "Reserved": reserved.get("ReservedConcurrentExecutions"),
        "Tags": client.list_tags(Resource=arn)["Tags"],
    }


def _table(client: Client, name: str) -> Description:
    one: Description = client.describe_table(TableName=name)["Table"]
    return {
        **one,
        "Backups": client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"],
        "TimeToLive": client.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
        "Tags": list(_all(client, "list_tags_of_resource", "Tags", ResourceArn=one["TableArn"])),
    }


def _template(client: Client, one: Description) -> Description:
    whole: Description = client.get_experiment_template(id=one["id"])["experimentTemplate"]
    return whole


def _experiment(_: Client, one: Description) -> Description | None:
    return None if one["state"]["status"] in FINISHED else one


def _schedule(client: Client, one: Description) -> Description:
    whole: Description = client.get_schedule(GroupName=one["GroupName"], Name=one["Name"])
    return whole


REGIONAL = (
    _Section("vpcs", "ec2", "describe_vpcs", "Vpcs", "VpcId"),
    _Section("subnets", "ec2", "describe_subnets", "Subnets", "SubnetId"),
    _Section("route_tables", "ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    _Section("network_acls", "ec2", "describe_network_acls", "NetworkAcls", "NetworkAclId"),
    _Section("security_groups", "ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    _Section(
        "peerings",
        "ec2",
        "describe_vpc_peering_connections",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
        _peering,
    ),
    _Section(
        "load_balancers",
        "elbv2",
        "describe_load_balancers",
        "LoadBalancers",
        "LoadBalancerArn",
        _load_balancer,
    ),
    _Section(
        "target_groups", "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn", _target_group
    ),
    _Section("functions", "lambda", "list_functions", "Functions", "FunctionName", _function),
    _Section("clusters", "rds", "describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
    _Section("instances", "rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    _Section(
        "cluster_snapshots",
        "rds",
        "describe_db_cluster_snapshots",
        "DBClusterSnapshots",
        "DBClusterSnapshotIdentifier",
        _snapshot,
    ),
    _Section("tables", "dynamodb", "list_tables", "TableNames", "TableName", _table),
    _Section("templates", "fis", "list_experiment_templates", "experimentTemplates", "id", _template),
    _Section("experiments", "fis", "list_experiments", "experiments", "id", _experiment),
    _Section("schedules", "scheduler", "list_schedules", "Schedules", "Arn", _schedule),
    _Section("secrets", "secretsmanager", "list_secrets", "SecretList", "ARN"),
)
WITHOUT_REGION = (
    _Section("health_checks", "route53", "list_health_checks", "HealthChecks", "Id", _health_check),
    _Section("record_sets", "route53", "list_hosted_zones", "HostedZones", "Id", _zone),
)
