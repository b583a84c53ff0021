"""A scripted HTTP service, a scripted DNS server and moto, all really listening on loopback."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import ClassVar

import pytest
from dnslib.server import DNSLogger, DNSServer

from drill.probes.contract import Context, Probe, Seen
from drill.probes.loop import precise_loop
from infra.lab.control_plane import ControlPlane
from infra.lab.world import CheckerReport, Invocation, ItemWrite
from tests.drill.probes.scripted import Answering, Handler, Server, Service, Zone, ZoneResolver


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Give a function that starts a service with an answering function."""
    with ExitStack() as stack:

        def start(
            answer: Answering,
            address: str = "127.0.0.1",
            port: int = 0,
            tls: ssl.SSLContext | None = None,
        ) -> Service:
            class Own(Handler):
                service: ClassVar[Service]

            server = stack.enter_context(Server((address, port), Own))
            if tls is not None:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            Own.service = Service(address, server.server_port, answer)
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            stack.callback(server.shutdown)
            return Own.service

        yield start


@pytest.fixture
def silent() -> Iterator[int]:
    """Give the port of a listener that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def dark() -> Iterator[int]:
    """Give a port whose packets vanish: the accept queue is full, so that Linux drops SYNs."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


@pytest.fixture
def refused() -> Iterator[int]:
    """Give a port that nobody listens on and nobody else can take."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


@pytest.fixture
def zone() -> Iterator[Zone]:
    """Give a running DNS server without records."""
    resolver = ZoneResolver()
    server = DNSServer(
        resolver, address="127.0.0.1", port=0, logger=DNSLogger(log="-request,-reply,-error,-data")
    )
    host, port = server.server.server_address[:2]
    resolver.zone = Zone(f"{host}:{port}", {})
    thread = threading.Thread(target=server.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield resolver.zone
    server.server.shutdown()
    server.server.server_close()


class Quiet:
    """Physics that do nothing: every checker succeeds, writes go nowhere, no function runs."""

    def reports(self, health_check_id: str) -> tuple[CheckerReport, ...]:
        """Tell of three checkers that see the endpoint well."""
        del health_check_id
        status = "Success: HTTP Status Code 200, OK"
        return tuple(CheckerReport(region, "127.0.0.1", status, 0.0) for region in ("a", "b", "c"))

    def throttled(self, region: str, table: str, index: str, key: Mapping[str, object]) -> None:
        """Hear of a refused write, which matters to nobody here."""

    def written(self, write: ItemWrite) -> None:
        """Take no note."""

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Know no function."""
        del region, function, qualifier, payload
        return Invocation(b"{}", status=404)


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    """Give the address of an AWS API."""
    plane = ControlPlane("127.0.0.1", 0, ("us-east-1", "us-west-2"))
    quiet = Quiet()
    plane.serve_with(invoker=quiet, health=quiet, writes=quiet)
    plane.start()
    yield plane.endpoint_url
    plane.close()


@pytest.fixture
def place() -> Callable[..., Context]:
    """Give a function that makes a context; what a test does not care for has a sane value."""

    def make(port: int = 9, host: str = "127.0.0.1", **others: object) -> Context:
        plain: dict[str, object] = {
            "run_id": "run-1",
            "endpoint_url": None,
            "regions": ("us-east-1", "us-west-2"),
        }
        return Context(host=host, port=port, **(plain | others))  # type: ignore[arg-type]

    return make


@pytest.fixture
def attempts() -> Callable[[Probe, int], list[Seen]]:
    """Give a function that makes attempts of a probe, all at once."""

    async def make(probe: Probe, count: int) -> list[Seen]:
        await probe.open()
        try:
            waiting: list[Awaitable[Seen]] = [probe.attempt(number) for number in range(count)]
            return await asyncio.gather(*waiting)
        finally:
            await probe.close()

    def run(probe: Probe, count: int = 1) -> list[Seen]:
        with asyncio.Runner(loop_factory=precise_loop) as runner:
            return runner.run(make(probe, count))

    return run
