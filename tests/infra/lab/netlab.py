"""A hand-made pair of regions on claimed loopback addresses, for the tests of the lab's network."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from infra.lab import truth as truth_log
from infra.lab.addresses import Addresses, claim_block, free_port
from infra.lab.truth import TruthLog
from infra.lab.world import (
    AclEntry,
    Cluster,
    DnsRecord,
    Function,
    HealthCheck,
    Invocation,
    Listener,
    LoadBalancer,
    NatGateway,
    Peering,
    Route,
    RouteTable,
    Snapshot,
    Subnet,
    Vpc,
)

EAST, WEST = "us-east-1", "us-west-2"
Acl = tuple[AclEntry, ...]
ALLOW_ALL: Acl = (
    AclEntry(100, egress=False, allow=True, cidr="0.0.0.0/0", protocol="-1"),
    AclEntry(100, egress=True, allow=True, cidr="0.0.0.0/0", protocol="-1"),
)
DENY_ALL: Acl = ()
T = TypeVar("T")


@dataclass
class Lab:
    """Addresses of its own, and a truth log."""

    addresses: Addresses
    truth: TruthLog
    truth_path: Path

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the truth log's events of one kind."""
        return [event for event in truth_log.read(self.truth_path) if event["kind"] == kind]


@contextlib.contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """Claim addresses and open a truth log."""
    block, holder = claim_block()
    path = folder / "truth.jsonl"
    log = TruthLog(path)
    try:
        yield Lab(Addresses(block, (EAST, WEST)), log, path)
    finally:
        log.close()
        holder.close()


def run(scene: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; fail if it leaves a task behind, or if the loop met an error nobody caught."""
    problems: list[dict[str, Any]] = []

    async def watched() -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(context))
        outcome = await scene
        for _ in range(3):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left: {left}"
        return outcome

    outcome = asyncio.run(watched())
    assert not problems, problems
    return outcome


async def until(holds: Callable[[], bool], within_s: float = 10) -> None:
    """Wait until something holds; fail if it never does."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        await asyncio.sleep(0.005)


def vpc(region: str) -> str:
    """Return the id of a region's VPC."""
    return f"vpc-{region}"


def balancer(region: str, port: int) -> LoadBalancer:
    """Make a load balancer in both edge subnets of its region."""
    return LoadBalancer(
        arn=f"arn:aws:elasticloadbalancing:{region}:123456789012:loadbalancer/app/shop/50dc6c495c0c9188",
        name="shop",
        region=region,
        dns_name=f"shop-1.{region}.elb.amazonaws.com",
        vpc_id=vpc(region),
        subnet_ids=(f"edge-a-{region}", f"edge-b-{region}"),
        listeners=(Listener(port, "shop", "live"),),
    )


def cluster(region: str, port: int) -> Cluster:
    """Make a cluster in both app subnets of its region."""
    return Cluster(
        id="orders",
        region=region,
        status="available",
        endpoint=f"orders.cluster-x.{region}.rds.amazonaws.com",
        reader_endpoint=f"orders.cluster-ro-x.{region}.rds.amazonaws.com",
        port=port,
        database="orders",
        username="orders",
        password="secret",
        subnet_ids=(f"app-a-{region}", f"app-b-{region}"),
        vpc_id=vpc(region),
        instances=("orders-1",),
    )


def function(region: str) -> Function:
    """Make a function in both app subnets of its region."""
    return Function(
        name="shop",
        region=region,
        version="1",
        arn=f"arn:aws:lambda:{region}:123456789012:function:shop:1",
        handler="app.handler",
        runtime="python3.11",
        memory_mb=128,
        timeout_s=3,
        environment={},
        code_sha256="",
        code=b"",
        subnet_ids=(f"app-a-{region}", f"app-b-{region}"),
        vpc_id=vpc(region),
        provisioned=0,
    )


def two_regions() -> Snapshot:
    """Make two peered VPCs with routes both ways, NAT gateways and open ACLs; nothing runs in them."""
    cidrs = {EAST: "10.1", WEST: "10.2"}
    subnets, tables = [], []
    for region, other in ((EAST, WEST), (WEST, EAST)):
        for name, third in (("edge-a", 10), ("edge-b", 11), ("app-a", 20), ("app-b", 21)):
            cidr = f"{cidrs[region]}.{third}.0/24"
            subnets.append(Subnet(f"{name}-{region}", region, vpc(region), cidr, ALLOW_ALL))
        local = Route(f"{cidrs[region]}.0.0/16", "local", "active")
        peered = Route(f"{cidrs[other]}.0.0/16", "pcx-1", "active")
        outside = Route("0.0.0.0/0", "igw-1", "active")
        edges, apps = (tuple(f"{kind}-{ab}-{region}" for ab in "ab") for kind in ("edge", "app"))
        tables.append(RouteTable(f"rtb-edge-{region}", region, vpc(region), True, edges, (local, outside)))
        through = Route("0.0.0.0/0", f"nat-{region}", "active")
        inner = (local, peered, through)
        tables.append(RouteTable(f"rtb-app-{region}", region, vpc(region), False, apps, inner))
    return Snapshot(
        vpcs=tuple(Vpc(vpc(region), region, (f"{cidrs[region]}.0.0/16",)) for region in (EAST, WEST)),
        subnets=tuple(subnets),
        route_tables=tuple(tables),
        peerings=(Peering("pcx-1", "active", vpc(EAST), vpc(WEST)),),
        nat_gateways=tuple(NatGateway(f"nat-{region}", f"edge-a-{region}") for region in (EAST, WEST)),
    )


def with_acl(snapshot: Snapshot, prefix: str, acl: Acl) -> Snapshot:
    """Give the subnets whose ids begin so another ACL."""
    return replace(
        snapshot,
        subnets=tuple(replace(s, acl=acl) if s.id.startswith(prefix) else s for s in snapshot.subnets),
    )


@dataclass
class Answering:
    """An invoker that answers as told, and keeps the events it got."""

    invocation: Invocation | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    called: list[tuple[str, str, str]] = field(default_factory=list)

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Answer 200 with the region's name, or with the invocation given."""
        self.events.append(json.loads(payload))
        self.called.append((region, function, qualifier))
        return self.invocation or answer({"statusCode": 200, "body": region})


def answer(document: object) -> Invocation:
    """Make what a function answers."""
    return Invocation(json.dumps(document).encode())


ZONE, NAME = "shop.test.", "www.shop.test."
PRIMARY, SECONDARY = "10.0.0.1", "10.0.0.2"


def failover(role: str, value: str, check: str) -> DnsRecord:
    """Make one of two failover records."""
    return DnsRecord(ZONE, NAME, "A", 1, (value,), role.lower(), role, check)


def zone_of(*records: DnsRecord) -> Snapshot:
    """Make a zone with these records, and the health checks ``p`` and ``s``."""
    checks = tuple(HealthCheck(name, "HTTP") for name in ("p", "s"))
    return replace(two_regions(), zones=(ZONE,), records=records, health_checks=checks)


def failover_pair(secondary_check: str = "s") -> Snapshot:
    """Make a zone whose name fails over by two health checks."""
    return zone_of(failover("PRIMARY", PRIMARY, "p"), failover("SECONDARY", SECONDARY, secondary_check))


def dns_port(made: Lab) -> int:
    """Return a port that is free at every name server's address."""
    a = made.addresses
    return free_port(
        [a.name_server, a.client_resolver, *map(a.vpc_resolver, (EAST, WEST))], socket.SOCK_DGRAM
    )
