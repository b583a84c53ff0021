"""The lab's DNS: the hosted zones' name server, and caching resolvers before it.

The name server sees a health check's state ``dns_propagation_s`` late. One resolver serves
clients, and one each VPC; a VPC's own also knows the database endpoints, as that VPC sees them. The
clients' one knows them too, as public DNS does on AWS: by their private addresses, which only who is
inside that VPC, or has a way into it, can reach.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from infra.lab.addresses import Addresses
from infra.lab.dns_server import DnsServer
from infra.lab.edge import load_balancer_addresses
from infra.lab.network import cluster_address
from infra.lab.profile import Profile
from infra.lab.resolver import AnswerLog, Resolver
from infra.lab.truth import TruthLog
from infra.lab.world import Snapshot
from infra.lab.zones import Answer, Zones, normal


class HealthStates(Protocol):
    """Tells the aggregated states of health checks."""

    def healthy(self, check_id: str) -> bool:
        """Return the state that a health check shows now; True for one that nobody knows."""

    def on_change(self, changed: Callable[[str, bool], None]) -> None:
        """Have ``changed(check_id, healthy)`` called, in the loop's thread, when a state changes."""


class Authority:
    """The authoritative server's mind: zones, and health as far as it has heard of it."""

    authoritative = True

    def __init__(self, address: str, truth: TruthLog) -> None:
        """Say where it answers; it knows nothing yet."""
        self.zones = Zones(Snapshot(), {}, 0)
        self.shown: dict[str, bool] = {}
        self._log = AnswerLog("authoritative", address, truth)

    def respond(self, name: str, kind: str) -> tuple[Answer, Callable[[], None]]:
        """Answer a question from the zones."""
        answer = self.zones.answer(name, kind, lambda check_id: self.shown.get(check_id, True))

        def sent() -> None:
            if kind == "A" and answer.rcode != "REFUSED":
                self._log.sent(name, answer.values())

        return answer, sent


class Dns:
    """All of the lab's name servers, on one port."""

    def __init__(
        self, addresses: Addresses, profile: Profile, truth: TruthLog, health: HealthStates, port: int
    ) -> None:
        """Say whose health states steer failover; nothing answers before start."""
        self._addresses = addresses
        self._profile = profile
        self._health = health
        self._truth = truth
        self._authority = Authority(addresses.name_server, truth)
        self._timers: set[asyncio.TimerHandle] = set()
        self._closed = False
        places = {region: addresses.vpc_resolver(region) for region in addresses.regions}
        ask = self._authority.respond
        keep_s = profile.alias_ttl_s
        self._vpcs = {region: Resolver(place, ask, keep_s, truth) for region, place in places.items()}
        self._clients = Resolver(addresses.client_resolver, ask, keep_s, truth)
        self._servers = [
            DnsServer(addresses.name_server, port, self._authority),
            DnsServer(addresses.client_resolver, port, self._clients),
            *(DnsServer(places[region], port, self._vpcs[region]) for region in places),
        ]

    async def start(self) -> None:
        """Answer, at first with empty zones.

        Raises:
            DrillError: An address can't be bound.

        """
        try:
            for server in self._servers:
                await server.start()
        except BaseException:
            await self.close()
            raise
        self._health.on_change(self._heard)

    def reconcile(self, snapshot: Snapshot) -> None:
        """Answer as a snapshot says, from now on; cached answers stay until they expire."""
        balancers = {
            normal(balancer.dns_name): load_balancer_addresses(self._addresses, snapshot, balancer)
            for balancer in snapshot.load_balancers
        }
        self._authority.zones = Zones(snapshot, balancers, self._profile.alias_ttl_s)
        shown = self._authority.shown
        for check in snapshot.health_checks:
            shown.setdefault(check.id, self._health.healthy(check.id))
        for region, resolver in self._vpcs.items():
            resolver.private = self._endpoints(snapshot, region)
        self._clients.private = self._endpoints(snapshot)

    async def close(self) -> None:
        """Stop answering; leaves no task and no socket."""
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for server in self._servers:
            await server.close()

    def lookup(self, name: str) -> tuple[str, ...]:
        """Return the addresses that the name server gives now, without any cache (public view)."""
        answer, sent = self._authority.respond(normal(name), "A")
        sent()
        return answer.values()

    def _endpoints(self, snapshot: Snapshot, region: str = "") -> dict[str, str]:
        """Return the databases' addresses, as a region's VPC sees them, or each its own VPC."""
        seen: dict[str, str] = {}
        for cluster in snapshot.clusters:
            address = cluster_address(self._addresses, snapshot, cluster, region or cluster.region)
            if address is not None:
                names = (cluster.endpoint, cluster.reader_endpoint, *cluster.names)
                seen.update((normal(name), address) for name in names if name)
        return seen

    def _heard(self, check_id: str, healthy: bool) -> None:
        if self._closed:
            return

        def show() -> None:
            self._timers.discard(timer)
            self._authority.shown[check_id] = healthy
            # No question is answered between the two: the servers run in this loop.
            self._truth.log("health_shown", health_check_id=check_id, healthy=healthy)

        timer = asyncio.get_running_loop().call_later(self._profile.dns_propagation_s, show)
        self._timers.add(timer)
