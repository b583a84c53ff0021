"""A listening TCP socket whose packets can vanish and come back.

A closed network path on AWS answers nothing: no refusal, no reset, a client waits until its
own time-out. Linux does the same on loopback when a listener's accept queue is full: it
drops every further SYN (``tcp_conn_request`` in the kernel). So a gate that goes dark stops
accepting, shrinks the queue to one place and fills that place with a connection of its own.
"""

import asyncio
import contextlib
import functools
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from drill.errors import DrillError
from infra.lab.truth import TruthLog

BACKLOG = 128
READ_BYTES = 65536
_MOST_FILLERS = 32
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
# struct tcp_info of linux/tcp.h: on a listening socket tcpi_unacked is the length of the
# accept queue and tcpi_sacked its limit.
_QUEUE_OFFSET_BYTES = 24


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a gate stands.

    Attributes:
        path: ``edge``, ``endpoint`` or ``database``, as the truth log names it.
        region: The region whose clients come through it.
        address: Loopback address to listen on.
        port: TCP port to listen on.

    """

    path: str
    region: str
    address: str
    port: int


class Connection:
    """One accepted connection; it carries no byte while its gate is closed."""

    def __init__(self, gate: "Gate", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wrap a connection that the gate accepted."""
        self._gate = gate
        self._reader = reader
        self._writer = writer
        name = writer.get_extra_info("peername")
        self.peer = str(name[0]) if name else ""

    async def read(self, limit_bytes: int = READ_BYTES) -> bytes:
        """Return the next bytes once they may pass; empty at the client's end of stream."""
        await self._gate.passing()
        return await self._reader.read(limit_bytes)

    async def write(self, content: bytes) -> None:
        """Send bytes once they may pass.

        Raises:
            ConnectionError: The client is gone.

        """
        await self._gate.passing()
        self._writer.write(content)
        await self._writer.drain()

    async def write_eof(self) -> None:
        """End this direction of the stream and leave the other one open."""
        await self._gate.passing()
        if not self._writer.is_closing():
            with contextlib.suppress(OSError):  # the other end has reset it: nobody is there to be told
                self._writer.write_eof()

    def reset(self) -> None:
        """Drop the connection with a TCP reset, as a machine does whose server is gone."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None and not self._writer.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._writer.transport.abort()

    async def finish(self) -> None:
        """Close in order, once the end of stream may pass."""
        await self._gate.passing()
        self._writer.close()
        await self._writer.wait_closed()

    def hold(self) -> None:
        """Stop taking bytes from the client; they wait in the kernel."""
        transport = self._writer.transport
        if isinstance(transport, asyncio.Transport) and not transport.is_closing():
            transport.pause_reading()

    def let_go(self) -> None:
        """Take bytes again."""
        transport = self._writer.transport
        if isinstance(transport, asyncio.Transport) and not transport.is_closing():
            transport.resume_reading()


Serve = Callable[[Connection], Awaitable[None]]


class Gate:
    """One listener; each accepted connection is handed to a coroutine of its own.

    While it is closed new connections get no answer at all, and those that exist stall;
    when it opens again they resume. All methods belong in the event loop's thread.
    """

    def __init__(self, passage: Passage, serve: Serve, truth: TruthLog) -> None:
        """Say where to listen and what serves a connection; nothing happens before start."""
        self.passage = passage
        self._serve = serve
        self._truth = truth
        self._socket: socket.socket | None = None
        self._fillers: list[socket.socket] = []
        self._open = asyncio.Event()
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether packets pass now."""
        return self._open.is_set()

    async def passing(self) -> None:
        """Wait until packets pass; return at once when they do."""
        while not self._open.is_set():
            await self._open.wait()

    def start(self) -> None:
        """Listen, with the path open.

        Raises:
            DrillError: The address can't be bound.

        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        at = (self.passage.address, self.passage.port)
        try:
            listener.bind(at)
            listener.listen(BACKLOG)
        except OSError as problem:
            listener.close()
            msg = f"can't listen on {at[0]}:{at[1]}: {problem.strerror}; see who does with: ss -ltnp"
            raise DrillError(msg) from problem
        self._socket = listener
        self._open.set()
        asyncio.get_running_loop().add_reader(listener, self._accept)

    def close_path(self, why: str = "") -> None:
        """Make packets vanish; ``why`` goes to the truth log."""
        if self._socket is None or not self.is_open:
            return
        self._open.clear()
        for connection in self._connections:
            connection.hold()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._fill_queue(self._socket)
        self._log("path_closed", time.monotonic_ns(), why)

    def open_path(self) -> None:
        """Let packets pass again; what stalled resumes."""
        if self._socket is None or self.is_open:
            return
        ours = {filler.getsockname() for filler in self._fillers}
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        # Both stamps lie inside the dark: not one new packet passed between them.
        opened_ns = time.monotonic_ns()
        self._socket.listen(BACKLOG)
        self._open.set()
        self._accept(ours)
        asyncio.get_running_loop().add_reader(self._socket, self._accept)
        for connection in self._connections:
            connection.let_go()
        self._log("path_opened", opened_ns, "")

    def shut(self) -> None:
        """Stop listening and begin to drop every connection; :meth:`stop` waits for them."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """Stop listening and drop every connection; leaves no task and no socket."""
        self.shut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _fill_queue(self, listener: socket.socket) -> None:
        listener.listen(0)
        for _ in range(_MOST_FILLERS):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            # In progress is what is wanted: nobody will accept it.
            filler.connect_ex(listener.getsockname())
            self._fillers.append(filler)
            if _queue_is_full(listener):
                return
            time.sleep(0.0005)
        msg = f"packets to {self.passage.address}:{self.passage.port} do not vanish on this kernel"
        raise RuntimeError(msg)

    def _accept(self, ours: frozenset[object] | set[object] = frozenset()) -> None:
        while self._socket is not None:
            try:
                accepted, peer = self._socket.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            if peer in ours:
                accepted.close()
                continue
            accepted.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._carry(accepted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # A task that is cancelled before its first step runs none of its own code.
            task.add_done_callback(functools.partial(_close, accepted))

    async def _carry(self, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=READ_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted)
        connection = Connection(self, reader, asyncio.StreamWriter(transport, protocol, reader, loop))
        self._connections.add(connection)
        try:
            if not self.is_open:
                connection.hold()
            await self._serve(connection)
            await connection.finish()
        except ConnectionError:
            # The client left; nobody is there to be told.
            transport.abort()
        finally:
            self._connections.discard(connection)
            transport.abort()

    def _log(self, kind: str, at_ns: int, why: str) -> None:
        at = self.passage
        self._truth.log(
            kind, at_ns, path=at.path, region=at.region, address=at.address, port=at.port, why=why
        )


def _close(accepted: socket.socket, _: object) -> None:
    accepted.close()


def _queue_is_full(listener: socket.socket) -> bool:
    state = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUE_OFFSET_BYTES + 8)
    waiting, limit = struct.unpack_from("II", state, _QUEUE_OFFSET_BYTES)
    return bool(waiting > limit)
