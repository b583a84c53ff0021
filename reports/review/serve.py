"""Serving the application: the index first, then the page, until somebody presses Ctrl-C."""

import socket
from collections.abc import Callable

from waitress.server import create_server

from drill.errors import UsageError
from reports.review import app, index
from reports.review.app import Settings

# SQLite and the rendering take turns anyway; a few, so that a slow reader holds up nobody.
_THREADS = 4


def serve(settings: Settings, place: tuple[str, int], told: Callable[[str], object]) -> None:
    """Serve until interrupted.

    Args:
        settings: What, and to whom.
        place: Address and port; port 0 takes a free one.
        told: Called with each line for the person who started it.

    Raises:
        UsageError: The port is taken.

    """
    address, port = place
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.create_server((address, port), family=family)
    except OSError as problem:
        msg = f"port {port} of {address} can't be used: {problem.strerror}; choose another with: --port 0"
        raise UsageError(msg) from problem
    server = create_server(app.create(settings), sockets=[listening], threads=_THREADS, ident=None)
    index.refresh(settings.source, lambda done, of: told(f"reading runs: {done} of {of}"))
    host = f"[{address}]" if ":" in address else address
    told(f"review of {settings.root}: http://{host}:{listening.getsockname()[1]}/  (end with Ctrl-C)")
    told(f"sign-offs are signed with key {settings.signer.key} in {settings.signer.folder}")
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
