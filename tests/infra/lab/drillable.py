"""An account with one of everything drillable, and changes to it that can be put back."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

from drill.aws import Aws
from tests.infra.lab.tablelab import EAST, REGIONS, ROLE, WEST, make_table, template

TAG = {"Key": "drill:opt-in", "Value": "true"}


def build(aws: Aws) -> None:
    """Make one of everything drillable."""
    services = ["fis.amazonaws.com", "lambda.amazonaws.com", "scheduler.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    aws.client("iam", "global").create_role(RoleName="fis", AssumeRolePolicyDocument=document)
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
    found = aws.client("ec2", EAST).describe_route_tables(Filters=wanted)["RouteTables"]
    return str(found[0]["RouteTableId"])


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
    values = [{"Value": f"192.0.2.{last}"}]
    wanted = {"Name": "www.shop.test", "Type": "A", "TTL": 5, "ResourceRecords": values}
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


def change_acl(aws: Aws) -> Callable[[], None]:
    """Give a subnet a network ACL that denies all; return the way back."""
    ec2 = aws.client("ec2", EAST)
    acl_id = ec2.create_network_acl(VpcId=vpc_of(aws, EAST))["NetworkAcl"]["NetworkAclId"]
    before = _swap_acl(aws, acl_id)

    def back() -> None:
        _swap_acl(aws, before)
        ec2.delete_network_acl(NetworkAclId=acl_id)

    return back


def change_peering(aws: Aws) -> Callable[[], None]:
    """Delete the peering; the way back makes another; return the way back."""
    unpeer(aws)
    return lambda: peer(aws)


def change_health_check(aws: Aws) -> Callable[[], None]:
    """Turn the health check around; return the way back."""
    client, check = aws.client("route53", "global"), health_check_of(aws)
    client.update_health_check(HealthCheckId=check, Inverted=True, Disabled=True)
    return lambda: client.update_health_check(HealthCheckId=check, Inverted=False, Disabled=False)


def change_record(aws: Aws) -> Callable[[], None]:
    """Let a name point elsewhere; return the way back."""
    zone_id = aws.client("route53", "global").list_hosted_zones()["HostedZones"][0]["Id"]
    record(aws, zone_id, 2)
    return lambda: record(aws, zone_id, 1)


def change_alias(aws: Aws) -> Callable[[], None]:
    """Let the alias point at another version; return the way back."""
    client = aws.client("lambda", EAST)
    client.update_alias(FunctionName="orders", Name="live", FunctionVersion="$LATEST")
    return lambda: client.update_alias(FunctionName="orders", Name="live", FunctionVersion="1")


def change_provisioned(aws: Aws) -> Callable[[], None]:
    """Keep a process warm; return the way back."""
    client = aws.client("lambda", EAST)
    client.put_provisioned_concurrency_config(
        FunctionName="orders", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    return lambda: client.delete_provisioned_concurrency_config(FunctionName="orders", Qualifier="live")


def change_reserved(aws: Aws) -> Callable[[], None]:
    """Throttle the function; return the way back."""
    client = aws.client("lambda", EAST)
    client.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=0)
    return lambda: client.delete_function_concurrency(FunctionName="orders")


def change_capacity(aws: Aws) -> Callable[[], None]:
    """Lower a table's capacity; return the way back."""
    client = aws.client("dynamodb", EAST)

    def change_to(units: int) -> None:
        client.update_table(TableName="provisioned", ProvisionedThroughput=capacity(units))
        while client.describe_table(TableName="provisioned")["Table"]["TableStatus"] != "ACTIVE":
            time.sleep(0.01)

    change_to(1)
    return lambda: change_to(5)


def change_experiment(aws: Aws) -> Callable[[], None]:
    """Start an experiment; return the way back."""
    client = aws.client("fis", EAST)
    (one,) = client.list_experiment_templates()["experimentTemplates"]
    started = client.start_experiment(experimentTemplateId=one["id"])["experiment"]["id"]
    return lambda: client.stop_experiment(id=started)


def change_listener(aws: Aws) -> Callable[[], None]:
    """Let the load balancer listen elsewhere; return the way back."""
    client = aws.client("elbv2", EAST)
    arn = client.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    (one,) = client.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    client.modify_listener(ListenerArn=one["ListenerArn"], Port=81)
    return lambda: client.modify_listener(ListenerArn=one["ListenerArn"], Port=80)


def change_tag(aws: Aws) -> Callable[[], None]:
    """Take the opt-in tag away; return the way back."""
    client, secret = aws.client("secretsmanager", EAST), "database"
    client.untag_resource(SecretId=secret, TagKeys=[TAG["Key"]])
    return lambda: client.tag_resource(SecretId=secret, Tags=[TAG])


def change_schedule(aws: Aws) -> Callable[[], None]:
    """Let a schedule fire later; return the way back."""
    client = aws.client("scheduler", EAST)
    client.update_schedule(Name="once", **schedule("at(2101-01-01T00:00:00)"))
    return lambda: client.update_schedule(Name="once", **schedule())


def change_snapshot(aws: Aws) -> Callable[[], None]:
    """Leave a snapshot; return the way back."""
    client = aws.client("rds", EAST)
    client.create_db_cluster_snapshot(DBClusterIdentifier="main", DBClusterSnapshotIdentifier="left")
    return lambda: client.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="left")


CHANGES: tuple[Callable[[Aws], Callable[[], None]], ...] = (
    change_acl,
    change_peering,
    change_health_check,
    change_record,
    change_alias,
    change_provisioned,
    change_reserved,
    change_capacity,
    change_experiment,
    change_listener,
    change_tag,
    change_schedule,
    change_snapshot,
)
