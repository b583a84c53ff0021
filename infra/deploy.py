"""Brings the drilled system up and down, on AWS and on the lab alike, and says what to drill.

The stacks go up in waves: within a wave they do not need one another. Everything is done
through change sets, so that what is deployed twice changes only where it differs.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from drill.target import Dns, Region, Service, Table, Target
from infra import artefacts, stack_changes
from infra.deploy_config import DeployConfig
from infra.function_package import Package, application
from infra.stack_changes import ClientFactory, Stack

__all__ = ["DeployConfig", "deploy", "destroy"]

ALIAS = "live"
# Third octets of the subnets, one in each of two zones.
_EDGE = (10, 11)
_APP = (20, 21)

Outputs = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Place:
    """What one region's stacks gave."""

    network: Outputs
    data: Outputs
    app: Outputs


def deploy(client_of: ClientFactory, config: DeployConfig, package: Package | None = None) -> Target:
    """Create or update everything, wait for it, and return what to drill.

    Args:
        client_of: Returns a boto3 client of a service in a region; called from several threads.
        config: What to deploy.
        package: The function's code; the application if left away.

    Raises:
        UsageError: The configuration can't work; nothing was touched.
        DrillError: A stack failed; the text names the stack, the resource and the reason.

    """
    config.check()
    package = package or application()
    account = _account(client_of, config)
    buckets = artefacts.upload(client_of, artefacts.names(config.name, account, config.regions), package)
    primary, standby = config.regions
    networks = _wave(client_of, [_network(config, region) for region in config.regions])
    peering, table, data, drills = _wave(
        client_of,
        [
            _peering(config, *networks),
            config.stack(primary, "table", Project=config.name, PeerRegion=standby),
            _data(config, primary, networks[0], SecretReplicaRegion=standby),
            config.stack(primary, "drills", Project=config.name, TableName=f"{config.name}-orders"),
        ],
    )
    _, standby_data = _wave(
        client_of,
        [
            _routes_back(config, peering, networks[1]),
            _data(config, standby, networks[1], SecretArn=_in_region(data["SecretArn"], standby)),
        ],
    )
    shared = {**_code(package), **_stores(config, table, data)}
    apps = _wave(
        client_of,
        [
            _app(config, region, network, CodeBucket=buckets[region], **_localised(shared, region))
            for region, network in zip(config.regions, networks, strict=True)
        ],
    )
    (dns,) = _wave(client_of, [_dns(config, *apps)])
    places = [_Place(*parts) for parts in zip(networks, (data, standby_data), apps, strict=True)]
    return Target(
        schema=1,
        name=config.name,
        account=account,
        endpoint_url=config.endpoint_url,
        disposable=config.disposable,
        environment=config.environment,
        service=_service(config, dns),
        primary=_region(primary, places[0], dns["PrimaryHealthCheckId"]),
        standby=_region(standby, places[1], dns["StandbyHealthCheckId"]),
        dns=Dns(hosted_zone_id=dns["ZoneId"], record_name=dns["ServiceName"]),
        table=Table(name=table["TableName"], pause_role_arn=drills["PauseRoleArn"]),
        peering_id=peering["PeeringId"],
        timing=config.timing,
        objectives=config.objectives,
    )


def destroy(client_of: ClientFactory, config: DeployConfig) -> None:
    """Delete everything that :func:`deploy` made, the last made first; a cluster leaves a final snapshot.

    Raises:
        DrillError: Something could not be deleted; the text names it.

    """
    primary, standby = config.regions
    waves = (
        ((primary, "dns"),),
        ((primary, "app"), (standby, "app")),
        ((standby, "data"), (standby, "peering-routes"), (primary, "drills"), (primary, "table")),
        ((primary, "data"), (primary, "peering")),
        ((primary, "network"), (standby, "network")),
    )
    for wave in waves:
        with ThreadPoolExecutor() as pool:
            pending = [
                pool.submit(stack_changes.delete, client_of, region, f"{config.name}-{template}")
                for region, template in wave
            ]
        for one in pending:
            one.result()
    account = _account(client_of, config)
    artefacts.remove(client_of, artefacts.names(config.name, account, config.regions))


def _account(client_of: ClientFactory, config: DeployConfig) -> str:
    return str(client_of("sts", config.primary_region).get_caller_identity()["Account"])


def _wave(client_of: ClientFactory, stacks: Sequence[Stack]) -> list[dict[str, str]]:
    """Put stacks side by side; returns their outputs in the order of the stacks."""
    with ThreadPoolExecutor() as pool:
        pending = [pool.submit(stack_changes.put, client_of, stack) for stack in stacks]
    return [one.result() for one in pending]


def _in_region(arn: str, region: str) -> str:
    """Return the ARN of a resource's replica, which differs in the region alone."""
    parts = arn.split(":")
    parts[3] = region
    return ":".join(parts)


def _network(config: DeployConfig, region: str) -> Stack:
    return config.stack(
        region,
        "network",
        Project=config.name,
        VpcCidr=config.cidr(region),
        EdgeCidrA=config.subnet_cidr(region, _EDGE[0]),
        EdgeCidrB=config.subnet_cidr(region, _EDGE[1]),
        AppCidrA=config.subnet_cidr(region, _APP[0]),
        AppCidrB=config.subnet_cidr(region, _APP[1]),
        PeerCidr=config.cidr(config.peer(region)),
        HttpPort=str(config.http_port),
        DatabasePort=str(config.database_port),
    )


def _peering(config: DeployConfig, primary: Outputs, standby: Outputs) -> Stack:
    return config.stack(
        config.primary_region,
        "peering",
        Project=config.name,
        VpcId=primary["VpcId"],
        PeerVpcId=standby["VpcId"],
        PeerRegion=config.standby_region,
        PeerCidr=config.standby_cidr,
        AppRouteTableId=primary["AppRouteTableId"],
    )


def _routes_back(config: DeployConfig, peering: Outputs, standby: Outputs) -> Stack:
    return config.stack(
        config.standby_region,
        "peering-routes",
        PeeringId=peering["PeeringId"],
        PeerCidr=config.primary_cidr,
        AppRouteTableId=standby["AppRouteTableId"],
    )


def _data(config: DeployConfig, region: str, network: Outputs, **secret: str) -> Stack:
    return config.stack(
        region,
        "data",
        Project=config.name,
        SubnetIds=network["AppSubnetIds"],
        SecurityGroupId=network["DatabaseSecurityGroupId"],
        DatabasePort=str(config.database_port),
        **secret,
    )


def _code(package: Package) -> dict[str, str]:
    return {"CodeKey": package.key, "CodeSha256": package.sha256, "Handler": package.handler}


def _stores(config: DeployConfig, table: Outputs, data: Outputs) -> dict[str, str]:
    """Return the parameters of what both regions write to: the table, and the primary's database."""
    return {
        "TableName": table["TableName"],
        "TableArn": table["TableArn"],
        "DatabaseHost": data["Endpoint"],
        "DatabasePort": data["Port"],
        "DatabaseSecretArn": data["SecretArn"],
        "DatabaseTimeoutS": str(config.database_timeout_s),
    }


def _localised(parameters: Mapping[str, str], region: str) -> dict[str, str]:
    """Return the parameters with the ARNs of the replicas in a region."""
    return {
        name: _in_region(value, region) if name in {"TableArn", "DatabaseSecretArn"} else value
        for name, value in parameters.items()
    }


def _app(config: DeployConfig, region: str, network: Outputs, **parameters: str) -> Stack:
    return config.stack(
        region,
        "app",
        Project=config.name,
        EdgeSubnetIds=network["EdgeSubnetIds"],
        AppSubnetIds=network["AppSubnetIds"],
        EdgeSecurityGroupId=network["EdgeSecurityGroupId"],
        AppSecurityGroupId=network["AppSecurityGroupId"],
        HttpPort=str(config.http_port),
        ProvisionedConcurrency=str(config.provisioned_concurrency),
        **parameters,
    )


def _dns(config: DeployConfig, primary: Outputs, standby: Outputs) -> Stack:
    return config.stack(
        config.primary_region,
        "dns",
        Project=config.name,
        Domain=config.domain,
        HttpPort=str(config.http_port),
        PrimaryLoadBalancer=primary["LoadBalancerName"],
        PrimaryLoadBalancerZoneId=primary["LoadBalancerZoneId"],
        StandbyLoadBalancer=standby["LoadBalancerName"],
        StandbyLoadBalancerZoneId=standby["LoadBalancerZoneId"],
    )


def _service(config: DeployConfig, dns: Outputs) -> Service:
    return Service(
        host=dns["ServiceName"],
        port=config.http_port,
        scheme="http",
        resolver=config.resolver,
        name_servers=config.name_servers,
    )


def _region(name: str, place: _Place, health_check_id: str) -> Region:
    return Region(
        name=name,
        load_balancer=place.app["LoadBalancerName"],
        load_balancer_arn=place.app["LoadBalancerArn"],
        vpc_id=place.network["VpcId"],
        edge_subnet_ids=tuple(place.network["EdgeSubnetIds"].split(",")),
        app_subnet_ids=tuple(place.network["AppSubnetIds"].split(",")),
        health_check_id=health_check_id,
        function_name=place.app["FunctionName"],
        function_alias=ALIAS,
        cluster_id=place.data["ClusterId"],
    )
