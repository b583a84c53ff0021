"""Proves that a piece of code calls nobody: Python's own audit events tell of every attempt.

https://docs.python.org/3/library/audit_events.html
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_FORBIDDEN = (
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyaddr",
    "socket.gethostbyname",
    "socket.sendmsg",
    "socket.sendto",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "subprocess.Popen",
)
_WRITING = frozenset("wax+")
_watched = threading.local()
_installed = threading.Event()


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    seen: list[str] | None = getattr(_watched, "seen", None)
    if seen is None:
        return
    writes = event == "open" and len(arguments) > 1 and _WRITING & set(str(arguments[1] or ""))
    if event in _FORBIDDEN or writes:
        seen.append(f"{event} {arguments[0]!s}")


@contextmanager
def untouched() -> Iterator[list[str]]:
    """Yield a list to which every call of this thread to another process or machine is added.

    Writing a file counts too. Nothing is prevented.
    """
    if not _installed.is_set():
        sys.addaudithook(_hear)  # it can't be taken out again, and hears nothing outside such a block
        _installed.set()
    seen: list[str] = []
    _watched.seen = seen
    try:
        yield seen
    finally:
        _watched.seen = None
