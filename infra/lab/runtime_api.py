"""The Lambda Runtime API of one process: it fetches events here and posts what it made of them.

Each process has a listener of its own, which ends with it, so no event can reach a process
that is gone. See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
from dataclasses import dataclass

import h11

_ROOT = ("2018-06-01", "runtime")


@dataclass(frozen=True, slots=True)
class Event:
    """One event for a function.

    Attributes:
        request_id: Unique id of the invocation.
        arn: ARN of the function as it was invoked.
        deadline_ms: When it times out, in milliseconds of Unix time.
        payload: The event as JSON.

    """

    request_id: str
    arn: str
    deadline_ms: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the process posted: a response, or an error with its JSON."""

    payload: bytes
    failed: bool


class RuntimeApi:
    """Serves the Runtime API to one process.

    Attributes:
        initialised: Done when the process asks for its first event (None), or posts that it
            could not initialise (the error's JSON).

    """

    def __init__(self) -> None:
        """Make it in the loop that it will serve in."""
        loop = asyncio.get_running_loop()
        self.initialised: asyncio.Future[bytes | None] = loop.create_future()
        self._asks = asyncio.Event()
        self._asking: _Connection | None = None
        self._request_id = ""
        self._answer: asyncio.Future[Answer] = loop.create_future()
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str) -> str:
        """Listen on a free port; return ``address:port``, as ``AWS_LAMBDA_RUNTIME_API`` wants it."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), host, 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"{host}:{port}"

    async def deliver(self, event: Event) -> Answer:
        """Hand over one event as soon as the process asks for one, and wait for its answer."""
        await self._asks.wait()
        self._asks.clear()
        asking, self._asking = self._asking, None
        self._request_id = event.request_id
        self._answer = asyncio.get_running_loop().create_future()
        if asking is not None:
            asking.respond(200, event.payload, _headers(event))
        return await self._answer

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        for connection in tuple(self._connections):
            connection.drop()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def connected(self, connection: "_Connection") -> None:
        """Take note of a new connection."""
        self._connections.add(connection)

    def disconnected(self, connection: "_Connection") -> None:
        """Forget a connection; an event is no longer handed to it."""
        self._connections.discard(connection)
        if self._asking is connection:
            self._asking = None
            self._asks.clear()

    def requested(self, connection: "_Connection", method: str, target: str, body: bytes) -> None:
        """Answer one request."""
        parts = tuple(target.strip("/").split("/"))
        match method, parts[:2] == _ROOT, parts[2:]:
            case "GET", True, ("invocation", "next"):
                self._asking = connection
                self._asks.set()
                self._initialised(None)
                return
            case "POST", True, ("init", "error"):
                self._initialised(body)
            case "POST", True, ("invocation", request_id, ("response" | "error") as kind):
                if request_id != self._request_id or self._answer.done():
                    connection.respond(400, b'{"errorMessage":"Invalid request ID"}')
                    return
                self._answer.set_result(Answer(body, failed=kind == "error"))
            case _:
                connection.respond(404, b'{"errorMessage":"no such call"}')
                return
        connection.respond(202, b'{"status":"OK"}')

    def _initialised(self, error: bytes | None) -> None:
        if not self.initialised.done():
            self.initialised.set_result(error)


class _Connection(asyncio.Protocol):
    """One HTTP connection of the process."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._http = h11.Connection(h11.SERVER)
        self._transport: asyncio.WriteTransport | None = None
        self._request: h11.Request | None = None
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio sets TCP_NODELAY; without it every invocation would wait 40 ms for an ACK.
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport
        self._api.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._api.disconnected(self)

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        try:
            self._advance()
        except h11.RemoteProtocolError:
            self.drop()

    def respond(self, status: int, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Write one response."""
        head = h11.Response(
            status_code=status,
            headers=[("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers],
        )
        self._write(head, h11.Data(data=body), h11.EndOfMessage())
        if self._http.our_state is h11.MUST_CLOSE:
            self.drop()
        else:
            self._http.start_next_cycle()

    def drop(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _advance(self) -> None:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._request = event
                self._body.clear()
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage) and self._request is not None:
                target, method = self._request.target.decode(), self._request.method.decode()
                self._api.requested(self, method, target, bytes(self._body))
            elif event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._write(h11.InformationalResponse(status_code=100, headers=[]))
                return
            else:
                return

    def _write(self, *events: h11.Event) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._http.send(event) or b"" for event in events))


def _headers(event: Event) -> tuple[tuple[str, str], ...]:
    return (
        ("Lambda-Runtime-Aws-Request-Id", event.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(event.deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", event.arn),
    )
