# ruff: noqa: INP001 - Python finds it by its name in a folder on the path
"""What the lab puts under every function: names are asked of its VPC's resolver.

On AWS the micro-VM's C library does this; on loopback all processes share one
``/etc/resolv.conf``, so ``socket.getaddrinfo`` asks ``LAB_RESOLVER`` (``address:port``) itself,
the way a stub resolver does. Addresses and ``localhost`` are left to the C library. Nothing but
the standard library's lightest modules is imported: it is part of every cold start.
"""

import os
import socket
import struct
from typing import Any

# As in resolv.conf(5): options timeout:5 attempts:2.
TIMEOUT_S = 5.0
ATTEMPTS = 2
_TYPE_A = 1
_CLASS_IN = 1
_NAME_ERROR = 3
_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!2HIH")

_getaddrinfo = socket.getaddrinfo


def resolve(name: str, server: tuple[str, int]) -> list[str]:
    """Return a name's IPv4 addresses.

    Raises:
        socket.gaierror: There is no such name (EAI_NONAME), it has no address (EAI_NODATA), or
            no answer came (EAI_AGAIN).

    """
    for _ in range(ATTEMPTS):
        query_id = int.from_bytes(os.urandom(2), "big")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(TIMEOUT_S)
            try:
                asking.connect(server)
                asking.send(_query(query_id, name))
                answer = asking.recv(4096)
                while answer[:2] != query_id.to_bytes(2, "big"):
                    answer = asking.recv(4096)
            except OSError:  # no answer, or nobody there: try again, as a stub resolver does
                continue
        return _addresses(answer)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _query(query_id: int, name: str) -> bytes:
    labels = name.rstrip(".").encode("idna").split(b".")
    encoded = b"".join(bytes([len(label)]) + label for label in labels)
    recursion_desired = 0x0100
    header = _HEADER.pack(query_id, recursion_desired, 1, 0, 0, 0)
    return header + encoded + b"\0" + struct.pack("!2H", _TYPE_A, _CLASS_IN)


def _addresses(answer: bytes) -> list[str]:
    _, flags, questions, records, _, _ = _HEADER.unpack_from(answer)
    code = flags & 0xF
    if code == _NAME_ERROR:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if code != 0:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    at = _HEADER.size
    for _ in range(questions):
        at = _after_name(answer, at) + 4
    found = []
    for _ in range(records):
        at = _after_name(answer, at)
        kind, _, _, length = _RECORD.unpack_from(answer, at)
        at += _RECORD.size
        if kind == _TYPE_A:
            found.append(socket.inet_ntoa(answer[at : at + length]))
        at += length
    if not found:
        raise socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
    return found


def _after_name(message: bytes, at: int) -> int:
    while True:
        length = message[at]
        if length >= 0xC0:  # a pointer to an earlier name ends this one
            return at + 2
        at += 1 + length
        if length == 0:
            return at


def _is_local(host: object) -> bool:
    if not isinstance(host, str) or host in {"", "localhost"}:
        return True
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


def install(server: tuple[str, int]) -> None:
    """Have every name of this process resolved by ``server``."""

    def getaddrinfo(  # noqa: PLR0913 - the signature is socket's
        host: str | bytes | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,  # noqa: A002 - see above
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        if _is_local(host):
            return _getaddrinfo(host, port, family, type, proto, flags)
        if family == socket.AF_INET6:
            raise socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
        return [
            entry
            for address in resolve(str(host), server)
            for entry in _getaddrinfo(address, port, socket.AF_INET, type, proto, flags)
        ]

    socket.getaddrinfo = getaddrinfo


if "LAB_RESOLVER" in os.environ:
    _address, _, _port = os.environ["LAB_RESOLVER"].rpartition(":")
    install((_address, int(_port)))
