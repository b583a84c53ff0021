"""Serves moto on loopback and tells of changes.

Connections stay open between requests and send without Nagle's delay: a drill's probes read
this API many times a second.
"""

import contextlib
import json
import re
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import ThreadedWSGIServer

from infra.lab.control_plane import unsigned
from infra.lab.control_plane.permissions import gate

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

# Calls that come by the hundred a second and change nothing that physics look at.
_ITEM_CALLS = re.compile(r"(Batch|Transact)?(Get|Put|Delete|Update|Write)Items?|BatchWriteItem|Query|Scan")
_MESSAGE_CALLS = frozenset(
    {
        "PutMetricData",
        "PutLogEvents",
        "Publish",
        "PublishBatch",
        "SendMessage",
        "SendMessageBatch",
        "ReceiveMessage",
        "DeleteMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
    }
)
_READS = re.compile(r"(Describe|List|Get|Head|Lookup|Simulate|Validate|Search|BatchGet|Test)[A-Z]")
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
# Answers that have no body, and no length of one.
_BODILESS = frozenset({204, 304})
_BACKLOG = 128
_XML_SERVICES = frozenset({"s3", "route53", "cloudfront"})
_QUERY_SERVICES = frozenset(
    {"ec2", "rds", "cloudformation", "elasticloadbalancing", "iam", "sts", "sns", "autoscaling", "monitoring"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: which service and, where it can be told, which action; REST calls have none."""

    service: str
    region: str
    action: str
    method: str
    path: str

    @property
    def changes(self) -> bool:
        """Whether something drillable may be different afterwards."""
        if self.service == "s3" or self.path.endswith("/invocations"):
            return False
        if not self.action:
            return self.method not in {"GET", "HEAD", "OPTIONS"}
        if self.service == "dynamodb" and _ITEM_CALLS.fullmatch(self.action):
            return False
        if self.action in _MESSAGE_CALLS:
            return False
        return not _READS.match(self.action)


def call_of(environ: Environ) -> Call:
    """Read which call a request is; the body stays readable."""
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    region, service = (scope[1], scope[2].lower()) if scope else ("", "")
    path = environ.get("PATH_INFO", "")
    action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if not action and "/operation/" in path:
        action = path.rpartition("/")[2]
    if not action and environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        named = _ACTION.search(body)
        action = named[1].decode() if named else ""
    return Call(service, region, action, environ.get("REQUEST_METHOD", "GET"), path)


class _Dispatcher(DomainDispatcherApplication):
    """Remembers which backend answers for a host; moto looks through its folders at each request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


class Application:
    """moto's applications behind one door: errors become AWS errors, changes are told."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Serve; ``changed`` is called after each request that may have changed something."""
        self._moto = _Dispatcher()
        self._changed = changed

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        unsigned.as_signed(environ)
        call = call_of(environ)
        try:
            refusal = gate.refusal(environ)
            if refusal is not None:
                start_response(refusal.status, list(refusal.headers))
                return [refusal.body]
            body = b"".join(self._moto(environ, start_response))
        except Exception as problem:  # noqa: BLE001 (moto raises all sorts; none may end as a page of HTML)
            return [_failure(call, problem, start_response)]
        finally:
            if call.changes:
                self._changed()
        return [body]


def _failure(call: Call, problem: Exception, start_response: StartResponse) -> bytes:
    named = f"{call.service or 'unsigned'} {call.action or f'{call.method} {call.path}'}"
    missing = isinstance(problem, NotImplementedError)
    code = "NotImplemented" if missing else "InternalFailure"
    text = f"the lab's control plane {'does not have' if missing else 'failed at'} {named}: {problem!r}"
    trace = "" if missing else "".join(traceback.format_exception(problem))
    print(f"{text}\n{trace}", file=sys.stderr, flush=True)  # noqa: T201 (the daemon's log)
    kind, body = _error_body(call.service, code, text)
    status = "501 Not Implemented" if missing else "500 Internal Server Error"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-ErrorType", code)]
    start_response(status, headers, sys.exc_info())
    return body


def _error_body(service: str, code: str, text: str) -> tuple[str, bytes]:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    error = f"<Error><Type>Receiver</Type><Code>{code}</Code><Message>{escaped}</Message></Error>"
    if service == "ec2":
        return "text/xml", f"<Response><Errors>{error}</Errors></Response>".encode()
    if service == "s3":
        return "text/xml", error.encode()
    if service in _QUERY_SERVICES or service in _XML_SERVICES:
        return "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode()
    return "application/json", json.dumps({"__type": code, "message": text}).encode()


class _Handler(MotoRequestHandler):
    """Speaks HTTP/1.1 and keeps connections open, which werkzeug's own handler never does.

    It can: a request is read whole before it is answered, so the next one begins where it ended.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: what is written waits in a buffer."""
        proceeds: bool = super().handle_expect_100()
        self.wfile.flush()
        return proceeds

    def run_wsgi(self) -> None:
        """Answer one request, whose head has been read."""
        environ = self.make_environ()
        whole = environ.get("wsgi.input_terminated", False)
        length = -1 if whole else int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
        environ["CONTENT_LENGTH"] = str(environ["wsgi.input"].getbuffer().nbytes)
        head: list[Any] = []
        body = b"".join(self.server.app(environ, lambda *given: head.append(given)))
        status, headers = head[-1][:2]
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        named = {name.lower() for name, _ in headers}
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in named and int(code) not in _BODILESS:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (werkzeug's signature)
        """Say nothing: failures are reported by the application."""


class _HttpServer(ThreadedWSGIServer):
    """Knows its connections, so that it can end them: they stay open between requests."""

    def __init__(self, listening: socket.socket, application: Application) -> None:
        address, port = listening.getsockname()
        self._open: set[socket.socket] = set()
        super().__init__(address, port, application, _Handler, fd=listening.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # its client ended it just now
                connection.shutdown(socket.SHUT_RDWR)


class Server:
    """The threaded HTTP server of the control plane."""

    def __init__(self, address: str, port: int, changed: Callable[[], None]) -> None:
        """Bind; port 0 takes a free one.

        Raises:
            OSError: The port is taken.

        """
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, port))
            listening.listen(_BACKLOG)
            self._server = _HttpServer(listening, Application(changed))
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="control-plane",
            daemon=True,
        )

    @property
    def url(self) -> str:
        """Where it answers."""
        address, port = self._server.socket.getsockname()
        return f"http://{address}:{port}"

    def start(self) -> None:
        """Begin to answer, in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.end_connections()
