"""One small two-region system in a cloud of many: made through AWS's API, and described as a target.

All that a drill touches is made by real calls (VPCs and their network ACLs, health checks, the
zone's failover records, the global table, the role of AWS FIS). The load balancers alone are given
to the physics by hand: no fault touches one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drill.aws import Aws
from drill.target import Dns, Environment, Region, Service, Table, Target
from infra.lab.addresses import Addresses
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.ready import REGIONS
from infra.lab.world import Listener, LoadBalancer
from tests.truth.draw import Drill

ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/fis"
CHECK_PATH = "/health/check"
CLIENT_PATH = "/health/regional"
CANARY_PATH = "/health/canary"
_TAGS = [{"Key": "drill:opt-in", "Value": "true"}]
_MOST = 90


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a cloud answers.

    Attributes:
        endpoint_url: AWS's API.
        http: The load balancers' TCP port.
        resolver: ``address:port`` of the clients' resolver.
        name_server: ``address:port`` of the zones' server.

    """

    endpoint_url: str
    http: int
    resolver: str
    name_server: str


@dataclass(frozen=True, slots=True)
class System:
    """A system that is there.

    Attributes:
        target: How a drill is told of it.
        balancers: Its load balancers.
        addresses: Where they answer, by region.

    """

    target: Target
    balancers: tuple[LoadBalancer, ...]
    addresses: Mapping[str, str]


class Builder:
    """Makes the systems of one cloud."""

    def __init__(self, aws: Aws, addresses: Addresses, ports: Ports) -> None:
        """Take the cloud's API and where things are; the role of AWS FIS is made."""
        self._aws, self._addresses, self._ports = aws, addresses, ports
        self._made = 0
        aws.client("iam", "global").create_role(RoleName="fis", AssumeRolePolicyDocument="{}")

    def build(self, drill: Drill) -> System:
        """Make the system of a drill."""
        place = self._made
        self._made += 1
        assert place < _MOST, "a cloud has no addresses for more systems"
        self._table(drill.name)
        made = [self._region(drill, region, place) for region in REGIONS]
        zone = self._zone(drill, [region for region, _ in made])
        primary, standby = (region for region, _ in made)
        target = Target(
            schema=1,
            name=drill.name,
            account=ACCOUNT,
            endpoint_url=self._ports.endpoint_url,
            disposable=True,
            environment=Environment(kind="lab", profile="truth"),
            service=Service(
                host=name_of(drill),
                port=self._ports.http,
                scheme="http",
                resolver=self._ports.resolver,
                name_servers=(self._ports.name_server,),
                health_path=CLIENT_PATH,
            ),
            primary=primary,
            standby=standby,
            dns=Dns(hosted_zone_id=zone, record_name=name_of(drill)),
            table=Table(name=drill.name, pause_role_arn=ROLE_ARN if drill.method == "paused" else None),
            peering_id="pcx-none",
        )
        addresses = {region.name: self._address(region) for region in (primary, standby)}
        return System(target, tuple(balancer for _, balancer in made), addresses)

    def _table(self, name: str) -> None:
        client = self._aws.client("dynamodb", REGIONS[0])
        keys = {"customer": "HASH", "token": "RANGE"}
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
            Tags=_TAGS,
        )
        client.update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": REGIONS[1]}}])

    def _region(self, drill: Drill, region: str, place: int) -> tuple[Region, LoadBalancer]:
        ec2 = self._aws.client("ec2", region)
        vpc = ec2.create_vpc(CidrBlock=f"10.{place + 1}.0.0/16", TagSpecifications=_tagged("vpc"))["Vpc"]
        subnets = [
            ec2.create_subnet(
                VpcId=vpc["VpcId"],
                CidrBlock=f"10.{place + 1}.{first + place}.0/24",
                TagSpecifications=_tagged("subnet"),
            )["Subnet"]["SubnetId"]
            for first in (10, 110)
        ]
        balancer = self._balancer(drill, region, vpc["VpcId"], subnets[0])
        check = self._check(drill, balancer.dns_name, region)
        described = Region(
            name=region,
            load_balancer=balancer.dns_name,
            load_balancer_arn=balancer.arn,
            vpc_id=vpc["VpcId"],
            edge_subnet_ids=(subnets[0],),
            app_subnet_ids=(subnets[1],),
            health_check_id=check,
            function_name=drill.name,
            function_alias="live",
        )
        return described, balancer

    def _balancer(self, drill: Drill, region: str, vpc: str, subnet: str) -> LoadBalancer:
        return LoadBalancer(
            arn=f"arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/app/{drill.name}/0123456789abcdef",
            name=drill.name,
            region=region,
            dns_name=f"{drill.name}-1.{region}.elb.amazonaws.com",
            vpc_id=vpc,
            subnet_ids=(subnet,),
            listeners=(Listener(self._ports.http, drill.name, "live"),),
        )

    def _check(self, drill: Drill, host: str, region: str) -> str:
        client = self._aws.client("route53", "global")
        config = {
            "Type": "HTTP",
            "FullyQualifiedDomainName": host,
            "Port": self._ports.http,
            "ResourcePath": CHECK_PATH,
            "RequestInterval": 10,
            "FailureThreshold": drill.threshold,
        }
        made = client.create_health_check(CallerReference=f"{drill.name}-{region}", HealthCheckConfig=config)[
            "HealthCheck"
        ]
        client.change_tags_for_resource(ResourceType="healthcheck", ResourceId=made["Id"], AddTags=_TAGS)
        return str(made["Id"])

    def _zone(self, drill: Drill, regions: list[Region]) -> str:
        client = self._aws.client("route53", "global")
        name = f"{drill.name}.truth.test."
        zone = client.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]
        changes = [
            {"Action": "CREATE", "ResourceRecordSet": self._record(drill, region, role)}
            for region, role in zip(regions, ("PRIMARY", "SECONDARY"), strict=True)
        ]
        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        return str(zone).rpartition("/")[2]

    def _record(self, drill: Drill, region: Region, role: str) -> dict[str, Any]:
        return {
            "Name": name_of(drill),
            "Type": "A",
            "TTL": drill.ttl_s,
            "SetIdentifier": role.lower(),
            "Failover": role,
            "HealthCheckId": region.health_check_id,
            "ResourceRecords": [{"Value": self._address(region)}],
        }

    def _address(self, region: Region) -> str:
        """Return where a region's load balancer answers."""
        found = self._aws.client("ec2", region.name).describe_subnets(SubnetIds=list(region.edge_subnet_ids))
        private = self._addresses.host(found["Subnets"][0]["CidrBlock"], region.load_balancer_arn)
        return self._addresses.inside(region.name, private)


def name_of(drill: Drill) -> str:
    """Return the name of a drill's system that fails over."""
    return f"shop.{drill.name}.truth.test"


def _tagged(kind: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": _TAGS}]
