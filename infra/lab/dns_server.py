"""DNS over UDP and TCP: packets in, packets out; what is answered is decided elsewhere."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import dnslib
from dnslib.dns import DNSError

from drill.errors import DrillError
from infra.lab.zones import Answer, Resource

_UDP_BYTES = 512
_A = 1


class Responder(Protocol):
    """Decides what is answered."""

    authoritative: bool

    def respond(self, name: str, kind: str) -> tuple[Answer, Callable[[], None]]:
        """Return the answer for a normal name, and what to call once it is sent."""


class DnsServer(asyncio.DatagramProtocol):
    """One address at which a responder answers over UDP and TCP."""

    def __init__(self, address: str, port: int, responder: Responder) -> None:
        """Say where; nothing listens before start."""
        self.address = address
        self._port = port
        self._responder = responder
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on UDP and TCP.

        Raises:
            DrillError: The address can't be bound.

        """
        at = (self.address, self._port)
        try:
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=at)
            self._tcp = await asyncio.start_server(self._converse, *at)
        except OSError as problem:
            await self.close()
            msg = f"can't answer DNS on {at[0]}:{at[1]}: {problem.strerror}; see who does with: ss -lnp"
            raise DrillError(msg) from problem

    async def close(self) -> None:
        """Stop answering; leaves no task and no socket."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            await self._tcp.wait_closed()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A datagram transport closes its socket in the loop's next turn.
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Answer one datagram; what is no DNS query gets no answer."""
        spoken = self._speak(data)
        if spoken is None or self._udp is None:
            return
        reply, sent = spoken
        packet = reply.pack()
        if len(packet) > _UDP_BYTES:
            packet = reply.truncate().pack()
        self._udp.sendto(packet, addr)
        sent()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                spoken = self._speak(await reader.readexactly(size))
                if spoken is None:
                    return
                packet = spoken[0].pack()
                writer.write(len(packet).to_bytes(2, "big") + packet)
                await writer.drain()
                spoken[1]()
        except (asyncio.IncompleteReadError, ConnectionError):
            # The client is done.
            return
        finally:
            writer.transport.abort()

    def _speak(self, packet: bytes) -> tuple[dnslib.DNSRecord, Callable[[], None]] | None:
        try:
            query = dnslib.DNSRecord.parse(packet)
        except DNSError:
            return None
        if query.header.qr or len(query.questions) != 1:
            return None
        asked = query.q
        kind = dnslib.QTYPE.forward.get(asked.qtype, str(asked.qtype))
        answer, sent = self._responder.respond(str(asked.qname).lower(), kind)
        reply = query.reply(ra=int(not self._responder.authoritative), aa=int(self._responder.authoritative))
        reply.header.rcode = getattr(dnslib.RCODE, answer.rcode)
        for record in answer.records:
            reply.add_answer(_wire(record))
        for record in answer.authority:
            reply.add_auth(_wire(record))
        return reply, sent


def _wire(record: Resource) -> dnslib.RR:
    if record.type == "A":
        return dnslib.RR(record.name, _A, rdata=dnslib.A(record.value), ttl=record.ttl_s)
    text = f"{record.name} {record.ttl_s} IN {record.type} {record.value}"
    return dnslib.RR.fromZone(text)[0]
