"""What stands between two ends of a network besides subnets: groups, endpoints, NAT gateways."""

from dataclasses import dataclass


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
