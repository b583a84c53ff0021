import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode

from infra.lab.addresses import free_port
from infra.lab.dns import Dns
from infra.lab.edge import Edge, load_balancer_addresses
from infra.lab.health_checks import HealthChecks
from infra.lab.profile import FAST
from infra.lab.world import DnsRecord, HealthCheck, Snapshot
from tests.infra.lab.netlab import (
    DENY_ALL,
    EAST,
    NAME,
    WEST,
    ZONE,
    Answering,
    Lab,
    answer,
    balancer,
    dns_port,
    lab,
    run,
    two_regions,
    until,
    with_acl,
)

PROFILE = replace(FAST, dns_propagation_s=0.3, alias_ttl_s=1)


def _whole(port: int) -> Snapshot:
    """Make two regions with load balancers, health checks on their own names and a failover alias."""
    balancers = {region: balancer(region, port) for region in (EAST, WEST)}
    records = tuple(
        DnsRecord(ZONE, NAME, "A", None, (), role.lower(), role, region, balancers[region].dns_name)
        for role, region in (("PRIMARY", EAST), ("SECONDARY", WEST))
    )
    checks = tuple(
        HealthCheck(region, "HTTP", host=lb.dns_name, port=port, path="/health/regional", threshold=2)
        for region, lb in balancers.items()
    )
    return replace(
        two_regions(),
        load_balancers=tuple(balancers.values()),
        zones=(ZONE,),
        records=records,
        health_checks=checks,
    )


@dataclass
class Cloud:
    """Edge, health checks and DNS together."""

    made: Lab
    invoker: Answering
    snapshot: Snapshot
    dns_port: int
    port: int
    physics: tuple[Edge, HealthChecks, Dns]

    def follow(self, snapshot: Snapshot) -> None:
        """Have everything follow a snapshot."""
        for one in self.physics:
            one.reconcile(snapshot)

    async def served_by(self) -> str:
        """Resolve as a client does, connect and return the region that answers; empty if none does."""
        query = dns.message.make_query(NAME, "A")
        resolver = self.made.addresses.client_resolver
        found = await dns.asyncquery.udp(query, resolver, timeout=5, port=self.dns_port)
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(str(found.answer[0][0]), self.port)
                try:
                    writer.write(b"GET / HTTP/1.0\r\n\r\n")
                    return (await reader.read(-1)).rpartition(b"\n")[2].decode()
                finally:
                    writer.transport.abort()
        except TimeoutError:
            return ""


def _play_cloud(folder: Path, scene: Callable[[Cloud], Coroutine[Any, Any, None]]) -> Lab:
    async def played(made: Lab) -> None:
        profile = replace(PROFILE, check_scale=0.002)
        port = free_port([made.addresses.inside(region, "10.0.10.10") for region in (EAST, WEST)])
        name_port, invoker = dns_port(made), Answering()

        def resolve(name: str) -> tuple[str, ...]:
            return servers.lookup(name)

        checks = HealthChecks(made.addresses, profile, made.truth, resolve)
        servers = Dns(made.addresses, profile, made.truth, checks, name_port)
        edge = Edge(made.addresses, profile, made.truth, invoker)
        physics = (edge, checks, servers)
        for one in physics:
            await one.start()
        try:
            cloud = Cloud(made, invoker, _whole(port), name_port, port, physics)
            cloud.follow(cloud.snapshot)
            await scene(cloud)
        finally:
            for one in physics:
                await one.close()

    with lab(folder) as made:
        run(played(made))
        return made


async def _comes_to(cloud: Cloud, region: str) -> None:
    deadline = time.monotonic() + 20
    while await cloud.served_by() != region:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_a_dark_region_fails_over_and_back_end_to_end(tmp_path: Path) -> None:
    """ACLs go deny-all: checkers time out, DNS flips, caches expire, the standby serves; and back again."""

    async def scene(cloud: Cloud) -> None:
        assert await cloud.served_by() == EAST
        half = with_acl(cloud.snapshot, f"edge-a-{EAST}", DENY_ALL)
        cloud.follow(with_acl(half, f"edge-b-{EAST}", DENY_ALL))
        await _comes_to(cloud, WEST)
        cloud.follow(cloud.snapshot)
        await _comes_to(cloud, EAST)

    made = _play_cloud(tmp_path, scene)
    closed = min(e["at_ns"] for e in made.events("path_closed"))
    unhealthy = next(e["at_ns"] for e in made.events("health_changed") if not e["healthy"])
    answers = [e for e in made.events("answer_changed") if e["name"] == NAME]
    flipped = next(e["at_ns"] for e in answers if e["server"] == "authoritative")
    seen = next(e["at_ns"] for e in answers if e["server"] == "resolver")
    served = next(
        e["at_ns"] for e in made.events("request_served") if e["region"] == WEST and e["path"] == "/"
    )
    checkers = [e for e in made.events("checker_changed") if e["health_check_id"] == EAST and not e["good"]]
    # The last of the three decides; on a busy machine one of them may have found it too slow before.
    last = max(e["at_ns"] for e in checkers if e["at_ns"] < unhealthy)
    shown = next(e["at_ns"] for e in made.events("health_shown") if not e["healthy"])
    assert {0, 1, 2} == {e["checker"] for e in checkers}
    assert closed < last < unhealthy < shown < flipped < seen < served


def test_inverting_the_check_moves_traffic_off_a_healthy_region(tmp_path: Path) -> None:
    """Disabled and inverted, the primary's check sends clients to the standby though the primary serves."""

    async def scene(cloud: Cloud) -> None:
        first = cloud.snapshot.health_checks[0]
        inverted = replace(first, disabled=True, inverted=True)
        assert await cloud.served_by() == EAST
        cloud.follow(replace(cloud.snapshot, health_checks=(inverted, cloud.snapshot.health_checks[1])))
        await _comes_to(cloud, WEST)

    assert not _play_cloud(tmp_path, scene).events("path_closed")


def test_two_failing_regions_leave_traffic_with_the_primary(tmp_path: Path) -> None:
    """When every function fails both checks go red, and clients stay where they were."""

    async def scene(cloud: Cloud) -> None:
        assert await cloud.served_by() == EAST
        cloud.invoker.invocation = answer({"statusCode": 503})
        await until(lambda: len(cloud.made.events("health_changed")) == 2)
        await asyncio.sleep(PROFILE.alias_ttl_s + 2 * PROFILE.dns_propagation_s)
        cloud.invoker.invocation = None
        assert await cloud.served_by() == EAST

    _play_cloud(tmp_path, scene)


def test_a_name_of_a_load_balancer_resolves_to_all_its_addresses(tmp_path: Path) -> None:
    """The balancer's own name and an alias to it give every subnet's address, with the alias's TTL."""

    async def scene(cloud: Cloud) -> None:
        lb = cloud.snapshot.load_balancers[0]
        wanted = sorted(load_balancer_addresses(cloud.made.addresses, cloud.snapshot, lb))
        assert len(wanted) == 2
        for name in (lb.dns_name, NAME):
            found = await dns.asyncquery.udp(
                dns.message.make_query(name, "A"), cloud.made.addresses.name_server, 5, cloud.dns_port
            )
            assert sorted(str(item) for item in found.answer[0]) == wanted
            assert found.answer[0].ttl == PROFILE.alias_ttl_s

    _play_cloud(tmp_path, scene)
