"""Whether packets pass between subnets, and why not: pure rules over a snapshot.

What AWS does is in https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
(ACLs are stateless, numbered, the lowest number that matches decides, and they see only what
enters or leaves a subnet) and https://docs.aws.amazon.com/vpc/latest/peering/ (a peering
carries nothing without a route on both sides, nor between overlapping ranges).

A path is open only when it is open between all subnets of both ends: a client in any of
them must get through, so one that is cut counts as cut.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network

from infra.lab.world import AclEntry, Peering, RouteTable, Snapshot, Subnet, Vpc

# Ports from which the lab's clients, Linux programs, connect (net.ipv4.ip_local_port_range).
EPHEMERAL = (32768, 60999)
# A client somewhere on the Internet, from the range that is kept for documentation (RFC 5737).
INTERNET = "203.0.113.0/24"
_TCP = frozenset({"-1", "6", "tcp", "all"})

Openness = tuple[bool, str]
OPEN: Openness = (True, "")


@lru_cache(maxsize=1024)
def _network(cidr: str) -> IPv4Network:
    return IPv4Network(cidr, strict=False)


def passes(acl: Iterable[AclEntry], *, egress: bool, address: int, port: int) -> bool:
    """Tell whether an ACL lets one TCP packet pass.

    Args:
        acl: The rules, in any order; ranges of IPv6 are not looked at.
        egress: True for a packet that leaves the subnet.
        address: The other end's IPv4 address as a number.
        port: The packet's destination port.

    """
    for entry in sorted(acl, key=lambda entry: entry.number):
        if entry.egress != egress or entry.protocol not in _TCP or ":" in entry.cidr:
            continue
        if entry.protocol in {"-1", "all"}:
            first, last = 0, 65535
        else:
            first = 0 if entry.from_port is None else entry.from_port
            last = 65535 if entry.to_port is None else entry.to_port
        network = _network(entry.cidr)
        within = int(network.network_address) <= address <= int(network.broadcast_address)
        if within and first <= port <= last:
            return entry.allow
    return False


def passes_all(acl: Sequence[AclEntry], *, egress: bool, cidr: str, ports: tuple[int, int]) -> bool:
    """Tell whether an ACL lets every TCP packet to or from a whole range pass.

    Verdicts change only where a rule begins or ends, so looking at those edges is exact.
    """
    network = _network(cidr)
    addresses = {int(network.network_address)}
    numbers = {ports[0]}
    for entry in acl:
        if ":" in entry.cidr:
            continue
        edge = _network(entry.cidr)
        addresses.update((int(edge.network_address), int(edge.broadcast_address) + 1))
        numbers.update(() if entry.from_port is None else (entry.from_port,))
        numbers.update(() if entry.to_port is None else (entry.to_port + 1,))
    return all(
        passes(acl, egress=egress, address=address, port=port)
        for address in addresses
        if int(network.network_address) <= address <= int(network.broadcast_address)
        for port in numbers
        if ports[0] <= port <= ports[1]
    )


def accepts_from(subnet: Subnet, cidr: str, port: int) -> Openness:
    """Tell whether a subnet's ACL lets clients in a range reach a port inside, and be answered."""
    if not passes_all(subnet.acl, egress=False, cidr=cidr, ports=(port, port)):
        return False, f"the network ACL of {subnet.id} denies tcp {port} in from {cidr}"
    if not passes_all(subnet.acl, egress=True, cidr=cidr, ports=EPHEMERAL):
        return False, f"the network ACL of {subnet.id} denies answers out to {cidr}"
    return OPEN


def connects_to(subnet: Subnet, cidr: str, port: int) -> Openness:
    """Tell whether a subnet's ACL lets clients inside reach a port in a range, and be answered."""
    if not passes_all(subnet.acl, egress=True, cidr=cidr, ports=(port, port)):
        return False, f"the network ACL of {subnet.id} denies tcp {port} out to {cidr}"
    if not passes_all(subnet.acl, egress=False, cidr=cidr, ports=EPHEMERAL):
        return False, f"the network ACL of {subnet.id} denies answers in from {cidr}"
    return OPEN


def open_path(
    snapshot: Snapshot, source: Sequence[Subnet], destination: Sequence[Subnet], port: int
) -> Openness:
    """Tell whether clients in the source subnets reach a port in the destination subnets.

    Returns:
        Whether they do, and the first reason why not (empty when they do).

    """
    if not source or not destination:
        return False, "one end of the path has no subnet"
    for near in source:
        for far in destination:
            openness = _open_between(snapshot, near, far, port)
            if not openness[0]:
                return openness
    return OPEN


def private_subnets(snapshot: Snapshot, region: str) -> tuple[Subnet, ...]:
    """Return a region's subnets without a route to an internet gateway; all of them if none is so."""
    here = tuple(subnet for subnet in snapshot.subnets if subnet.region == region)
    private = tuple(
        subnet
        for subnet in here
        if not any(route.target.startswith("igw-") for route in route_table_of(snapshot, subnet).routes)
    )
    return private or here


def _open_between(snapshot: Snapshot, near: Subnet, far: Subnet, port: int) -> Openness:
    if near.id == far.id:
        # An ACL does not see packets that stay in their subnet.
        return OPEN
    if near.vpc_id != far.vpc_id:
        openness = _peered(snapshot, near, far)
        if not openness[0]:
            return openness
    openness = connects_to(near, far.cidr, port)
    return openness if not openness[0] else accepts_from(far, near.cidr, port)


def _peered(snapshot: Snapshot, near: Subnet, far: Subnet) -> Openness:
    ends = {near.vpc_id, far.vpc_id}
    peerings = [
        peering for peering in snapshot.peerings if {peering.requester_vpc, peering.accepter_vpc} == ends
    ]
    active = [peering for peering in peerings if peering.status == "active"]
    if not active:
        seen = ", ".join(f"{peering.id} is {peering.status}" for peering in peerings) or "there is none"
        return False, f"no active peering between {near.vpc_id} and {far.vpc_id}: {seen}"
    if _overlap(snapshot, near.vpc_id, far.vpc_id):
        return False, f"the address ranges of {near.vpc_id} and {far.vpc_id} overlap"
    for here, there in ((near, far), (far, near)):
        openness = _routed(route_table_of(snapshot, here), here, there, active)
        if not openness[0]:
            return openness
    return OPEN


def _overlap(snapshot: Snapshot, one: str, other: str) -> bool:
    def ranges(vpc_id: str) -> list[IPv4Network]:
        return [_network(cidr) for vpc in _vpcs(snapshot, vpc_id) for cidr in vpc.cidrs]

    return any(first.overlaps(second) for first in ranges(one) for second in ranges(other))


def _vpcs(snapshot: Snapshot, vpc_id: str) -> list[Vpc]:
    return [vpc for vpc in snapshot.vpcs if vpc.id == vpc_id]


def route_table_of(snapshot: Snapshot, subnet: Subnet) -> RouteTable:
    """Return the route table that a subnet follows: its own, else its VPC's main one."""
    main = RouteTable(
        id="no route table", region=subnet.region, vpc_id=subnet.vpc_id, main=True, subnet_ids=(), routes=()
    )
    for table in snapshot.route_tables:
        if subnet.id in table.subnet_ids:
            return table
        if table.main and table.vpc_id == subnet.vpc_id:
            main = table
    return main


def _routed(table: RouteTable, here: Subnet, there: Subnet, active: Sequence[Peering]) -> Openness:
    goal = _network(there.cidr)
    covering = [
        route
        for route in table.routes
        if "." in route.destination and goal.subnet_of(_network(route.destination))
    ]
    if not covering:
        return False, f"{table.id} of {here.id} has no route to {there.cidr}"
    best = max(covering, key=lambda route: _network(route.destination).prefixlen)
    if best.state != "active" or best.target not in {peering.id for peering in active}:
        return False, f"{table.id} of {here.id} sends {there.cidr} to {best.target} ({best.state})"
    return OPEN
