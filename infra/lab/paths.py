"""Which ways are open from a region's functions: to databases and to AWS's services.

A function in a VPC has private addresses only. It reaches one of AWS's services through a
gateway endpoint in its subnets' route tables, else through an interface endpoint that answers to
the service's own name, else through a NAT gateway; where there is none of these, nowhere.
https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.lab.reachability import (
    INTERNET,
    OPEN,
    Openness,
    accepts_from,
    connects_to,
    open_path,
    private_subnets,
    route_table_of,
)
from infra.lab.security import Peer, lets_in, lets_out
from infra.lab.world import Cluster, Snapshot, Subnet, VpcEndpoint

HTTPS = 443


@dataclass(frozen=True, slots=True)
class Caller:
    """Functions of a region that connect from the same subnets with the same security groups."""

    subnets: tuple[Subnet, ...]
    groups: tuple[str, ...]

    @property
    def vpc_id(self) -> str:
        """The VPC that they are in; empty if they are in none."""
        return self.subnets[0].vpc_id if self.subnets else ""


def callers(snapshot: Snapshot, region: str) -> tuple[Caller, ...]:
    """Return who connects from a region; without functions, as if one were in each private subnet."""
    ends = dict.fromkeys(
        (function.subnet_ids, function.security_group_ids)
        for function in snapshot.functions
        if function.region == region and function.subnet_ids
    )
    found = [Caller(tuple(s for s in snapshot.subnets if s.id in ids), groups) for ids, groups in ends]
    return tuple(found) or (Caller(private_subnets(snapshot, region), ()),)


def to_database(snapshot: Snapshot, found: Iterable[Caller], cluster: Cluster) -> Openness:
    """Tell whether all callers reach a cluster's database, and why not."""
    return _first_closed(_to_database(snapshot, caller, cluster) for caller in found)


def to_service(snapshot: Snapshot, found: Iterable[Caller], service: str) -> Openness:
    """Tell whether all callers reach one of AWS's services, and why not.

    Args:
        snapshot: What there is.
        found: Who connects.
        service: As endpoints name it, for example ``dynamodb``; empty for one that has no endpoint.

    """
    return _first_closed(
        _to_service(snapshot, caller, subnet, service) for caller in found for subnet in caller.subnets
    )


def _first_closed(ways: Iterable[Openness]) -> Openness:
    return next((way for way in ways if not way[0]), OPEN)


def _to_database(snapshot: Snapshot, caller: Caller, cluster: Cluster) -> Openness:
    far = tuple(subnet for subnet in snapshot.subnets if subnet.id in cluster.subnet_ids)
    way = open_path(snapshot, caller.subnets, far, cluster.port)
    return way if not way[0] else _guarded(snapshot, caller, far, cluster.security_group_ids, cluster.port)


def _guarded(
    snapshot: Snapshot, caller: Caller, far: Sequence[Subnet], groups: tuple[str, ...], port: int
) -> Openness:
    """Tell whether the security groups of both ends let a connection pass."""
    together = bool(far) and far[0].vpc_id == caller.vpc_id
    out = (lets_out(snapshot, caller.groups, Peer(s.cidr, groups if together else ()), port) for s in far)
    near = caller.groups if together else ()
    come = (lets_in(snapshot, groups, Peer(s.cidr, near), port) for s in caller.subnets)
    return _first_closed((*out, *come))


def _to_service(snapshot: Snapshot, caller: Caller, subnet: Subnet, service: str) -> Openness:
    here = [item for item in snapshot.endpoints if item.vpc_id == subnet.vpc_id and item.service == service]
    table = route_table_of(snapshot, subnet)
    for endpoint in here:
        if endpoint.gateway and table.id in endpoint.route_table_ids:
            peer = Peer(INTERNET, prefix_list=endpoint.prefix_list)
            return _first_closed(
                (lets_out(snapshot, caller.groups, peer, HTTPS), connects_to(subnet, INTERNET, HTTPS))
            )
    for endpoint in here:
        if not endpoint.gateway and endpoint.private_dns:
            return _to_interface(snapshot, Caller((subnet,), caller.groups), endpoint)
    return _through_nat(snapshot, Caller((subnet,), caller.groups))


def _to_interface(snapshot: Snapshot, caller: Caller, endpoint: VpcEndpoint) -> Openness:
    far = tuple(subnet for subnet in snapshot.subnets if subnet.id in endpoint.subnet_ids)
    way = open_path(snapshot, caller.subnets, far, HTTPS)
    return way if not way[0] else _guarded(snapshot, caller, far, endpoint.security_group_ids, HTTPS)


def _through_nat(snapshot: Snapshot, caller: Caller) -> Openness:
    (subnet,) = caller.subnets
    inside = {gateway.id: gateway.subnet_id for gateway in snapshot.nat_gateways}
    outward = [item for item in route_table_of(snapshot, subnet).routes if item.destination == "0.0.0.0/0"]
    found = [s for route in outward for s in snapshot.subnets if s.id == inside.get(route.target)]
    if not found or outward[0].state != "active":
        return False, f"{subnet.id} has no endpoint of the service and no way to a NAT gateway"
    edge = found[0]
    beyond = [item for item in route_table_of(snapshot, edge).routes if item.destination == "0.0.0.0/0"]
    if not any(item.target.startswith("igw-") and item.state == "active" for item in beyond):
        return False, f"{edge.id} of the NAT gateway has no way to an internet gateway"
    return _first_closed(
        (
            lets_out(snapshot, caller.groups, Peer(INTERNET), HTTPS),
            connects_to(subnet, INTERNET, HTTPS),
            *(() if edge.id == subnet.id else (accepts_from(edge, subnet.cidr, HTTPS),)),
            connects_to(edge, INTERNET, HTTPS),
        )
    )
