"""A scripted HTTP service and a scripted DNS server, both really listening on loopback."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from dnslib import QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import DNSHandler

from drill.model import Json
from drill.probes.contract import Context, Probe, Seen

Answering = Callable[[str, str, bytes], tuple[int, object]]


@dataclass
class Service:
    """An HTTP service whose answers a test scripts; ``asked`` are the requests that it got."""

    address: str
    port: int
    answer: Answering
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Answers every request as its service's script says; keeps connections open."""

    service: ClassVar[Service]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def do_POST(self) -> None:
        """Answer."""
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        request = (self.command, self.path, self.rfile.read(length))
        self.service.asked.append(request)
        status, document = self.service.answer(*request)
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Listens with room for many connections at once."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


@dataclass
class Zone:
    """A DNS server whose records a test scripts.

    Attributes:
        server: Its ``address:port``.
        records: Addresses by name; or an RCODE's name; or ``silent`` for no answer at all.
        asked: How often each name was asked for.

    """

    server: str
    records: dict[str, str | Sequence[str]]
    asked: dict[str, int] = field(default_factory=dict)


class ZoneResolver:
    """Answers questions from a zone's records."""

    zone: Zone
    lock = threading.Lock()

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """Answer one question."""
        name = str(request.q.qname).rstrip(".")
        with self.lock:
            self.zone.asked[name] = self.zone.asked.get(name, 0) + 1
        reply = request.reply()
        found = self.zone.records.get(name, "NXDOMAIN")
        if found == "silent":
            msg = "no answer"
            raise TimeoutError(msg)
        if isinstance(found, str):
            reply.header.rcode = getattr(RCODE, found)
            return reply
        for address in found:
            reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(address), ttl=7))
        return reply


Serve = Callable[..., Service]
Place = Callable[..., Context]
Attempts = Callable[[Probe, int], list[Seen]]


def seconds(detail: Mapping[str, Json], key: str) -> float:
    """Return a time of an observation's detail; it must be there."""
    value = detail[key]
    assert isinstance(value, float)
    return value
