"""The fingerprint: blind to what is published as ignored, and to nothing else."""

import copy
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.core.base_backend import BackendDict

from drill.aws import Aws
from infra.lab import fingerprint
from infra.lab.control_plane import ControlPlane, experiments
from infra.lab.fingerprint import IGNORED
from tests.infra.lab.tablelab import EAST, REGIONS, ROLE, WEST, make_table, put, template

TAG = {"Key": "drill:opt-in", "Value": "true"}


@pytest.fixture(scope="module")
def clients() -> Iterator[Aws]:
    """Give the clients of a control plane that has one of everything drillable."""
    with ControlPlane("127.0.0.1", 0, REGIONS) as plane:
        BackendDict.reset()
        experiments.install(0.0, lambda: None)
        aws = Aws(plane.endpoint_url, timeout_s=10, attempts=1)
        _build(aws)
        yield aws


def _build(aws: Aws) -> None:
    aws.client("iam", "global").create_role(RoleName="fis", AssumeRolePolicyDocument="{}")
    for number, region in enumerate(REGIONS):
        vpc_id = aws.client("ec2", region).create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        aws.client("ec2", region).create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "lab"}])
    _build_network(aws)
    _build_services(aws)
    _build_stores(aws)
    _build_names(aws)


def _build_network(aws: Aws) -> None:
    ec2, elb = aws.client("ec2", EAST), aws.client("elbv2", EAST)
    subnets = [
        ec2.create_subnet(
            VpcId=vpc_of(aws, EAST), CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{EAST}{zone}"
        )["Subnet"]["SubnetId"]
        for number, zone in ((1, "a"), (2, "b"))
    ]
    peer(aws)
    arn = elb.create_load_balancer(Name="edge", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(Name="orders", TargetType="lambda")["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=arn,
        Port=80,
        Protocol="HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    elb.add_tags(ResourceArns=[arn, group], Tags=[TAG])


def _build_services(aws: Aws) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", "def handler(event, context): return {}")
    client = aws.client("lambda", EAST)
    client.create_function(
        FunctionName="orders",
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Publish=True,
        Tags={"drill:opt-in": "true"},
    )
    client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    aws.client("scheduler", EAST).create_schedule(Name="once", **schedule())


def _build_stores(aws: Aws) -> None:
    table = make_table(aws)
    aws.client("fis", EAST).create_experiment_template(**template(table), tags={"a": "b"})
    aws.client("dynamodb", EAST).create_table(
        TableName="provisioned",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput=capacity(5),
        Tags=[TAG],
    )
    rds = aws.client("rds", EAST)
    rds.create_db_cluster(
        DBClusterIdentifier="main",
        Engine="aurora-postgresql",
        MasterUsername="orders",
        MasterUserPassword="password1",
    )
    rds.create_db_instance(
        DBInstanceIdentifier="main-1",
        DBClusterIdentifier="main",
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )
    rds.create_db_cluster_snapshot(DBClusterIdentifier="main", DBClusterSnapshotIdentifier="kept")
    aws.client("secretsmanager", EAST).create_secret(Name="database", SecretString="first", Tags=[TAG])


def _build_names(aws: Aws) -> None:
    route53 = aws.client("route53", "global")
    zone_id = route53.create_hosted_zone(Name="shop.test", CallerReference="1")["HostedZone"]["Id"]
    record(aws, zone_id, 1)
    check = route53.create_health_check(
        CallerReference="1", HealthCheckConfig={"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80}
    )
    route53.change_tags_for_resource(
        ResourceType="healthcheck", ResourceId=check["HealthCheck"]["Id"], AddTags=[TAG]
    )


def vpc_of(aws: Aws, region: str) -> str:
    """Return the VPC that these tests made in a region."""
    named = {"Name": "tag:Name", "Values": ["lab"]}
    return str(aws.client("ec2", region).describe_vpcs(Filters=[named])["Vpcs"][0]["VpcId"])


def subnet_of(aws: Aws) -> str:
    """Return a subnet in the east."""
    wanted = [{"Name": "vpc-id", "Values": [vpc_of(aws, EAST)]}]
    return str(aws.client("ec2", EAST).describe_subnets(Filters=wanted)["Subnets"][0]["SubnetId"])


def route_table_of(aws: Aws) -> str:
    """Return the main route table in the east."""
    wanted = [{"Name": "vpc-id", "Values": [vpc_of(aws, EAST)]}]
    return str(
        aws.client("ec2", EAST).describe_route_tables(Filters=wanted)["RouteTables"][0]["RouteTableId"]
    )


def peer(aws: Aws) -> None:
    """Join both VPCs and route over the peering."""
    east, west = aws.client("ec2", EAST), aws.client("ec2", WEST)
    peering_id = east.create_vpc_peering_connection(
        VpcId=vpc_of(aws, EAST), PeerVpcId=vpc_of(aws, WEST), PeerRegion=WEST
    )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    west.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    east.create_route(
        RouteTableId=route_table_of(aws),
        DestinationCidrBlock="10.1.0.0/16",
        VpcPeeringConnectionId=peering_id,
    )


def unpeer(aws: Aws) -> None:
    """Take the peering and its route away."""
    east = aws.client("ec2", EAST)
    east.delete_route(RouteTableId=route_table_of(aws), DestinationCidrBlock="10.1.0.0/16")
    for one in east.describe_vpc_peering_connections()["VpcPeeringConnections"]:
        if one["Status"]["Code"] == "active":
            east.delete_vpc_peering_connection(VpcPeeringConnectionId=one["VpcPeeringConnectionId"])


def record(aws: Aws, zone_id: str, last: int) -> None:
    """Set the address of a name."""
    wanted = {
        "Name": "www.shop.test",
        "Type": "A",
        "TTL": 5,
        "ResourceRecords": [{"Value": f"192.0.2.{last}"}],
    }
    changes = [{"Action": "UPSERT", "ResourceRecordSet": wanted}]
    aws.client("route53", "global").change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
    )


def schedule(expression: str = "at(2100-01-01T00:00:00)") -> dict[str, Any]:
    """Return a one-shot schedule."""
    return {
        "ScheduleExpression": expression,
        "State": "ENABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:queue", "RoleArn": ROLE},
    }


def capacity(units: int) -> dict[str, int]:
    """Return a table's capacity."""
    return {"ReadCapacityUnits": units, "WriteCapacityUnits": units}


def taken(aws: Aws) -> str:
    """Return the fingerprint now."""
    return fingerprint.fingerprint(aws.client, REGIONS)


def health_check_of(aws: Aws) -> str:
    """Return the health check."""
    return str(aws.client("route53", "global").list_health_checks()["HealthChecks"][0]["Id"])


def _swap_acl(aws: Aws, acl_id: str) -> str:
    ec2, subnet_id = aws.client("ec2", EAST), subnet_of(aws)
    wanted = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
    (acl,) = ec2.describe_network_acls(Filters=wanted)["NetworkAcls"]
    (tie,) = [one for one in acl["Associations"] if one["SubnetId"] == subnet_id]
    ec2.replace_network_acl_association(AssociationId=tie["NetworkAclAssociationId"], NetworkAclId=acl_id)
    return str(acl["NetworkAclId"])


def _acl(aws: Aws) -> Callable[[], None]:
    ec2 = aws.client("ec2", EAST)
    acl_id = ec2.create_network_acl(VpcId=vpc_of(aws, EAST))["NetworkAcl"]["NetworkAclId"]
    before = _swap_acl(aws, acl_id)

    def back() -> None:
        _swap_acl(aws, before)
        ec2.delete_network_acl(NetworkAclId=acl_id)

    return back


def _peering(aws: Aws) -> Callable[[], None]:
    unpeer(aws)
    return lambda: peer(aws)


def _health_check(aws: Aws) -> Callable[[], None]:
    client, check = aws.client("route53", "global"), health_check_of(aws)
    client.update_health_check(HealthCheckId=check, Inverted=True, Disabled=True)
    return lambda: client.update_health_check(HealthCheckId=check, Inverted=False, Disabled=False)


def _record(aws: Aws) -> Callable[[], None]:
    zone_id = aws.client("route53", "global").list_hosted_zones()["HostedZones"][0]["Id"]
    record(aws, zone_id, 2)
    return lambda: record(aws, zone_id, 1)


def _alias(aws: Aws) -> Callable[[], None]:
    client = aws.client("lambda", EAST)
    client.update_alias(FunctionName="orders", Name="live", FunctionVersion="$LATEST")
    return lambda: client.update_alias(FunctionName="orders", Name="live", FunctionVersion="1")


def _provisioned(aws: Aws) -> Callable[[], None]:
    client = aws.client("lambda", EAST)
    client.put_provisioned_concurrency_config(
        FunctionName="orders", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    return lambda: client.delete_provisioned_concurrency_config(FunctionName="orders", Qualifier="live")


def _reserved(aws: Aws) -> Callable[[], None]:
    client = aws.client("lambda", EAST)
    client.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=0)
    return lambda: client.delete_function_concurrency(FunctionName="orders")


def _capacity(aws: Aws) -> Callable[[], None]:
    client = aws.client("dynamodb", EAST)
    client.update_table(TableName="provisioned", ProvisionedThroughput=capacity(1))
    return lambda: client.update_table(TableName="provisioned", ProvisionedThroughput=capacity(5))


def _experiment(aws: Aws) -> Callable[[], None]:
    client = aws.client("fis", EAST)
    (one,) = client.list_experiment_templates()["experimentTemplates"]
    started = client.start_experiment(experimentTemplateId=one["id"])["experiment"]["id"]
    return lambda: client.stop_experiment(id=started)


def _listener(aws: Aws) -> Callable[[], None]:
    client = aws.client("elbv2", EAST)
    arn = client.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    (one,) = client.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    client.modify_listener(ListenerArn=one["ListenerArn"], Port=81)
    return lambda: client.modify_listener(ListenerArn=one["ListenerArn"], Port=80)


def _tag(aws: Aws) -> Callable[[], None]:
    client, secret = aws.client("secretsmanager", EAST), "database"
    client.untag_resource(SecretId=secret, TagKeys=[TAG["Key"]])
    return lambda: client.tag_resource(SecretId=secret, Tags=[TAG])


def _schedule(aws: Aws) -> Callable[[], None]:
    client = aws.client("scheduler", EAST)
    client.update_schedule(Name="once", **schedule("at(2101-01-01T00:00:00)"))
    return lambda: client.update_schedule(Name="once", **schedule())


def _snapshot(aws: Aws) -> Callable[[], None]:
    client = aws.client("rds", EAST)
    client.create_db_cluster_snapshot(DBClusterIdentifier="main", DBClusterSnapshotIdentifier="left")
    return lambda: client.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="left")


@pytest.mark.parametrize(
    "change",
    [
        _acl,
        _peering,
        _health_check,
        _record,
        _alias,
        _provisioned,
        _reserved,
        _capacity,
        _experiment,
        _listener,
        _tag,
        _schedule,
        _snapshot,
    ],
)
def test_a_change_shows_and_its_undo_brings_the_fingerprint_back(
    clients: Aws, change: Callable[[Aws], Callable[[], None]]
) -> None:
    """What a drill changes gives another fingerprint; put back, it is the one from before."""
    before = taken(clients)
    back = change(clients)
    assert taken(clients) != before
    back()
    assert taken(clients) == before


def test_rows_and_reads_do_not_show(clients: Aws) -> None:
    """What the application writes, and reading a secret, leave the fingerprint alone."""
    before = taken(clients)
    put(clients, "1")
    clients.client("secretsmanager", EAST).get_secret_value(SecretId="database")
    assert taken(clients) == before


def test_a_changed_secret_shows_without_being_read(clients: Aws) -> None:
    """The value never enters, but that there is a new one does."""
    before = taken(clients)
    clients.client("secretsmanager", EAST).put_secret_value(SecretId="database", SecretString="hush-hush")
    assert taken(clients) != before
    assert "hush-hush" not in json.dumps(fingerprint.configuration(clients.client, REGIONS))


def test_it_is_fast(clients: Aws) -> None:
    """Reading two regions takes less than many times what one Describe call takes (a ratio)."""
    taken(clients)
    began = time.perf_counter()
    for _ in range(20):
        clients.client("ec2", EAST).describe_vpcs()
    one_s = (time.perf_counter() - began) / 20
    began = time.perf_counter()
    taken(clients)
    assert time.perf_counter() - began < 400 * one_s


class Recording:
    """Keeps every answer of the API in the order in which it came."""

    def __init__(self, aws: Aws) -> None:
        """Record the answers of these clients."""
        self._aws = aws
        self.answers: list[tuple[str, dict[str, Any]]] = []

    def client(self, service: str, region: str) -> "_Recorded":
        """Return a recording client."""
        return _Recorded(self, service, self._aws.client(service, region))


class _Recorded:
    def __init__(self, recording: Recording, service: str, client: Any) -> None:
        self._recording = recording
        self._service = service
        self._client = client

    def can_paginate(self, _: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**params: Any) -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._client, operation)(**params)
            answer.pop("ResponseMetadata", None)
            self._recording.answers.append((operation, answer))
            return copy.deepcopy(answer)

        return call


class Replay:
    """Gives recorded answers again, in their order, whatever is asked."""

    def __init__(self, answers: list[tuple[str, dict[str, Any]]]) -> None:
        """Answer so."""
        self._answers = iter(answers)

    def client(self, service: str, region: str) -> "Replay":
        """Return itself: the order tells who asks."""
        return self

    def can_paginate(self, _: str) -> bool:
        """Say that each answer is whole."""
        return False

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        return lambda **_: next(self._answers)[1]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the paths to all that is neither a mapping nor a list."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from leaves(one, (*path, number))
    else:
        yield path


def changed(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return f"{value}-changed"


def with_change(answer: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """Return an answer with one leaf changed."""
    other = copy.deepcopy(answer)
    place: Any = other
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = changed(place[path[-1]])
    return other


# What belongs to the paging of an answer, or repeats what was asked.
ENVELOPE = {
    "IsTruncated",
    "Marker",
    "MaxItems",
    "NextMarker",
    "NextToken",
    "ResourceArn",
    "ResourceId",
    "ResourceType",
    "nextToken",
}
# Calls whose answers only say what to get; what is then got is compared.
SUMMARIES = {"list_experiment_templates", "list_schedules", "list_tables"}


def compared(operation: str, answer: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Return the paths to the leaves of an answer that must show."""
    for path in leaves(answer):
        if operation not in SUMMARIES and not ENVELOPE & set(named(path)):
            listed = answer[path[0]]
            if not isinstance(listed, list) or not left_out(listed[path[1]]):
                yield path


def left_out(one: Any) -> bool:
    """Say whether something is of those that are published as left out as a whole."""
    if not isinstance(one, dict):
        return False
    return (
        one.get("SnapshotType") == "automated"
        or one.get("state", {}).get("status") == "stopped"
        or ("AccepterVpcInfo" in one and one["Status"]["Code"] == "deleted")
    )


def named(path: tuple[Any, ...]) -> list[str]:
    """Return a path without the places in lists."""
    return [step for step in path if isinstance(step, str)]


def test_every_field_that_is_not_ignored_shows(clients: Aws) -> None:
    """Each leaf of each answer of the API, changed alone, changes the fingerprint; unless it is ignored."""
    recording = Recording(clients)
    before = fingerprint.fingerprint(recording.client, (EAST,))
    answers = recording.answers
    assert fingerprint.fingerprint(Replay(answers).client, (EAST,)) == before
    fields = {entry.partition(".")[2] for entry in IGNORED}
    silent, count = set(), 0
    for number, (operation, answer) in enumerate(answers):
        for path in compared(operation, answer):
            count += 1
            others = [*answers]
            others[number] = operation, with_change(answer, path)
            if fingerprint.fingerprint(Replay(others).client, (EAST,)) == before:
                silent.add((operation, *named(path)))
    unexplained = {path for path in silent if not fields & set(path)}
    assert unexplained == set()
    assert silent
    assert count > 300


def test_what_is_ignored_has_a_reason() -> None:
    """Each entry of the published list says why."""
    assert all(len(reason) > 10 for reason in IGNORED.values())
