"""Whose process is at the other end of a connection on this machine's loopback.

A port of the loopback is open to everybody on the machine. Linux tells for each connection which user
holds its other end, https://man7.org/linux/man-pages/man5/proc_pid_net.5.html, so nobody has to type a
password to be told from the others.
"""

import socket
from ipaddress import ip_address
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LOCAL, _REMOTE, _USER = 1, 2, 7


def user_of(address: str, port: int, server_port: int) -> int | None:
    """Return the number of the user who holds the client's end of a connection; None if no table has it.

    Args:
        address: The client's.
        port: The client's.
        server_port: The port that it is connected to.

    """
    wanted = f"{_written(address)}:{port:04X}"
    for table in _TABLES:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[_LOCAL] == wanted and fields[_REMOTE].endswith(f":{server_port:04X}"):
                return int(fields[_USER])
    return None


def _written(address: str) -> str:
    """Return an address as those tables have it: each group of four bytes in the machine's own order."""
    packed = ip_address(address).packed
    groups = [packed[first : first + 4] for first in range(0, len(packed), 4)]
    return "".join(f"{socket.ntohl(int.from_bytes(group, 'big')):08X}" for group in groups)
