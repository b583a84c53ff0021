"""A health endpoint of the scheduler: GET /health on loopback, for whoever supervises it."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from drill import clock
from drill.errors import UsageError
from drill.gameday.scheduler import LOOK_S, Seen

_SILENT_S = 20 * LOOK_S


@contextlib.contextmanager
def answering(address: str, seen: Seen) -> Iterator[str]:
    """Answer as long as this lasts; yield where, or nothing if no address is given.

    Raises:
        UsageError: The address is none, not on loopback, or taken.

    """
    if not address:
        yield ""
        return
    host, _, port = address.rpartition(":")
    if not (host.startswith("127.") or host == "localhost") or not port.isdigit():
        msg = f"--health {address}: an address on loopback, as 127.0.0.1:8390"
        raise UsageError(msg)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state, body = told(seen)
            raw = json.dumps(body).encode()
            self.send_response(state if self.path == "/health" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Log nothing: it is asked every few seconds."""

    try:
        server = ThreadingHTTPServer((host, int(port)), Handler)
    except OSError as problem:
        msg = f"--health {address}: {problem.strerror}; choose another port"
        raise UsageError(msg) from problem
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/health"
    finally:
        server.shutdown()
        server.server_close()


def told(seen: Seen) -> tuple[int, dict[str, object]]:
    """Return the HTTP status and the body: 503 where it serves and has not looked for a while.

    One that was told to end looks no more and is well: nobody may kill it while it rolls a drill back.
    """
    silent_s = (clock.monotonic_ns() - seen.looked_ns) / 1e9
    stuck = seen.serving and not seen.stopping and silent_s > _SILENT_S
    body = {
        "serving": seen.serving,
        "stopping": seen.stopping,
        "stuck": stuck,
        "problems": list(seen.problems),
    }
    return (503 if stuck or seen.problems else 200), body
