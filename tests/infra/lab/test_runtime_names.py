import asyncio
import contextlib
import importlib.util
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import dnslib
import pytest

from infra.lab import sandbox
from infra.lab.addresses import Addresses
from tests.infra.lab.functionlab import make_function, running

RESOLVER = Addresses(16, ("us-east-1", "us-west-2")).vpc_resolver("us-east-1")
NO_NAME = f"[Errno {socket.EAI_NONAME}] Name or service not known"
NO_ADDRESS = f"[Errno {socket.EAI_NODATA}] No address associated with hostname"


class NameServer(asyncio.DatagramProtocol):
    """Answers from a table of names; a name that is not in it does not exist."""

    def __init__(self, addresses: dict[str, list[str]]) -> None:
        """Take the table."""
        self._addresses = addresses
        self.deaf = 0

    def connection_made(self, transport: Any) -> None:
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        """Answer with a CNAME and its addresses, but leave the first ``deaf`` queries unanswered."""
        if self.deaf:
            self.deaf -= 1
            return
        query = dnslib.DNSRecord.parse(data)
        reply = query.reply()
        name = str(query.q.qname)
        if name not in self._addresses:
            reply.header.rcode = dnslib.RCODE.NXDOMAIN
        elif self._addresses[name]:
            reply.add_answer(*dnslib.RR.fromZone(f"{name} 5 CNAME real.example."))
            for each in self._addresses[name]:
                reply.add_answer(*dnslib.RR.fromZone(f"real.example. 5 A {each}"))
        self._transport.sendto(reply.pack(), address)


@contextlib.asynccontextmanager
async def name_server(deaf: int = 0) -> AsyncIterator[int]:
    """Give the port of a name server at the VPC's resolver."""
    table = {"db.example.": ["127.1.2.3", "127.1.2.4"], "empty.example.": []}
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(table), local_addr=(RESOLVER, 0)
    )
    server.deaf = deaf
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def resolving(state_dir: Path, name: str) -> Any:
    """Return what a function gets for a name, or the kind of error and its message."""
    async with name_server() as port, running(state_dir, make_function(), dns_port=port) as lab:
        got = await lab.invoke(do="resolve", name=name)
        return got if isinstance(got, list) else (got[1]["errorType"], got[1]["errorMessage"])


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the module itself, with a short time-out."""
    spec = importlib.util.spec_from_file_location("stub", sandbox.RUNTIME / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    return module


def test_names_are_asked_of_the_vpcs_resolver(tmp_path: Path) -> None:
    """A function gets the addresses that its VPC's resolver gives, through a CNAME too."""
    assert asyncio.run(resolving(tmp_path, "db.example")) == ["127.1.2.3", "127.1.2.4"]


def test_addresses_and_localhost_are_not_asked(tmp_path: Path) -> None:
    """Literal addresses and ``localhost`` go past the resolver."""
    assert asyncio.run(resolving(tmp_path, "127.9.9.9")) == ["127.9.9.9"]
    assert "127.0.0.1" in asyncio.run(resolving(tmp_path, "localhost"))


def test_names_that_do_not_exist_are_errors(tmp_path: Path) -> None:
    """No such name and no address are told apart, as a stub resolver does."""
    assert asyncio.run(resolving(tmp_path, "no.example")) == ("gaierror", NO_NAME)
    assert asyncio.run(resolving(tmp_path, "empty.example")) == ("gaierror", NO_ADDRESS)


@pytest.mark.parametrize(("deaf", "expected"), [(1, ["127.1.2.3", "127.1.2.4"]), (2, socket.EAI_AGAIN)])
def test_a_lost_query_is_sent_once_more(deaf: int, expected: object, stub: ModuleType) -> None:
    """One lost answer is waited for and asked again; after two the name can't be resolved for now."""

    async def scenario() -> object:
        async with name_server(deaf) as port:
            try:
                return await asyncio.to_thread(stub.resolve, "db.example", (RESOLVER, port))
            except socket.gaierror as problem:
                return problem.errno

    assert asyncio.run(scenario()) == expected
