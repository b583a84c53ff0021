"""A proxy before AWS's API that fails calls, always the same ones for the same seed.

Which fault a call gets is a function of the seed and of how many calls came before it. A call is one
HTTP request: an attempt that botocore makes again is a call of its own.
"""

import contextlib
import http.client
import random
import re
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.faultmatrix import answers
from tests.faultmatrix.answers import Answer

# Where a read may be answered from before the last change.
EVENTUAL = frozenset({"ec2", "route53", "fis", "scheduler"})
_STALE_S = 2.0
_READ = re.compile("BatchGet|Describe|Filter|Get|Head|List|Lookup|Query|Scan|Search|Simulate")
_SCOPE = re.compile(r"Credential=[^/]*/\d{8}/([^/]+)/([^/]+)/aws4_request")


class Kind(StrEnum):
    """What may happen to a call."""

    THROTTLED = "throttled"
    ERROR = "500"
    TIMEOUT_BEFORE = "time-out before"
    TIMEOUT_AFTER = "time-out after"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    SLOW = "slow"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it came in."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def scope(self) -> tuple[str, str]:
        """Return region and service, as the signature names them."""
        found = _SCOPE.search(self.header("authorization"))
        return (found[1], found[2]) if found else ("", "")

    @property
    def action(self) -> str:
        """Return what is called: an action's name, or method and path where the protocol has none."""
        target = self.header("x-amz-target")
        if target:
            return target.rpartition(".")[2]
        if "urlencoded" in self.header("content-type"):
            return parse_qs(self.body.decode()).get("Action", [""])[0]
        return f"{self.method} {urlsplit(self.path).path}"

    @property
    def reads(self) -> bool:
        """Say whether it changes nothing."""
        return self.action.startswith("GET ") or bool(_READ.match(self.action))


@dataclass(frozen=True, slots=True)
class Weather:
    """How often calls fail.

    Attributes:
        seed: Decides which.
        rate: Which part of them.
        timeout_s: When the caller gives up; a slow answer takes a fifth of it.
        until: All is well until this says yes to a call.
        kinds: What may happen.
        quotes: Whether error texts quote the request.

    """

    seed: int = 0
    rate: float = 0.0
    timeout_s: float = 1.0
    until: Callable[[Request], bool] = lambda _: True
    kinds: tuple[Kind, ...] = tuple(Kind)
    quotes: bool = False

    def fault(self, count: int) -> Kind | None:
        """Return what happens to a call, by its number."""
        drawn = random.Random(f"{self.seed} {count}")
        return drawn.choice(self.kinds) if drawn.random() < self.rate else None


@dataclass(slots=True)
class _Seen:
    """What was answered last, and before the last change, by service and request."""

    latest: dict[Any, dict[Any, Answer]] = field(default_factory=dict)
    before: dict[Any, dict[Any, Answer]] = field(default_factory=dict)
    changed_at: dict[Any, float] = field(default_factory=dict)


class Proxy:
    """The proxy; its weather may be changed at any time."""

    def __init__(self, upstream: str, weather: Weather | None = None) -> None:
        """Listen, and forward to a URL."""
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.injected: Counter[str] = Counter()
        self.log: list[tuple[str, str, str]] = []
        self.set(weather or Weather())

    def set(self, weather: Weather) -> None:
        """Change the weather, and count from the beginning."""
        with self._lock:
            self.weather, self._count, self._begun, self._seen = weather, 0, False, _Seen()
            self.injected.clear()
            self.log.clear()

    def drawn(self, request: Request) -> tuple[Kind | None, Answer | None]:
        """Return what happens to a call, and the old answer to give."""
        with self._lock:
            self._begun = self._begun or self.weather.until(request)
            if not self._begun:
                return None, None
            kind = self.weather.fault(self._count)
            self._count += 1
            old = self._old(request) if kind is Kind.STALE else None
            if kind is Kind.STALE and old is None:
                return None, None
            if kind is not None:
                self.injected[kind] += 1
            self.log.append((request.scope[1], request.action, kind or ""))
            return kind, old

    def forward(self, request: Request) -> Answer:
        """Ask upstream."""
        if not request.reads:
            self._changes(request)
        upstream = http.client.HTTPConnection(*self._upstream, timeout=60)
        try:
            upstream.request(request.method, request.path, request.body, dict(request.headers))
            got = upstream.getresponse()
            skipped = {"connection", "content-length", "date", "server", "transfer-encoding"}
            headers = tuple((key, value) for key, value in got.getheaders() if key.lower() not in skipped)
            answer = Answer(got.status, headers, got.read())
        finally:
            upstream.close()
        if request.reads and answer.status == 200 and request.scope[1] in EVENTUAL:
            with self._lock:
                self._seen.latest.setdefault(request.scope, {})[_key(request)] = answer
        return answer

    def _changes(self, request: Request) -> None:
        with self._lock:
            seen, scope = self._seen, request.scope
            seen.before.setdefault(scope, {}).update(seen.latest.pop(scope, {}))
            seen.changed_at[scope] = time.monotonic()

    def _old(self, request: Request) -> Answer | None:
        """Return the answer to the same read from before a change that was made just now."""
        scope = request.scope
        if not request.reads or time.monotonic() - self._seen.changed_at.get(scope, -_STALE_S) > _STALE_S:
            return None
        return self._seen.before.get(scope, {}).get(_key(request))

    def __enter__(self) -> Self:
        """Answer from now on."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def _key(request: Request) -> tuple[str, str, bytes]:
    return request.method, request.path, request.body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        """Listen on a free port of the loopback."""
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a caller that gave up is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing."""

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, tuple(self.headers.items()), body)
        kind, old = self.server.proxy.drawn(request)
        if kind is Kind.RESET_BEFORE:
            return self._reset()
        if kind is Kind.TIMEOUT_BEFORE:
            return self._hang()
        answer = old or self._answer(request, kind)
        if kind is Kind.RESET_AFTER:
            return self._reset()
        if kind is Kind.TIMEOUT_AFTER:
            return self._hang()
        if kind is Kind.SLOW:
            time.sleep(self.server.proxy.weather.timeout_s / 5)
        return self._send(answer)

    def _answer(self, request: Request, kind: Kind | None) -> Answer:
        proxy = self.server.proxy
        service, target = request.scope[1], request.header("x-amz-target")
        quoted = f"in {request.header('authorization')} {request.body!r}" if proxy.weather.quotes else ""
        if kind is Kind.THROTTLED:
            return answers.throttled(service, target, quoted)
        if kind is Kind.ERROR:
            return answers.failed(service, target, quoted)
        return proxy.forward(request)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for key, value in answer.headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _reset(self) -> None:
        """Close so that the caller's kernel is told of a reset: without lingering."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end()

    def _hang(self) -> None:
        """Say nothing until the caller has given up."""
        select.select([self.connection], [], [], 3 * self.server.proxy.weather.timeout_s)
        self._end()

    def _end(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.rfile.close()
            self.wfile.close()
            self.connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _do  # noqa: N815 (the library's names)
