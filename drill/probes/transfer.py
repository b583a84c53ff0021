"""HTTP requests through libcurl on an asyncio loop: each stage timed, each connection new.

libcurl is driven by the loop's own readiness and timers
(https://curl.se/libcurl/c/libcurl-multi.html, "multi_socket"), so that thousands of attempts
can hang at once without a thread for each.
"""

import asyncio
import errno
import io
import json
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pycurl

from drill.model import Json
from drill.probes.contract import told

USER_AGENT = "drill"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        url: Where to; its host is also the Host header and the name that a certificate must have.
        host: The same host.
        port: Its TCP port.
        body: What is posted; None for a GET.

    """

    url: str
    host: str
    port: int
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What came of a request.

    Attributes:
        error: Empty, or a short word: timeout, refused, unreachable, reset, closed, tls, curl_N.
        nothing_sent: No byte of the request can have reached a server.
        total_s: Until the last byte of the answer, or until it was given up.
        status: The HTTP status; None if none came.
        document: The JSON object in the body; empty if there was none.
        address: The address that was connected to, or tried first if none let itself be.
        connect_s: Until the connection stood, TLS included.
        first_byte_s: Until the first byte of the answer.
        reused: The connection was there before.

    """

    error: str
    nothing_sent: bool
    total_s: float
    status: int | None = None
    document: Mapping[str, Json] = field(default_factory=dict)
    address: str = ""
    connect_s: float | None = None
    first_byte_s: float | None = None
    reused: bool = False

    def detail(self) -> dict[str, Json]:
        """Return what an observation keeps of it."""
        cold = self.document.get("cold")
        return told(
            status=self.status,
            address=self.address,
            connect_s=self.connect_s,
            first_byte_s=self.first_byte_s,
            total_s=self.total_s,
            reused=self.reused or None,
            cold=cold if isinstance(cold, bool) else None,
            error=self.error,
        )

    @property
    def region(self) -> str | None:
        """The region that the answer names."""
        region = self.document.get("region")
        return region if isinstance(region, str) else None


class Transfers:
    """Runs requests concurrently on the running loop."""

    def __init__(self, *, keep_connections: bool = False) -> None:
        """Begin with no connection; with ``keep_connections`` later requests reuse them, as a pool does."""
        self._keep = keep_connections
        self._loop = asyncio.get_running_loop()
        self._running: dict[pycurl.Curl, asyncio.Future[int]] = {}
        self._watched: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        # libcurl's wheel brings no certificates: trust what Python on this machine does.
        paths = ssl.get_default_verify_paths()
        stores = ((pycurl.CAINFO, paths.cafile), (pycurl.CAPATH, paths.capath))
        self._trusted = [(option, path) for option, path in stores if path]
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._time)

    async def fetch(self, request: Request, addresses: Sequence[str], timeout_s: float) -> Response:
        """Send a request to the first of the addresses that lets itself be connected to."""
        body = io.BytesIO()
        handle = self._handle(request, addresses, timeout_s, body)
        future: asyncio.Future[int] = self._loop.create_future()
        self._running[handle] = future
        self._multi.add_handle(handle)
        try:
            code = await future
            return _response(handle, code, body.getvalue(), addresses[0])
        finally:
            if self._running.pop(handle, None) is not None:
                self._multi.remove_handle(handle)
            handle.close()

    def close(self) -> None:
        """Close every connection; requests that still run are cancelled by their callers."""
        if self._timer is not None:
            self._timer.cancel()
        for descriptor in tuple(self._watched):
            self._forget(descriptor)
        self._multi.close()

    def _handle(
        self, request: Request, addresses: Sequence[str], timeout_s: float, body: io.BytesIO
    ) -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, request.url)
        handle.setopt(pycurl.RESOLVE, [f"{request.host}:{request.port}:{','.join(addresses)}"])
        handle.setopt(pycurl.TIMEOUT_MS, max(1, int(timeout_s * 1000)))
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.PROXY, "")
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.USERAGENT, USER_AGENT)
        handle.setopt(pycurl.WRITEFUNCTION, body.write)
        if not self._keep:
            handle.setopt(pycurl.FRESH_CONNECT, 1)
            handle.setopt(pycurl.FORBID_REUSE, 1)
        if request.url.startswith("https:"):
            for option, path in self._trusted:
                handle.setopt(option, path)
        if request.body is not None:
            handle.setopt(pycurl.POSTFIELDS, request.body)
            handle.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:"])
        return handle

    def _watch(self, event: int, descriptor: int, *_: object) -> None:
        """Follow libcurl's wish to hear of a socket."""
        if event == pycurl.POLL_REMOVE:
            self._forget(descriptor)
            return
        self._watched.add(descriptor)
        if event & pycurl.POLL_IN:
            self._loop.add_reader(descriptor, self._act, descriptor, pycurl.CSELECT_IN)
        else:
            self._loop.remove_reader(descriptor)
        if event & pycurl.POLL_OUT:
            self._loop.add_writer(descriptor, self._act, descriptor, pycurl.CSELECT_OUT)
        else:
            self._loop.remove_writer(descriptor)

    def _forget(self, descriptor: int) -> None:
        self._watched.discard(descriptor)
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)

    def _time(self, timeout_ms: int) -> None:
        """Follow libcurl's wish to be called after a while; it must not be called from here."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if timeout_ms >= 0:
            self._timer = self._loop.call_later(timeout_ms / 1000, self._act, pycurl.SOCKET_TIMEOUT, 0)

    def _act(self, descriptor: int, events: int) -> None:
        self._multi.socket_action(descriptor, events)
        more = 1
        while more:
            more, succeeded, failed = self._multi.info_read()
            for handle in succeeded:
                self._finish(handle, 0)
            for handle, code, _ in failed:
                self._finish(handle, code)

    def _finish(self, handle: pycurl.Curl, code: int) -> None:
        future = self._running.pop(handle)
        self._multi.remove_handle(handle)
        if not future.done():
            future.set_result(code)


def _response(handle: pycurl.Curl, code: int, body: bytes, tried: str) -> Response:
    connected = handle.getinfo(pycurl.APPCONNECT_TIME) or handle.getinfo(pycurl.CONNECT_TIME)
    status = handle.getinfo(pycurl.RESPONSE_CODE) or None
    # libcurl fills the later stages of a failed request in with its end: only a status proves them.
    first_byte = handle.getinfo(pycurl.STARTTRANSFER_TIME) if status else 0.0
    return Response(
        error=_short_word(handle, code),
        nothing_sent=handle.getinfo(pycurl.REQUEST_SIZE) == 0,
        status=status,
        document=_document(body),
        address=handle.getinfo(pycurl.PRIMARY_IP) or tried,
        connect_s=round(connected, 6) or None,
        first_byte_s=round(first_byte, 6) or None,
        total_s=round(handle.getinfo(pycurl.TOTAL_TIME), 6),
        reused=code == 0 and handle.getinfo(pycurl.NUM_CONNECTS) == 0,
    )


def _short_word(handle: pycurl.Curl, code: int) -> str:
    if code == pycurl.E_COULDNT_CONNECT:
        refused = handle.getinfo(pycurl.OS_ERRNO) == errno.ECONNREFUSED
        return "refused" if refused else "unreachable"
    words = {
        pycurl.E_OK: "",
        pycurl.E_OPERATION_TIMEDOUT: "timeout",
        pycurl.E_GOT_NOTHING: "closed",
        pycurl.E_PARTIAL_FILE: "closed",
        pycurl.E_RECV_ERROR: "reset",
        pycurl.E_SEND_ERROR: "reset",
        pycurl.E_SSL_CONNECT_ERROR: "tls",
        pycurl.E_PEER_FAILED_VERIFICATION: "tls",
    }
    return words.get(code, f"curl_{code}")


def _document(body: bytes) -> Mapping[str, Json]:
    """Return the JSON object in a body; a body that is none (a proxy's error page) says nothing."""
    if body[:1] != b"{":
        return {}
    with suppress(ValueError):  # cut short or garbled: it says nothing either
        return dict(json.loads(body))
    return {}
