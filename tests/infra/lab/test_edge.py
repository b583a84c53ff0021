import asyncio
import base64
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h11
import pytest

from infra.lab.addresses import free_port
from infra.lab.edge import BODY_BYTES, Edge, load_balancer_addresses
from infra.lab.profile import FAST
from infra.lab.world import Invocation, SecurityGroup, SecurityRule, Snapshot
from tests.infra.lab.netlab import (
    ALLOW_ALL,
    DENY_ALL,
    EAST,
    WEST,
    Answering,
    Lab,
    answer,
    balancer,
    lab,
    run,
    two_regions,
    until,
    with_acl,
)


@dataclass
class Scene:
    """A running edge with one load balancer in each region."""

    made: Lab
    edge: Edge
    invoker: Answering
    snapshot: Snapshot
    port: int

    def at(self, region: str, place: int = 0) -> tuple[str, int]:
        """Return one of the addresses of a region's load balancer."""
        one = next(b for b in self.snapshot.load_balancers if b.region == region)
        return load_balancer_addresses(self.made.addresses, self.snapshot, one)[place], self.port


def _play(
    folder: Path, scene: Callable[[Scene], Coroutine[Any, Any, None]], invoker: Answering | None = None
) -> Lab:
    async def played(made: Lab) -> None:
        port = free_port([made.addresses.inside(region, "10.0.10.10") for region in (EAST, WEST)])
        snapshot = replace(two_regions(), load_balancers=(balancer(EAST, port), balancer(WEST, port)))
        answering = invoker or Answering()
        edge = Edge(made.addresses, FAST, made.truth, answering)
        await edge.start()
        try:
            edge.reconcile(snapshot)
            await scene(Scene(made, edge, answering, snapshot, port))
        finally:
            await edge.close()

    with lab(folder) as made:
        run(played(made))
        return made


async def _fetch(at: tuple[str, int], request: bytes) -> tuple[int, bytes]:
    """Send raw bytes and return status and body of the first answer."""
    reader, writer = await asyncio.open_connection(*at)
    try:
        writer.write(request)
        return await _read(reader, request.split(b" ")[0])
    finally:
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader, method: bytes = b"GET") -> tuple[int, bytes]:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    status, body = 0, b""
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return status, body
        elif not isinstance(event, h11.InformationalResponse):
            pytest.fail(f"the answer ended early: {event}")


def _get(path: str = "/", extra: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: shop.test\r\n{extra}\r\n".encode()


def _post(body: bytes, kind: str, extra: str = "") -> bytes:
    head = f"POST /orders HTTP/1.1\r\nHost: shop.test\r\nContent-Type: {kind}\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_every_subnet_of_every_region_serves(tmp_path: Path) -> None:
    """Each address of each load balancer invokes its region's function through its alias."""

    async def scene(s: Scene) -> None:
        for region in (EAST, WEST):
            for place in (0, 1):
                assert await _fetch(s.at(region, place), _get()) == (200, region.encode())
        assert s.invoker.called == [(EAST, "shop", "live")] * 2 + [(WEST, "shop", "live")] * 2

    _play(tmp_path, scene)


def test_the_event_has_the_documented_form(tmp_path: Path) -> None:
    """Method, path, undecoded query, headers in lower case, body and the target group's ARN are there."""

    async def scene(s: Scene) -> None:
        await _fetch(s.at(EAST), _get("/orders?customer=a%20b&after=&x=1&x=2", "X-Thing: Yes\r\n"))
        await _fetch(s.at(EAST), _post(b'{"a": "\xc3\xa9"}', "application/json"))
        await _fetch(s.at(EAST), _post(b"\xff\x00", "application/octet-stream"))
        await _fetch(s.at(EAST), _post(b"abc", "text/plain", "Content-Encoding: gzip\r\n"))
        got, text, raw, packed = s.invoker.events
        assert got["httpMethod"] == "GET"
        assert got["path"] == "/orders"
        assert got["queryStringParameters"] == {"customer": "a%20b", "after": "", "x": "2"}
        assert got["headers"]["x-thing"] == "Yes"
        assert got["headers"]["host"] == "shop.test"
        assert got["headers"]["x-forwarded-for"] == "127.0.0.1"
        assert got["headers"]["x-forwarded-proto"] == "http"
        assert got["headers"]["x-forwarded-port"] == str(s.port)
        assert got["headers"]["x-amzn-trace-id"].startswith("Root=1-")
        assert (got["body"], got["isBase64Encoded"]) == ("", False)
        arn = got["requestContext"]["elb"]["targetGroupArn"]
        assert arn.startswith("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/")
        assert (text["body"], text["isBase64Encoded"]) == ('{"a": "é"}', False)
        assert (base64.b64decode(raw["body"]), raw["isBase64Encoded"]) == (b"\xff\x00", True)
        assert (base64.b64decode(packed["body"]), packed["isBase64Encoded"]) == (b"abc", True)

    _play(tmp_path, scene)


@pytest.mark.parametrize(
    ("invocation", "status", "body"),
    [
        (answer({"statusCode": 201, "body": "é"}), 201, "é".encode()),
        (
            answer({"statusCode": "503", "body": "no", "headers": {"X-A": 1, "Content-Length": "9"}}),
            503,
            b"no",
        ),
        (answer({"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}), 200, b"\xff\x00"),
        (answer({"statusCode": 204}), 204, b""),
        (answer({"statusCode": 304, "body": "ignored"}), 304, b""),
        (answer({"statusCode": 200, "body": "%", "isBase64Encoded": True}), 502, None),
        (answer({"statusCode": 200, "body": {"not": "text"}}), 502, None),
        (answer({"statusCode": 200, "headers": {"bad name": "x"}}), 502, None),
        (answer({"statusCode": True}), 502, None),
        (answer({"statusCode": 99}), 502, None),
        (answer({"body": "no status"}), 502, None),
        (answer(["rubbish"]), 502, None),
        (answer(None), 502, None),
        (Invocation(b"{not json"), 502, None),
        (Invocation(b'{"statusCode": 200}', error="Unhandled"), 502, None),
        (Invocation(b"", status=404), 502, None),
        (Invocation(b"", status=429), 502, None),
    ],
)
def test_answers_are_translated(
    tmp_path: Path, invocation: Invocation, status: int, body: bytes | None
) -> None:
    """What the function says is what the client gets: 502 for rubbish, failures and throttles."""

    async def scene(s: Scene) -> None:
        got = await _fetch(s.at(EAST), _get("/x?y"))
        assert got[0] == status
        assert body is None or got[1] == body

    made = _play(tmp_path, scene, Answering(invocation))
    served = [(e["region"], e["method"], e["path"], e["status"]) for e in made.events("request_served")]
    assert served == [(EAST, "GET", "/x", status)]


def test_a_connection_is_kept_or_closed_as_asked(tmp_path: Path) -> None:
    """Two requests go over one connection; one that asks to close ends it, and so does HTTP/1.0."""

    async def scene(s: Scene) -> None:
        reader, writer = await asyncio.open_connection(*s.at(EAST))
        for _ in range(2):
            writer.write(_get())
            assert (await _read(reader))[0] == 200
        writer.write(_get(extra="Connection: close\r\n"))
        assert b" 200 " in await reader.read(-1)
        writer.close()
        reader, writer = await asyncio.open_connection(*s.at(EAST))
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.read(-1)).endswith(EAST.encode())
        writer.close()

    _play(tmp_path, scene)


def test_head_bad_requests_big_bodies_and_patient_clients(tmp_path: Path) -> None:
    """HEAD has no body, what is no HTTP gets 400, over 1 MB gets 413, and who waits is told to go on."""

    async def scene(s: Scene) -> None:
        assert await _fetch(s.at(EAST), b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n") == (200, b"")
        assert (await _fetch(s.at(EAST), b"what is this\r\n\r\n"))[0] == 400
        assert (await _fetch(s.at(EAST), _post(b"x" * (BODY_BYTES + 1), "text/plain")))[0] == 413
        reader, writer = await asyncio.open_connection(*s.at(EAST))
        head = _post(b"x", "text/plain", "Expect: 100-continue\r\n")[:-1]
        writer.write(head)
        assert b"100" in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"x")
        assert (await _read(reader))[0] == 200
        writer.close()

    _play(tmp_path, scene)


def test_one_subnets_acl_darkens_that_address_alone(tmp_path: Path) -> None:
    """With deny-all in one edge subnet its address vanishes, the other one and the other region serve on."""

    async def scene(s: Scene) -> None:
        s.edge.reconcile(with_acl(s.snapshot, f"edge-a-{EAST}", DENY_ALL))
        await until(lambda: bool(s.made.events("path_closed")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection(*s.at(EAST)), 0.2)
        assert (await _fetch(s.at(EAST, 1), _get()))[0] == 200
        assert (await _fetch(s.at(WEST), _get()))[0] == 200
        s.edge.reconcile(with_acl(s.snapshot, f"edge-a-{EAST}", ALLOW_ALL))
        await until(lambda: bool(s.made.events("path_opened")))
        assert (await _fetch(s.at(EAST), _get()))[0] == 200

    made = _play(tmp_path, scene)
    assert [event["path"] for event in made.events("path_closed")] == ["edge"]


def test_a_security_group_without_the_port_darkens_the_whole_load_balancer(tmp_path: Path) -> None:
    """The load balancer's groups guard each of its addresses; a rule for the port opens them."""

    async def scene(s: Scene) -> None:
        rule = SecurityRule(egress=False, protocol="tcp", cidr="0.0.0.0/0")
        balancers = tuple(replace(item, security_group_ids=("edge",)) for item in s.snapshot.load_balancers)
        guarded = replace(s.snapshot, load_balancers=balancers)
        s.edge.reconcile(replace(guarded, security_groups=(SecurityGroup("edge", EAST, "vpc", ()),)))
        await until(lambda: len(s.made.events("path_closed")) == 4)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection(*s.at(EAST)), 0.2)
        s.edge.reconcile(replace(guarded, security_groups=(SecurityGroup("edge", EAST, "vpc", (rule,)),)))
        await until(lambda: len(s.made.events("path_opened")) == 4)
        assert (await _fetch(s.at(EAST), _get()))[0] == 200

    _play(tmp_path, scene)


def test_an_answer_does_not_leave_a_dark_edge(tmp_path: Path) -> None:
    """A request under way when the edge goes dark is answered, and logged as served, only afterwards."""
    asked, release = threading.Event(), threading.Event()

    class Slow(Answering):
        def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
            asked.set()
            release.wait(10)
            return super().invoke(region, function, qualifier, payload)

    invoker = Slow()

    async def scene(s: Scene) -> None:
        fetching = asyncio.create_task(_fetch(s.at(EAST), _get()))
        await until(asked.is_set)
        s.edge.reconcile(with_acl(s.snapshot, "edge-", DENY_ALL))
        await until(lambda: len(s.made.events("path_closed")) == 4)
        release.set()
        await until(lambda: bool(invoker.events))
        await asyncio.sleep(0.05)
        assert not fetching.done()
        assert not s.made.events("request_served")
        s.edge.reconcile(s.snapshot)
        assert (await fetching)[0] == 200

    made = _play(tmp_path, scene, invoker)
    opened = [e["at_ns"] for e in made.events("path_opened")]
    served = [e["at_ns"] for e in made.events("request_served")]
    assert len(served) == 1
    assert served[0] > min(opened)


def test_many_clients_are_served_at_once(tmp_path: Path) -> None:
    """Invocations run side by side: twenty that wait for one another all come through."""
    together = threading.Barrier(20, timeout=10)

    class Meeting(Answering):
        def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
            together.wait()
            return super().invoke(region, function, qualifier, payload)

    async def scene(s: Scene) -> None:
        answers = await asyncio.gather(*(_fetch(s.at(EAST), _get()) for _ in range(20)))
        assert {status for status, _ in answers} == {200}

    _play(tmp_path, scene, Meeting())
