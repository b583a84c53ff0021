import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import pytest
from dns.message import Message
from hypothesis import given
from hypothesis import strategies as st

from drill.errors import DrillError
from infra.lab.addresses import free_port
from infra.lab.dns import Dns
from infra.lab.edge import Edge, load_balancer_addresses
from infra.lab.health_checks import HealthChecks
from infra.lab.network import cluster_address
from infra.lab.profile import FAST
from infra.lab.world import DnsRecord, HealthCheck, Snapshot
from infra.lab.zones import Zones
from tests.infra.lab.netlab import (
    DENY_ALL,
    EAST,
    WEST,
    Answering,
    Lab,
    answer,
    balancer,
    cluster,
    lab,
    run,
    two_regions,
    until,
    with_acl,
)

PROFILE = replace(FAST, dns_propagation_s=0.3, alias_ttl_s=1)
ZONE, NAME = "shop.test.", "www.shop.test."
PRIMARY, SECONDARY = "10.0.0.1", "10.0.0.2"


@dataclass
class States:
    """Health states as a test sets them."""

    unhealthy: set[str] = field(default_factory=set)
    listeners: list[Callable[[str, bool], None]] = field(default_factory=list)

    def healthy(self, check_id: str) -> bool:
        """Return a state."""
        return check_id not in self.unhealthy

    def on_change(self, changed: Callable[[str, bool], None]) -> None:
        """Keep a listener."""
        self.listeners.append(changed)

    def turn(self, check_id: str, healthy: bool) -> None:
        """Change a state and tell of it."""
        (self.unhealthy.discard if healthy else self.unhealthy.add)(check_id)
        for listener in self.listeners:
            listener(check_id, healthy)


def _failover(role: str, value: str, check: str) -> DnsRecord:
    return DnsRecord(ZONE, NAME, "A", 1, (value,), role.lower(), role, check)


def _zone(*records: DnsRecord) -> Snapshot:
    checks = tuple(HealthCheck(name, "HTTP") for name in ("p", "s"))
    return replace(two_regions(), zones=(ZONE,), records=records, health_checks=checks)


def _pair(secondary_check: str = "s") -> Snapshot:
    return _zone(_failover("PRIMARY", PRIMARY, "p"), _failover("SECONDARY", SECONDARY, secondary_check))


@pytest.mark.parametrize("secondary_check", ["s", ""])
@pytest.mark.parametrize("primary", [True, False])
@pytest.mark.parametrize("secondary", [True, False])
def test_failover_follows_route_53s_rules(primary: bool, secondary: bool, secondary_check: str) -> None:
    """Healthy primary; else a secondary that is healthy or unchecked; with both unhealthy the primary."""
    zones = Zones(_pair(secondary_check), {}, 1)
    shown = zones.answer(NAME, "A", {"p": primary, "s": secondary}.__getitem__).values()
    to_secondary = not primary and (secondary or not secondary_check)
    assert shown == ((SECONDARY,) if to_secondary else (PRIMARY,))


@given(st.permutations(list(_pair().records)), st.booleans(), st.booleans())
def test_the_order_of_records_does_not_matter(
    records: list[DnsRecord], primary: bool, secondary: bool
) -> None:
    """However the records are listed, the answer is the same."""
    states = {"p": primary, "s": secondary}.__getitem__
    shuffled = Zones(_zone(*records), {}, 1).answer(NAME, "A", states)
    assert shuffled == Zones(_pair(), {}, 1).answer(NAME, "A", states)


def _alias(target: str, evaluates: bool = False, **more: str) -> DnsRecord:
    return DnsRecord(ZONE, NAME, "A", None, (), alias=target, alias_evaluates_health=evaluates, **more)


def test_aliases_cnames_and_negative_answers() -> None:
    """An alias answers in its own name; CNAMEs are followed; NODATA and NXDOMAIN carry the SOA."""
    inner = DnsRecord(ZONE, "inner.shop.test.", "A", 7, ("10.0.0.9",))
    canonical = DnsRecord(ZONE, "c.shop.test.", "CNAME", 9, ("www.shop.test.",))
    text = DnsRecord(ZONE, "deep.er.shop.test.", "TXT", 9, ('"x"',))
    snapshot = _zone(_alias("inner.shop.test."), inner, canonical, text)
    zones = Zones(snapshot, {"lb-1.elb.test.": ("10.0.0.3", "10.0.0.4")}, 1)

    def ask(name: str, kind: str = "A") -> tuple[str, list[tuple[str, str, int]], int]:
        got = zones.answer(name, kind, lambda _: True)
        return got.rcode, [(r.name, r.value, r.ttl_s) for r in got.records], len(got.authority)

    assert ask(NAME) == ("NOERROR", [(NAME, "10.0.0.9", 7)], 0)
    assert ask("c.shop.test.") == (
        "NOERROR",
        [("c.shop.test.", NAME, 9), (NAME, "10.0.0.9", 7)],
        0,
    )
    assert ask("lb-1.elb.test.")[1] == [("lb-1.elb.test.", "10.0.0.3", 1), ("lb-1.elb.test.", "10.0.0.4", 1)]
    assert ask(NAME, "AAAA") == ("NOERROR", [], 1)
    assert ask("er.shop.test.") == ("NOERROR", [], 1)
    assert ask("nope.shop.test.") == ("NXDOMAIN", [], 1)
    assert ask("nope.elb.test.") == ("NXDOMAIN", [], 1)
    assert ask("example.com.") == ("REFUSED", [], 0)
    assert ask(ZONE, "SOA")[1][0][0] == ZONE
    assert ask(ZONE, "NS")[1][0][1] == "ns.shop.test."


def test_an_alias_that_evaluates_its_target_fails_over_with_it() -> None:
    """EvaluateTargetHealth looks at the health check behind the alias."""
    inner = DnsRecord(ZONE, "inner.shop.test.", "A", 7, (PRIMARY,), health_check_id="p")
    for evaluates, expected in ((True, SECONDARY), (False, PRIMARY)):
        first = _alias("inner.shop.test.", evaluates, set_identifier="1", failover="PRIMARY")
        zones = Zones(_zone(first, inner, _failover("SECONDARY", SECONDARY, "s")), {}, 1)
        assert zones.answer(NAME, "A", lambda check_id: check_id != "p").values() == (expected,)


def test_an_alias_that_points_at_itself_ends() -> None:
    """A circle of aliases answers nothing instead of hanging."""
    zones = Zones(_zone(_alias(NAME, evaluates=True)), {}, 1)
    assert zones.answer(NAME, "A", lambda _: True).values() == ()


@dataclass
class Scene:
    """Running name servers."""

    made: Lab
    dns: Dns
    states: States
    port: int

    async def ask(self, server: str, name: str = NAME, kind: str = "A") -> Message:
        """Ask over UDP."""
        return await dns.asyncquery.udp(
            dns.message.make_query(name, kind), server, timeout=5, port=self.port, ignore_unexpected=True
        )

    async def values(self, server: str, name: str = NAME) -> tuple[list[str], int | None]:
        """Return the addresses in an answer, and its TTL."""
        found = await self.ask(server, name)
        records = [item for group in found.answer for item in group]
        return sorted(str(item) for item in records), found.answer[0].ttl if found.answer else None

    async def comes_to(self, server: str, value: str) -> None:
        """Ask until the answer is this one."""
        deadline = time.monotonic() + 20
        while (await self.values(server))[0] != [value]:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)


def _play(folder: Path, snapshot: Snapshot, scene: Callable[[Scene], Coroutine[Any, Any, None]]) -> Lab:
    async def played(made: Lab) -> None:
        port = _dns_port(made)
        states = States()
        servers = Dns(made.addresses, PROFILE, made.truth, states, port)
        await servers.start()
        try:
            servers.reconcile(snapshot)
            await scene(Scene(made, servers, states, port))
        finally:
            await servers.close()

    with lab(folder) as made:
        run(played(made))
        return made


def _dns_port(made: Lab) -> int:
    a = made.addresses
    return free_port(
        [a.name_server, a.client_resolver, *map(a.vpc_resolver, (EAST, WEST))], socket.SOCK_DGRAM
    )


def test_the_wire_has_the_right_flags_and_tcp_answers_too(tmp_path: Path) -> None:
    """The name server is authoritative, the resolver recursive; both speak TCP; rubbish hurts neither."""

    async def scene(s: Scene) -> None:
        server, resolver = s.made.addresses.name_server, s.made.addresses.client_resolver
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rubbish:
            for junk in (b"", b"x", b"\xff" * 40):
                rubbish.sendto(junk, (server, s.port))
        from_server, from_resolver = await s.ask(server), await s.ask(resolver)
        assert from_server.flags & dns.flags.AA
        assert not from_server.flags & dns.flags.RA
        assert from_resolver.flags & dns.flags.RA
        assert not from_resolver.flags & dns.flags.AA
        query = dns.message.make_query(NAME, "A")
        by_tcp = await dns.asyncquery.tcp(query, resolver, timeout=5, port=s.port)
        assert by_tcp.answer[0][0].to_text() == PRIMARY
        missing = await s.ask(server, "nope.shop.test.")
        assert missing.rcode() == dns.rcode.NXDOMAIN
        assert missing.authority[0].rdtype.name == "SOA"
        assert (await s.ask(server, "example.com.")).rcode() == dns.rcode.REFUSED
        assert (await s.ask(resolver, "example.com.")).rcode() == dns.rcode.SERVFAIL

    _play(tmp_path, _pair(), scene)


def test_a_health_change_shows_after_its_propagation_and_not_before(tmp_path: Path) -> None:
    """The name server's answer flips ``dns_propagation_s`` after the health check did."""

    async def scene(s: Scene) -> None:
        server = s.made.addresses.name_server
        assert await s.values(server) == ([PRIMARY], 1)
        turned_ns = time.monotonic_ns()
        s.states.turn("p", healthy=False)
        assert await s.values(server) == ([PRIMARY], 1)
        await s.comes_to(server, SECONDARY)
        (event,) = s.made.events("answer_changed")
        assert (event["server"], event["name"]) == ("authoritative", NAME)
        assert (event["before"], event["after"]) == ([PRIMARY], [SECONDARY])
        assert turned_ns + PROFILE.dns_propagation_s * 1e9 <= event["at_ns"] <= time.monotonic_ns()
        assert turned_ns < event["last_before_ns"] < event["at_ns"]
        s.states.turn("s", healthy=False)
        await asyncio.sleep(2 * PROFILE.dns_propagation_s)
        assert (await s.values(server))[0] == [PRIMARY]

    _play(tmp_path, _pair(), scene)


def test_a_resolver_keeps_an_answer_exactly_as_long_as_its_ttl(tmp_path: Path) -> None:
    """The old answer lives until its TTL has passed since it was fetched, its TTL counting down."""

    async def scene(s: Scene) -> None:
        resolver = s.made.addresses.client_resolver
        fetched_from_ns = time.monotonic_ns()
        assert await s.values(resolver) == ([PRIMARY], 1)
        fetched_to_ns = time.monotonic_ns()
        s.dns.reconcile(_zone(replace(_pair().records[0], values=(SECONDARY,))))
        assert await s.values(s.made.addresses.name_server) == ([SECONDARY], 1)
        assert await s.values(resolver) == ([PRIMARY], 0)
        await s.comes_to(resolver, SECONDARY)
        (event,) = [e for e in s.made.events("answer_changed") if e["server"] == "resolver"]
        assert event["address"] == resolver
        assert fetched_from_ns <= event["expired_ns"] - 1e9 <= fetched_to_ns
        assert event["last_before_ns"] < event["expired_ns"] <= event["at_ns"]
        assert (await s.values(resolver))[0] == [SECONDARY]

    _play(tmp_path, _pair(), scene)


def test_a_missing_name_is_kept_only_briefly(tmp_path: Path) -> None:
    """An empty answer is cached, but not longer than an alias would be, whatever the SOA says."""
    soa = DnsRecord(ZONE, ZONE, "SOA", 900, ("ns.x. host.x. 1 7200 900 1209600 86400",))

    async def scene(s: Scene) -> None:
        resolver = s.made.addresses.client_resolver
        assert (await s.ask(resolver)).rcode() == dns.rcode.NXDOMAIN
        s.dns.reconcile(_pair())
        assert (await s.ask(resolver)).rcode() == dns.rcode.NXDOMAIN
        await asyncio.sleep(PROFILE.alias_ttl_s + 0.05)
        assert (await s.values(resolver))[0] == [PRIMARY]

    _play(tmp_path, _zone(soa), scene)


def test_each_vpc_sees_databases_in_its_own_way(tmp_path: Path) -> None:
    """Only VPCs know a cluster's endpoints: at home by its own address, abroad by the peered one."""
    one = cluster(EAST, 5432)
    snapshot = replace(_pair(), clusters=(one,))

    async def scene(s: Scene) -> None:
        a = s.made.addresses
        for region in (EAST, WEST):
            seen = cluster_address(a, snapshot, one, region)
            for name in (one.endpoint, one.reader_endpoint.upper()):
                assert await s.values(a.vpc_resolver(region), name) == ([seen], 5)
            assert await s.values(a.vpc_resolver(region)) == ([PRIMARY], 1)
        assert cluster_address(a, snapshot, one, EAST) != cluster_address(a, snapshot, one, WEST)
        assert (await s.ask(a.vpc_resolver(EAST), one.endpoint, "AAAA")).answer == []
        assert (await s.ask(a.client_resolver, one.endpoint)).rcode() == dns.rcode.SERVFAIL

    _play(tmp_path, snapshot, scene)


def test_a_taken_port_is_named_and_nothing_stays_behind(tmp_path: Path) -> None:
    """Starting where another listens says where, and frees what was taken before."""

    async def scene(s: Scene) -> None:
        second = Dns(s.made.addresses, PROFILE, s.made.truth, s.states, s.port)
        with pytest.raises(DrillError, match=str(s.port)):
            await second.start()

    _play(tmp_path, _pair(), scene)


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
            async with asyncio.timeout(0.5):
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
        profile = replace(PROFILE, check_scale=0.002, check_connect_s=0.2)
        port = free_port([made.addresses.inside(region, "10.0.10.10") for region in (EAST, WEST)])
        dns_port, invoker = _dns_port(made), Answering()

        def resolve(name: str) -> tuple[str, ...]:
            return servers.lookup(name)

        checks = HealthChecks(made.addresses, profile, made.truth, resolve)
        servers = Dns(made.addresses, profile, made.truth, checks, dns_port)
        edge = Edge(made.addresses, profile, made.truth, invoker)
        physics = (edge, checks, servers)
        for one in physics:
            await one.start()
        try:
            cloud = Cloud(made, invoker, _whole(port), dns_port, port, physics)
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
    assert closed < unhealthy < flipped < seen < served


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
