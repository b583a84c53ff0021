"""Reads moto's state into one :class:`infra.lab.world.Snapshot`; no locks but the databases' own."""

from collections.abc import Iterator, Sequence
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.ec2.models import ec2_backends
from moto.elbv2.models import FakeListener, FakeLoadBalancer, elbv2_backends
from moto.rds.models import DBCluster, rds_backends
from moto.route53.models import RecordSet, route53_backends

from infra.lab import world
from infra.lab.control_plane import alarm_checks, functions
from infra.lab.control_plane import cluster_snapshots as snapshots_of_clusters
from infra.lab.control_plane.database_state import BOOK, password, state_of
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.wiring import WIRING

Backend = Any


def _true(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def load_balancers(regions: Sequence[str]) -> Iterator[world.LoadBalancer]:
    """Return the load balancers with the listeners that forward to a function."""
    for region in regions:
        backend = elbv2_backends[ACCOUNT][region]
        for item in list(backend.load_balancers.values()):
            yield _load_balancer(backend, item, region)


def _load_balancer(backend: Backend, item: FakeLoadBalancer, region: str) -> world.LoadBalancer:
    found = [_listener(backend, listener) for listener in list(item.listeners.values())]
    return world.LoadBalancer(
        arn=item.arn,
        name=item.name,
        region=region,
        dns_name=item.dns_name,
        vpc_id=item.vpc_id,
        subnet_ids=tuple(subnet.id for subnet in item.subnets),
        listeners=tuple(listener for listener in found if listener is not None),
        security_group_ids=tuple(item.security_groups or ()),
    )


def _listener(backend: Backend, listener: FakeListener) -> world.Listener | None:
    for action in listener.default_actions:
        groups = [action.data.get("TargetGroupArn")]
        groups += [
            group["TargetGroupArn"] for group in action.data.get("ForwardConfig", {}).get("TargetGroups", [])
        ]
        for arn in groups:
            group = backend.target_groups.get(arn)
            if group is None or group.target_type != "lambda" or not group.targets:
                continue
            named = next(iter(group.targets)).rpartition(":function:")[2]
            name, _, qualifier = named.partition(":")
            return world.Listener(int(listener.port), name, qualifier or "$LATEST", str(arn))
    return None


def clusters(regions: Sequence[str]) -> Iterator[world.Cluster]:
    """Return the Aurora clusters, each with its instances, the writer first."""
    with WIRING.databases:
        for region in regions:
            backend = rds_backends[ACCOUNT][region]
            for item in list(backend.clusters.values()):
                yield _cluster(backend, item, region)


def _cluster(backend: Backend, item: DBCluster, region: str) -> world.Cluster:
    group = backend.subnet_groups.get(item.db_subnet_group_name)
    members = sorted(item._members, key=lambda member: not member.is_cluster_writer)
    living = [member for member in members if member.status != "deleting"]
    state = state_of(item)
    capacity = item.serverless_v2_scaling_configuration or {}
    return world.Cluster(
        id=item.db_cluster_identifier,
        region=region,
        status=item._status,
        # Nobody answers as the writer of a cluster that follows another one.
        endpoint="" if state.primary else item.endpoint,
        reader_endpoint=item.reader_endpoint,
        port=int(item.port),
        database=item.database_name or "",
        username=item.master_username or "",
        password=password(item),
        subnet_ids=() if group is None else tuple(subnet.id for subnet in group._subnets),
        vpc_id="" if group is None else group.vpc_id,
        instances=tuple(str(member.db_instance_identifier) for member in living),
        resource=item.db_cluster_resource_id,
        origin=state.origin,
        primary=state.primary,
        revision=state.revision,
        names=(*(member.address for member in living), *_writer_names(item)),
        security_group_ids=tuple(item.vpc_security_group_ids),
        min_acu=float(capacity.get("MinCapacity", 0)),
        max_acu=float(capacity.get("MaxCapacity", 0)),
        leaving=tuple(str(one.db_instance_identifier) for one in item._members if one not in living),
    )


def _writer_names(cluster: DBCluster) -> tuple[str, ...]:
    """Return the endpoint of the global database whose writer a cluster is."""
    name = cluster.global_cluster_identifier
    if not name or not cluster.is_writer:
        return ()
    group = rds_backends[ACCOUNT]["us-east-1"].global_clusters.get(name)
    return () if group is None else (group.endpoint,)


def cluster_snapshots(regions: Sequence[str]) -> tuple[world.ClusterSnapshot, ...]:
    """Return the snapshots of Aurora clusters."""
    with WIRING.databases:
        return snapshots_of_clusters.shown(regions)


def database_tasks() -> tuple[world.DatabaseTask, ...]:
    """Return what the databases are to do and have not reported as done."""
    with WIRING.databases:
        return tuple(asked.task for asked in BOOK.tasks.values())


def lambdas(regions: Sequence[str]) -> tuple[list[world.Function], list[world.FunctionAlias]]:
    """Return every version of every function, and the aliases."""
    found: list[world.Function] = []
    names: list[world.FunctionAlias] = []
    for region in regions:
        backend = functions.backend_of(region)
        for group in list(backend._lambdas._functions.values()):
            latest: LambdaFunction = group["latest"]
            aliases = functions.aliases_of(backend, latest)
            names += [
                world.FunctionAlias(latest.function_name, region, name, version)
                for name, version in aliases.items()
            ]
            found += [_function(item, latest, aliases) for item in (latest, *list(group["versions"]))]
    return found, names


def _function(item: LambdaFunction, latest: LambdaFunction, aliases: dict[str, str]) -> world.Function:
    config = item._vpc_config or {}
    subnet_ids = tuple(config.get("SubnetIds") or ())
    version = str(item.version)
    reserved = latest.reserved_concurrency
    return world.Function(
        name=item.function_name,
        region=item.region,
        version=version,
        arn=item.function_arn,
        handler=item.handler or "",
        runtime=item.run_time or "",
        memory_mb=int(item.memory_size),
        timeout_s=float(item.timeout),
        environment=dict(item.environment_vars),
        code_sha256=item.code_sha_256,
        code=item.code_bytes,
        subnet_ids=subnet_ids,
        vpc_id=_vpc_of(item.region, subnet_ids),
        provisioned=functions.provisioned(item.region, item.function_name, version, aliases),
        reserved=None if reserved is None else int(reserved),
        security_group_ids=tuple(config.get("SecurityGroupIds") or ()),
    )


def _vpc_of(region: str, subnet_ids: tuple[str, ...]) -> str:
    for zone in list(ec2_backends[ACCOUNT][region].subnets.values()):
        for subnet_id in subnet_ids:
            if subnet_id in zone:
                return str(zone[subnet_id].vpc_id)
    return ""


def names() -> tuple[list[world.HealthCheck], list[str], list[world.DnsRecord]]:
    """Return Route 53: health checks, the zones' names and their records."""
    backend = route53_backends[ACCOUNT]["aws"]
    checks = [_health_check(item) for item in list(backend.health_checks.values())]
    zones = list(backend.zones.values())
    records = [_record(_dotted(zone.name), item) for zone in zones for item in list(zone.rrsets)]
    return checks, [_dotted(zone.name) for zone in zones], records


def _health_check(item: Any) -> world.HealthCheck:
    return world.HealthCheck(
        id=item.id,
        type=item.type_,
        host=item.ip_address or item.fqdn or "",
        port=int(item.port or 0),
        path=item.resource_path or "/",
        interval_s=float(item.request_interval or 30),
        threshold=int(item.failure_threshold or 3),
        inverted=_true(item.inverted),
        disabled=_true(item.disabled),
        children=tuple(item.children or ()),
        children_threshold=int(item.health_threshold or 0),
        version=item.health_check_version,
        alarm=(getattr(item, "alarm_identifier", None) or {}).get("Name", ""),
        alarm_region=(getattr(item, "alarm_identifier", None) or {}).get("Region", ""),
        insufficient=getattr(item, "insufficient_data_health_status", None) or "LastKnownStatus",
        stream=alarm_checks.stream(item),
    )


def _record(zone: str, item: RecordSet) -> world.DnsRecord:
    alias = item.alias_target or {}
    return world.DnsRecord(
        zone=zone,
        name=_dotted(item.name),
        type=str(item.type),
        ttl=None if item.ttl is None else int(item.ttl),
        values=tuple(_text(value) for value in item.records or ()),
        set_identifier=item.set_identifier or "",
        failover=item.failover or "",
        health_check_id=item.health_check_id or "",
        alias=_dotted(alias["DNSName"]) if alias else "",
        alias_evaluates_health=_true(alias.get("EvaluateTargetHealth", False)),
    )


def _text(value: object) -> str:
    # moto keeps a zone's own SOA record as the API shows it, and all others as plain text.
    return str(value["Value"]) if isinstance(value, dict) else str(value)


def _dotted(name: str) -> str:
    return name.rstrip(".").lower() + "."
