"""Kind ``dns``: asks a DNS server where the service is. Good is an answer with an address.

By default the zone's authoritative servers are asked, in turn: the n-th attempt asks server
n modulo their number. An answer's addresses are matched with those of the regional load
balancers, which are asked for again when an unknown address turns up; that takes no part in
the attempt's time.

Options:
    name: The record (default: the name that fails over).
    regional: Load balancer's DNS name by region.
    server: ``address:port`` of a caching resolver to ask instead.
    name_servers: ``address:port`` of authoritative servers (default: the target's).

Detail: ``addresses ttl server error``, as far as there are values. ``answered_by`` is the
region whose load balancer has the first address.
"""

import asyncio
from typing import ClassVar

import dns.exception
import dns.resolver

from drill import clock
from drill.errors import UsageError
from drill.model import Goodness, ProbeSpec
from drill.probes import options
from drill.probes.contract import Context, Probe, Seen, told
from drill.probes.resolver import Answer, NameServer, Resolver, resolver_at


class DnsProbe(Probe):
    """Sends a question on each attempt."""

    kind: ClassVar[str] = "dns"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._name = options.text(spec, "name", context.host)
        self._regional = {region: str(name) for region, name in options.mapping(spec, "regional").items()}
        self._caching = options.text(spec, "server") if "server" in spec.options else None
        self._listed = options.texts(spec, "name_servers") or context.name_servers
        self._servers: dict[str, NameServer] = {}
        self._resolver: Resolver
        self._region_of: dict[str, str] = {}
        self._learning: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open a socket to each server and learn the load balancers' addresses."""
        if self._caching is not None:
            names: tuple[str, ...] = (self._caching,)
        else:
            names = self._listed or await asyncio.to_thread(authoritative_servers, self._name)
        recursive = self._caching is not None
        self._servers = {name: await NameServer.at(name, recursive=recursive) for name in names}
        self._resolver = await resolver_at(self.context.resolver)
        await self._learn()

    async def attempt(self, number: int) -> Seen:
        """Ask one server once."""
        server = list(self._servers)[number % len(self._servers)]
        answer = await self._servers[server].ask(self._name, self.spec.timeout_s)
        done_ns = clock.monotonic_ns()
        if not answer.addresses:
            return Seen(Goodness.BAD, None, told(server=server, error=answer.error), done_ns)
        if answer.addresses[0] not in self._region_of:
            await self._learn_once()
        detail = told(addresses=list(answer.addresses), ttl=answer.ttl_s, server=server)
        return Seen(Goodness.GOOD, self._region_of.get(answer.addresses[0]), detail, done_ns)

    async def _learn_once(self) -> None:
        """Learn the load balancers' addresses again, together with whoever is learning them now."""
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._learn())
        await asyncio.shield(self._learning)

    async def _learn(self) -> None:
        for region, name in self._regional.items():
            answer = await self._ask_regional(name)
            self._region_of.update(dict.fromkeys(answer.addresses, region))

    async def _ask_regional(self, name: str) -> Answer:
        """Ask the same server, or the resolver where that server does not hold the load balancers' zone."""
        server = next(iter(self._servers.values()))
        answer = await server.ask(name, self.spec.timeout_s)
        return answer if answer.addresses else await self._resolver.ask(name, self.spec.timeout_s)

    async def close(self) -> None:
        """Close every socket."""
        for server in self._servers.values():
            server.close()
        self._resolver.close()


def authoritative_servers(name: str) -> tuple[str, ...]:
    """Look the authoritative servers of a name's zone up, through the machine's own resolver.

    Raises:
        UsageError: They can't be found.

    """
    try:
        zone = dns.resolver.zone_for_name(name)
        servers = [record.target for record in dns.resolver.resolve(zone, "NS")]
        found = [record.address for server in servers for record in dns.resolver.resolve(server, "A")]
    except (dns.exception.DNSException, OSError) as problem:
        msg = f"no name servers of {name} were found ({problem}); set service.name_servers in the target file"
        raise UsageError(msg) from problem
    return tuple(dict.fromkeys(found))
