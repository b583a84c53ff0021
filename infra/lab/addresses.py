"""Where the lab's things are on loopback.

A lab owns eight neighbouring /16 blocks of 127.0.0.0/8, from ``127.<block>.0.0`` on:

=========  ======================================================================
block + 0  the control plane (``.0.1``), the zone's name server (``.0.53``) and
           the caching resolver that clients use (``.0.54``)
block + 1  the first region's VPC: 10.x.a.b is at ``127.<block + 1>.a.b``
block + 2  the second region's VPC
block + 3  what the first region's VPC sees of the second's, through the peering
block + 4  what the second region's VPC sees of the first's, through the peering
=========  ======================================================================

Ports are chosen free and are the same at every address of a kind, so that templates can
carry them as parameters.
"""

import ipaddress
import socket
from dataclasses import dataclass, field

from drill.errors import DrillError

BLOCKS = range(16, 248, 8)


@dataclass(frozen=True, slots=True)
class Addresses:
    """The loopback addresses of one lab.

    Attributes:
        block: Second octet of its first /16.
        regions: The two regions, the primary first.

    """

    block: int
    regions: tuple[str, str]
    _hosts: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    @property
    def control(self) -> str:
        """Where the AWS API answers."""
        return f"127.{self.block}.0.1"

    @property
    def name_server(self) -> str:
        """Where the hosted zones' authoritative server answers."""
        return f"127.{self.block}.0.53"

    @property
    def client_resolver(self) -> str:
        """Where the caching resolver of clients answers."""
        return f"127.{self.block}.0.54"

    def vpc_resolver(self, region: str) -> str:
        """Return where a VPC's own resolver answers (its CIDR's base plus two, as on AWS)."""
        return f"127.{self.block + 1 + self.regions.index(region)}.0.2"

    def inside(self, region: str, private: str) -> str:
        """Return where a private address of a region's VPC is, for those inside that VPC."""
        return f"127.{self.block + 1 + self.regions.index(region)}.{_low(private)}"

    def across(self, source: str, private: str) -> str:
        """Return where the other VPC's private address is for those in the VPC of ``source``."""
        return f"127.{self.block + 3 + self.regions.index(source)}.{_low(private)}"

    def host(self, subnet_cidr: str, resource: str) -> str:
        """Return the private address of a resource in a subnet; the same at each call.

        The first addresses of a subnet are AWS's own, so they start at the tenth.
        """
        key = (subnet_cidr, resource)
        if key not in self._hosts:
            used = sum(1 for cidr, _ in self._hosts if cidr == subnet_cidr)
            self._hosts[key] = str(ipaddress.ip_network(subnet_cidr)[10 + used])
        return self._hosts[key]


def _low(private: str) -> str:
    octets = private.split(".")
    return f"{octets[2]}.{octets[3]}"


def claim_block() -> tuple[int, socket.socket]:
    """Take a block that no other lab on this machine has.

    Returns:
        The block, and a bound socket that holds it for as long as it stays open.

    Raises:
        DrillError: All are taken.

    """
    for block in BLOCKS:
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind((f"127.{block}.0.1", 5399))
        except OSError:
            holder.close()
            continue
        return block, holder
    msg = f"all {len(BLOCKS)} lab address blocks are taken; stop one with: drill lab down"
    raise DrillError(msg)


def free_port(addresses: list[str], kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port that is free at every one of these addresses now.

    Raises:
        DrillError: None was found.

    """
    for _ in range(100):
        with socket.socket(socket.AF_INET, kind) as first:
            first.bind((addresses[0], 0))
            port = int(first.getsockname()[1])
            others = []
            try:
                for address in addresses[1:]:
                    other = socket.socket(socket.AF_INET, kind)
                    others.append(other)
                    other.bind((address, port))
            except OSError:
                continue
            finally:
                for other in others:
                    other.close()
            return port
    msg = "no free port was found on loopback; see what listens with: ss -ltn"
    raise DrillError(msg)
