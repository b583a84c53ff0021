"""Name resolution for probes: one question on the wire for each attempt, and nothing cached.

One UDP socket serves all questions to a server. A question is repeated every
:data:`REPEAT_S` until its time is up, as a stub resolver would; a truncated answer is used
as far as it goes. Only IPv4 addresses are asked for.
"""

import asyncio
import itertools
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from drill.errors import UsageError

REPEAT_S = 1.0
_SHORT_WORDS = {dns.rcode.NXDOMAIN: "nxdomain", dns.rcode.SERVFAIL: "servfail", dns.rcode.REFUSED: "refused"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question.

    Attributes:
        addresses: IPv4 addresses in the server's order; empty if there is an error.
        ttl_s: The smallest TTL of the answer's records; None if it tells none.
        error: Empty, or a short word: timeout, unreachable, nxdomain, servfail, refused,
            no_address, garbled.

    """

    addresses: tuple[str, ...] = ()
    ttl_s: int | None = None
    error: str = ""


class Resolver(Protocol):
    """Turns a name into addresses."""

    async def ask(self, name: str, timeout_s: float) -> Answer:
        """Ask for the addresses of a name, and give up after a while."""

    def close(self) -> None:
        """Let go of its socket."""


class NameServer(asyncio.DatagramProtocol):
    """One DNS server, asked over UDP."""

    def __init__(self, *, recursive: bool) -> None:
        """Use :meth:`at` to make one."""
        self._recursive = recursive
        self._waiting: dict[int, asyncio.Future[bytes | None]] = {}
        self._numbers = itertools.count(1)
        self._transport: asyncio.DatagramTransport

    @classmethod
    async def at(cls, server: str, *, recursive: bool = True) -> "NameServer":
        """Return a client of the server at ``address:port`` (port 53 if none is given)."""
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(recursive=recursive), remote_addr=split_address(server)
        )
        protocol._transport = transport  # noqa: SLF001 (its own)
        return protocol

    async def ask(self, name: str, timeout_s: float) -> Answer:
        """Ask for the addresses of a name; see :meth:`Resolver.ask`."""
        number = next(self._numbers) % 65536
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        question = number.to_bytes(2, "big") + _question(name, self._recursive)
        try:
            async with asyncio.timeout(timeout_s):
                while not future.done():
                    self._transport.sendto(question)
                    await asyncio.wait((future,), timeout=REPEAT_S)
        except TimeoutError:
            # Where this process stood still, the reply may have come together with the time-out.
            if not future.done():
                return Answer(error="timeout")
        finally:
            del self._waiting[number]
        reply = future.result()
        return Answer(error="unreachable") if reply is None else _read(reply[2:])

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Hand a reply to the question that has its number."""
        future = self._waiting.get(int.from_bytes(data[:2], "big"))
        if future is not None and not future.done():
            future.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """End every open question: the machine said that nobody listens there."""
        for future in self._waiting.values():
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """Let go of the socket."""
        self._transport.close()


class MachineResolver:
    """The resolver that this machine is configured with, its hosts file included."""

    async def ask(self, name: str, timeout_s: float) -> Answer:
        """Ask for the addresses of a name; see :meth:`Resolver.ask`. It does not tell TTLs."""
        try:
            async with asyncio.timeout(timeout_s):
                found = await asyncio.get_running_loop().getaddrinfo(
                    name, None, family=socket.AF_INET, type=socket.SOCK_STREAM
                )
        except TimeoutError:
            return Answer(error="timeout")
        except socket.gaierror as problem:
            return Answer(error="nxdomain" if problem.errno == socket.EAI_NONAME else "servfail")
        return Answer(tuple(str(each[4][0]) for each in found))

    def close(self) -> None:
        """Do nothing: it holds no socket."""


async def resolver_at(server: str | None) -> Resolver:
    """Return the resolver at ``address:port``, or this machine's own for None."""
    return MachineResolver() if server is None else await NameServer.at(server)


def split_address(server: str) -> tuple[str, int]:
    """Return address and port of ``address:port``; port 53 if none is given."""
    address, _, port = server.partition(":")
    if port and not port.isdecimal():
        msg = f"DNS server {server!r} must be address:port; see the target file"
        raise UsageError(msg)
    return address, int(port or 53)


@lru_cache(maxsize=64)
def _question(name: str, recursive: bool) -> bytes:
    """Return a question for a name's addresses without its leading number."""
    flags = dns.flags.RD if recursive else 0
    return dns.message.make_query(name, dns.rdatatype.A, flags=flags).to_wire()[2:]


@lru_cache(maxsize=256)
def _read(reply: bytes) -> Answer:
    """Read a reply without its leading number; the same bytes are parsed once."""
    try:
        message = dns.message.from_wire(b"\0\0" + reply, ignore_trailing=True)
    except dns.exception.DNSException:
        return Answer(error="garbled")
    code = message.rcode()
    if code != dns.rcode.NOERROR:
        return Answer(error=_SHORT_WORDS.get(code, f"rcode_{int(code)}"))
    sets = [each for each in message.answer if each.rdtype == dns.rdatatype.A]
    if not sets:
        return Answer(error="no_address")
    addresses = tuple(record.address for each in sets for record in each)
    return Answer(addresses, min(each.ttl for each in message.answer))
