"""The endpoint that every client is measured on: a small HTTP server with a scripted outage.

``python tools/bench/endpoint.py [KIND AFTER_S LASTS_S]`` listens on a free port of 127.0.0.1 and on one
for DNS, prints both, and on SIGTERM or the end of its standard input writes one JSON object: the
outage's true ``begin_ns`` and ``end_ns``, and ``arrivals_ns``, when each request had arrived (monotonic
clock). The outage begins AFTER_S after the first request and ends LASTS_S later. KIND is ``refuse``
(nobody listens), ``hang`` (requests are never answered) or ``503``.
"""

import asyncio
import json
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import cast

from dnslib import QTYPE, RR, A, DNSRecord

BODY = b'{"region": "east"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
GOOD = HEAD + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(slots=True)
class Script:
    """What happens, and what happened."""

    kind: str = ""
    down: bool = False
    begin_ns: int = 0
    end_ns: int = 0
    arrivals_ns: list[int] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)


class Answering(asyncio.Protocol):
    """Answers the requests of one connection, or not, as the script says."""

    def __init__(self, script: Script) -> None:
        """Take what happens."""
        self._script = script

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep whom to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request; they all come in one piece."""
        self._script.arrivals_ns.append(time.monotonic_ns())
        self._script.asked.set()
        if self._script.down and self._script.kind == "hang":
            return
        self._transport.write(BAD if self._script.down else GOOD)
        self._transport.close()


class Naming(asyncio.DatagramProtocol):
    """Answers every DNS question with this machine's loopback address."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep whom to answer."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer."""
        answer = DNSRecord.parse(data).reply()
        answer.add_answer(RR(answer.q.qname, QTYPE.A, rdata=A("127.0.0.1"), ttl=1))
        self._transport.sendto(answer.pack(), addr)


async def main(kind: str, after_s: float, lasts_s: float) -> None:
    """Serve until told to end."""
    loop, script = asyncio.get_running_loop(), Script(kind)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(sys.stdin.fileno(), ended.set)
    server = await loop.create_server(lambda: Answering(script), "127.0.0.1", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    naming, _ = await loop.create_datagram_endpoint(Naming, ("127.0.0.1", 0))
    print(port, naming.get_extra_info("sockname")[1], flush=True)
    outage = asyncio.create_task(_outage(script, server, port, after_s, lasts_s)) if kind else None
    await ended.wait()
    if outage is not None:
        await outage
    seen = {"begin_ns": script.begin_ns, "end_ns": script.end_ns, "arrivals_ns": script.arrivals_ns}
    print(json.dumps(seen), flush=True)


async def _outage(script: Script, server: asyncio.Server, port: int, after_s: float, lasts_s: float) -> None:
    await script.asked.wait()
    await asyncio.sleep(after_s)
    if script.kind == "refuse":
        server.close()
    script.down, script.begin_ns = True, time.monotonic_ns()
    await asyncio.sleep(lasts_s)
    if script.kind == "refuse":
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: Answering(script), "127.0.0.1", port, backlog=4096)
    script.down, script.end_ns = False, time.monotonic_ns()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    asyncio.run(main(arguments[0], float(arguments[1]), float(arguments[2])) if arguments else main("", 0, 0))
