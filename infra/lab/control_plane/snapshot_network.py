"""Reads moto's networks into the values of a :class:`infra.lab.world.Snapshot`."""

from collections.abc import Iterator, Sequence
from typing import Any

from moto.ec2.models import ec2_backends

from infra.lab import world
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.world import NatGateway, SecurityGroup, SecurityRule, VpcEndpoint

Backend = Any


def network(regions: Sequence[str]) -> dict[str, Any]:
    """Return VPCs, subnets, route tables and peerings; default VPCs are left out."""
    vpcs: list[world.Vpc] = []
    subnets: list[world.Subnet] = []
    tables: list[world.RouteTable] = []
    peerings: dict[str, world.Peering] = {}
    for region in regions:
        backend = ec2_backends[ACCOUNT][region]
        mine = [vpc for vpc in list(backend.vpcs.values()) if not vpc.is_default]
        ids = {vpc.id for vpc in mine}
        vpcs += [world.Vpc(vpc.id, region, _cidrs(vpc)) for vpc in mine]
        acls = _acls(backend)
        subnets += [
            world.Subnet(item.id, region, item.vpc_id, item.cidr_block, acls.get(item.id, ()))
            for zone in list(backend.subnets.values())
            for item in list(zone.values())
            if item.vpc_id in ids
        ]
        tables += [
            _route_table(item, region) for item in list(backend.route_tables.values()) if item.vpc_id in ids
        ]
        for item in list(backend.vpc_pcxs.values()):
            peerings[item.id] = world.Peering(item.id, item._status.code, item.vpc.id, item.peer_vpc.id)
    return {
        "vpcs": tuple(vpcs),
        "subnets": tuple(subnets),
        "route_tables": tuple(tables),
        "peerings": tuple(peerings.values()),
    }


def _cidrs(vpc: Any) -> tuple[str, ...]:
    others = [
        item["cidr_block"]
        for item in vpc.get_cidr_block_association_set(ipv6=False)
        if item["cidr_block"] != vpc.cidr_block and item["cidr_block_state"]["state"] == "associated"
    ]
    return vpc.cidr_block, *others


def _acls(backend: Backend) -> dict[str, tuple[world.AclEntry, ...]]:
    found = {}
    for acl in list(backend.network_acls.values()):
        entries = tuple(
            world.AclEntry(
                number=int(entry.rule_number),
                egress=_true(entry.egress),
                allow=entry.rule_action == "allow",
                cidr=entry.cidr_block or entry.ipv6_cidr_block or "",
                protocol=str(entry.protocol),
                from_port=None if entry.port_range_from is None else int(entry.port_range_from),
                to_port=None if entry.port_range_to is None else int(entry.port_range_to),
            )
            for entry in list(acl.network_acl_entries)
        )
        for association in list(acl._associations.values()):
            found[association.subnet_id] = entries
    return found


def _true(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def _route_table(table: Any, region: str) -> world.RouteTable:
    routes = tuple(
        world.Route(route.destination_cidr_block, _route_target(route), route.state)
        for route in list(table._routes.values())
        if route.destination_cidr_block
    )
    associated = tuple(item for item in list(table._associations.values()) if item.startswith("subnet-"))
    main = table.main_association_id is not None
    return world.RouteTable(table.id, region, table.vpc_id, main, associated, routes)


def _route_target(route: Any) -> str:
    target = (
        route.gateway_id
        or route.vpc_peering_connection_id
        or route.nat_gateway_id
        or route.transit_gateway_id
        or route.network_interface_id
        or route.instance_id
    )
    return str(target or "")


def guards(regions: Sequence[str]) -> dict[str, Any]:
    """Return security groups, VPC endpoints and NAT gateways."""
    backends = [ec2_backends[ACCOUNT][region] for region in regions]
    return {
        "security_groups": tuple(item for backend in backends for item in _groups(backend)),
        "endpoints": tuple(item for backend in backends for item in _endpoints(backend)),
        "nat_gateways": tuple(
            NatGateway(item.id, item.subnet_id)
            for backend in backends
            for item in list(backend.nat_gateways.values())
            if item.state == "available" and item.connectivity_type == "public"
        ),
    }


def _groups(backend: Backend) -> Iterator[SecurityGroup]:
    for vpc_id, groups in list(backend.groups.items()):
        for item in list(groups.values()):
            rules = (*list(item.ingress_rules), *list(item.egress_rules))
            yield SecurityGroup(item.id, backend.region_name, vpc_id, tuple(map(_rule, rules)))


def _rule(rule: Any) -> SecurityRule:
    return SecurityRule(
        egress=bool(rule.is_egress),
        protocol=str(rule.ip_protocol),
        from_port=rule.from_port,
        to_port=rule.to_port,
        cidr=rule.ip_range.get("CidrIp") or "",
        group=(rule.source_group or {}).get("GroupId") or "",
        prefix_list=rule.prefix_list_id or "",
    )


def _endpoints(backend: Backend) -> Iterator[VpcEndpoint]:
    for item in list(backend.vpc_end_points.values()):
        yield VpcEndpoint(
            id=item.id,
            region=backend.region_name,
            vpc_id=item.vpc_id,
            service=item.service_name.rpartition(".")[2],
            gateway=item.vpc_endpoint_type == "Gateway",
            private_dns=bool(item.private_dns_enabled),
            subnet_ids=tuple(item.subnet_ids or ()),
            route_table_ids=tuple(item.route_table_ids or ()),
            security_group_ids=tuple(item.security_group_ids or ()),
            prefix_list=item.destination_prefix_list_id or "",
        )
