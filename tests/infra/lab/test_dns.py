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

from drill.errors import DrillError
from infra.lab.dns import Dns
from infra.lab.network import cluster_address
from infra.lab.profile import FAST
from infra.lab.world import DnsRecord, Snapshot
from tests.infra.lab.netlab import (
    EAST,
    NAME,
    PRIMARY,
    SECONDARY,
    WEST,
    ZONE,
    Lab,
    cluster,
    dns_port,
    failover_pair,
    lab,
    run,
    zone_of,
)

PROFILE = replace(FAST, dns_propagation_s=0.3, alias_ttl_s=1)


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
        port = dns_port(made)
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

    _play(tmp_path, failover_pair(), scene)


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

    _play(tmp_path, failover_pair(), scene)


def test_a_resolver_keeps_an_answer_exactly_as_long_as_its_ttl(tmp_path: Path) -> None:
    """The old answer lives until its TTL has passed since it was fetched, its TTL counting down."""

    async def scene(s: Scene) -> None:
        resolver = s.made.addresses.client_resolver
        fetched_from_ns = time.monotonic_ns()
        assert await s.values(resolver) == ([PRIMARY], 1)
        fetched_to_ns = time.monotonic_ns()
        s.dns.reconcile(zone_of(replace(failover_pair().records[0], values=(SECONDARY,))))
        assert await s.values(s.made.addresses.name_server) == ([SECONDARY], 1)
        assert await s.values(resolver) == ([PRIMARY], 0)
        await s.comes_to(resolver, SECONDARY)
        (event,) = [e for e in s.made.events("answer_changed") if e["server"] == "resolver"]
        assert event["address"] == resolver
        assert fetched_from_ns <= event["expired_ns"] - 1e9 <= fetched_to_ns
        assert event["last_before_ns"] < event["expired_ns"] <= event["at_ns"]
        assert (await s.values(resolver))[0] == [SECONDARY]

    _play(tmp_path, failover_pair(), scene)


def test_a_missing_name_is_kept_only_briefly(tmp_path: Path) -> None:
    """An empty answer is cached, but not longer than an alias would be, whatever the SOA says."""
    soa = DnsRecord(ZONE, ZONE, "SOA", 900, ("ns.x. host.x. 1 7200 900 1209600 86400",))

    async def scene(s: Scene) -> None:
        resolver = s.made.addresses.client_resolver
        assert (await s.ask(resolver)).rcode() == dns.rcode.NXDOMAIN
        s.dns.reconcile(failover_pair())
        assert (await s.ask(resolver)).rcode() == dns.rcode.NXDOMAIN
        await asyncio.sleep(PROFILE.alias_ttl_s + 0.05)
        assert (await s.values(resolver))[0] == [PRIMARY]

    _play(tmp_path, zone_of(soa), scene)


def test_each_vpc_sees_databases_in_its_own_way(tmp_path: Path) -> None:
    """A VPC knows a cluster by its own address at home, abroad by the peered one; clients by its own."""
    one = cluster(EAST, 5432)
    snapshot = replace(failover_pair(), clusters=(one,))

    async def scene(s: Scene) -> None:
        a = s.made.addresses
        for region in (EAST, WEST):
            seen = cluster_address(a, snapshot, one, region)
            for name in (one.endpoint, one.reader_endpoint.upper()):
                assert await s.values(a.vpc_resolver(region), name) == ([seen], 5)
            assert await s.values(a.vpc_resolver(region)) == ([PRIMARY], 1)
        assert cluster_address(a, snapshot, one, EAST) != cluster_address(a, snapshot, one, WEST)
        assert (await s.ask(a.vpc_resolver(EAST), one.endpoint, "AAAA")).answer == []
        assert await s.values(a.client_resolver, one.endpoint) == (
            [cluster_address(a, snapshot, one, EAST)],
            5,
        )

    _play(tmp_path, snapshot, scene)


def test_a_taken_port_is_named_and_nothing_stays_behind(tmp_path: Path) -> None:
    """Starting where another listens says where, and frees what was taken before."""

    async def scene(s: Scene) -> None:
        second = Dns(s.made.addresses, PROFILE, s.made.truth, s.states, s.port)
        with pytest.raises(DrillError, match=str(s.port)):
            await second.start()

    _play(tmp_path, failover_pair(), scene)
