"""VPC endpoints as AWS has them: a gateway endpoint's routes follow its route tables, and it goes at once."""

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidRouteError
from moto.ec2.models import EC2Backend
from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses.vpcs import VPCs

from infra.lab.control_plane.mending import Function, replace


def install() -> None:
    """Mend moto's VPC endpoints."""
    replace(VPCs, "modify_vpc_endpoint", _modify)
    replace(VPCEndPoint, "get_filter_value", _filter_value)
    replace(VPCBackend, "create_vpc_endpoint", _create)
    replace(VPCBackend, "delete_vpc_endpoints", _delete)


def _filter_value(original: Function) -> Function:
    def value(endpoint: VPCEndPoint, filter_name: str, method_name: str | None = None) -> Any:
        return (
            endpoint.id if filter_name == "vpc-endpoint-id" else original(endpoint, filter_name, method_name)
        )

    return value


def _create(original: Function) -> Function:
    def create(backend: EC2Backend, **wanted: Any) -> VPCEndPoint:
        wanted["endpoint_type"] = wanted["endpoint_type"] or "Gateway"
        if wanted["endpoint_type"] == "Gateway":
            # Only interface endpoints have a private name.
            wanted["private_dns_enabled"] = False
        made: VPCEndPoint = original(backend, **wanted)
        _guard_interfaces(backend, made)
        return made

    return create


def _guard_interfaces(backend: EC2Backend, endpoint: VPCEndPoint) -> None:
    groups = [backend.get_security_group_from_id(group_id) for group_id in endpoint.security_group_ids]
    for interface_id in endpoint.network_interface_ids:
        backend.enis[interface_id]._group_set = [group for group in groups if group is not None]


def _modify(_original: Function) -> Function:
    """Change everything that ModifyVpcEndpoint names; moto overlooks routes, interfaces and private DNS."""

    def modify(response: VPCs) -> ActionResult:
        backend = response.ec2_backend
        endpoint_id = response._get_param("VpcEndpointId")
        (endpoint,) = backend.describe_vpc_endpoints(vpc_end_point_ids=[endpoint_id])
        before = set(endpoint.route_table_ids or ())
        endpoint.modify(
            _policy(response),
            *[
                response._get_param(f"{verb}{what}Ids", [])
                for what in ("Subnet", "RouteTable", "SecurityGroup")
                for verb in ("Add", "Remove")
            ],
        )
        private = response._get_bool_param("PrivateDnsEnabled")
        if private is not None:
            endpoint.private_dns_enabled = private
        _follow_route_tables(backend, endpoint, before)
        _follow_subnets(backend, endpoint)
        return ActionResult({"Return": True})

    return modify


def _policy(response: VPCs) -> str | None:
    if response._get_bool_param("ResetPolicy"):
        return json.dumps(VPCEndPoint.DEFAULT_POLICY)
    policy: str | None = response._get_param("PolicyDocument")
    return policy


def _follow_route_tables(backend: EC2Backend, endpoint: VPCEndPoint, before: set[str]) -> None:
    prefixes, now = endpoint.destination_prefix_list_id, set(endpoint.route_table_ids or ())
    if not prefixes:
        return
    for table_id in before - now:
        backend.delete_route(table_id, prefixes)
    for table_id in now - before:
        backend.create_route(table_id, None, gateway_id=endpoint.id, destination_prefix_list_id=prefixes)


def _follow_subnets(backend: EC2Backend, endpoint: VPCEndPoint) -> None:
    if endpoint.vpc_endpoint_type != "Interface":
        return
    interfaces = {backend.enis[item].subnet.id: item for item in endpoint.network_interface_ids}
    for subnet_id in interfaces.keys() - set(endpoint.subnet_ids):
        backend.enis.pop(interfaces.pop(subnet_id))
    for subnet_id in set(endpoint.subnet_ids) - interfaces.keys():
        interfaces[subnet_id] = backend.create_network_interface(backend.get_subnet(subnet_id), None).id
    endpoint.network_interface_ids = list(interfaces.values())
    _guard_interfaces(backend, endpoint)


def _delete(_original: Function) -> Function:
    """Take endpoints away with their interfaces and routes; AWS shows one as deleted for moments only."""

    def delete(backend: EC2Backend, vpce_ids: list[str] | None = None) -> None:
        for endpoint in backend.describe_vpc_endpoints(vpc_end_point_ids=vpce_ids or []):
            for interface_id in endpoint.network_interface_ids:
                backend.enis.pop(interface_id, None)
            for table_id in endpoint.route_table_ids or () if endpoint.destination_prefix_list_id else ():
                _forget_route(backend, table_id, endpoint.destination_prefix_list_id)
            backend.vpc_end_points.pop(endpoint.id, None)

    return delete


def _forget_route(backend: EC2Backend, table_id: str, prefixes: str) -> None:
    if table_id not in backend.route_tables:
        return
    try:
        backend.delete_route(table_id, prefixes)
    except InvalidRouteError:
        # Somebody deleted it before: it is as it should be.
        return
