"""Networks: subnets with their rules, routes, peerings, and what else stands between two ends."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AclEntry:
    """One rule of a network ACL; the lowest number that matches decides, none denies."""

    number: int
    egress: bool
    allow: bool
    cidr: str
    protocol: str
    from_port: int | None = None
    to_port: int | None = None


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with the rules of the network ACL that is associated with it now."""

    id: str
    region: str
    vpc_id: str
    cidr: str
    acl: tuple[AclEntry, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One route; ``state`` is ``active`` or ``blackhole``."""

    destination: str
    target: str
    state: str


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table; ``subnet_ids`` are its explicit associations."""

    id: str
    region: str
    vpc_id: str
    main: bool
    subnet_ids: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC that a template made (default VPCs are left out); ``cidrs`` has the primary one first."""

    id: str
    region: str
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Peering:
    """A VPC peering; status ``active`` is the only one that can carry bytes."""

    id: str
    status: str
    requester_vpc: str
    accepter_vpc: str


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """One rule of a security group; it allows, nothing denies.

    Attributes:
        egress: Whether it is about what leaves.
        protocol: ``tcp``, ``udp``, ``-1`` for all, or a number.
        from_port: First port; None for all.
        to_port: Last port; None for all.
        cidr: The other end's range; empty if it is named otherwise.
        group: The other end's security group; empty if it is named otherwise.
        prefix_list: The list of the other end's ranges; empty if it is named otherwise.

    """

    egress: bool
    protocol: str
    from_port: int | None = None
    to_port: int | None = None
    cidr: str = ""
    group: str = ""
    prefix_list: str = ""


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group with its rules."""

    id: str
    region: str
    vpc_id: str
    rules: tuple[SecurityRule, ...]


@dataclass(frozen=True, slots=True)
class VpcEndpoint:
    """A VPC endpoint of one of AWS's services.

    Attributes:
        service: The last part of its service's name, for example ``dynamodb``.
        gateway: Whether it is reached through routes; through addresses in subnets otherwise.
        private_dns: Whether the service's own name leads to it.
        prefix_list: Of a gateway endpoint, the list of the service's ranges.

    """

    id: str
    region: str
    vpc_id: str
    service: str
    gateway: bool
    private_dns: bool
    subnet_ids: tuple[str, ...] = ()
    route_table_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    prefix_list: str = ""


@dataclass(frozen=True, slots=True)
class NatGateway:
    """A public NAT gateway that is available."""

    id: str
    subnet_id: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A load balancer's listener that forwards to one function.

    Attributes:
        port: TCP port.
        function: Name of the function.
        qualifier: Alias or version; ``$LATEST`` if none is given.
        target_group: ARN of the target group that the function is in.

    """

    port: int
    function: str
    qualifier: str
    target_group: str = ""


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """An application load balancer."""

    arn: str
    name: str
    region: str
    dns_name: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    listeners: tuple[Listener, ...]
    security_group_ids: tuple[str, ...] = ()
