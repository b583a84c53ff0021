"""EC2 networking as AWS has it: black-hole routes, filters, and what lies in files of its own."""

import fnmatch
import inspect
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.ec2 import utils
from moto.ec2.exceptions import EC2ClientError, InvalidRouteTableIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import AmiBackend
from moto.ec2.models.route_tables import Route, RouteBackend

from infra.lab.control_plane import network_acls, peerings, security_groups, vpc_endpoints, vpcs
from infra.lab.control_plane.mending import Function, replace

_CARRYING = {"active"}


class _AlreadyAssociated(EC2ClientError):
    def __init__(self, route_table_id: str, subnet_id: str) -> None:
        super().__init__(
            "Resource.AlreadyAssociated",
            f"the specified association for route table {route_table_id} conflicts with an existing"
            f" association of {subnet_id}",
        )


def install() -> None:
    """Mend moto's EC2."""
    replace(Route, "state", _route_state)
    replace(RouteBackend, "associate_route_table", _associate_route_table)
    replace(RouteBackend, "create_route", _routed)
    replace(RouteBackend, "replace_route", _routed)
    replace(utils, "is_filter_matching", lambda _: _matches)
    # Hundreds of machine images, read anew for each region, which no template here names.
    replace(AmiBackend, "_load_amis", lambda _: lambda _backend: None)
    network_acls.install()
    peerings.install()
    vpcs.install()
    vpc_endpoints.install()
    security_groups.install()


def _route_state(_original: property) -> property:
    """Say ``blackhole`` when a route's target is gone, as DescribeRouteTables does.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
    """

    def state(route: Any) -> str:
        lost = route.vpc_pcx is not None and route.vpc_pcx._status.code not in _CARRYING
        lost |= route.nat_gateway is not None and route.nat_gateway.state != "available"
        return "blackhole" if lost or _detached(route) else "active"

    return property(state)


def _detached(route: Route) -> bool:
    gateway = route.gateway
    return gateway is not None and gateway.id.startswith("igw-") and gateway.vpc is None


def _routed(original: Function) -> Function:
    """Refuse a NAT gateway that is not there; moto would make a route to nowhere."""
    asked = inspect.signature(original)

    def routed(backend: EC2Backend, *args: Any, **kwargs: Any) -> Route:
        gateway_id = asked.bind(backend, *args, **kwargs).arguments.get("nat_gateway_id")
        if gateway_id is not None and gateway_id not in backend.nat_gateways:
            raise vpcs.NoSuchNatGateway(gateway_id)
        made: Route = original(backend, *args, **kwargs)
        return made

    return routed


def _associate_route_table(original: Function) -> Function:
    """Refuse a subnet that has another table; moto would leave it there and say nothing."""

    def associate(
        backend: EC2Backend,
        route_table_id: str,
        gateway_id: str | None = None,
        subnet_id: str | None = None,
    ) -> str:
        if route_table_id not in backend.route_tables:
            raise InvalidRouteTableIdError(route_table_id)
        for table in list(backend.route_tables.values()):
            if subnet_id and table.id != route_table_id and subnet_id in table._associations.values():
                raise _AlreadyAssociated(route_table_id, subnet_id)
        association_id: str = original(backend, route_table_id, gateway_id, subnet_id)
        return association_id

    return associate


def _matches(described: Any, name: str, wanted: Any) -> bool:
    """Say whether one of a filter's values is among a thing's; ``*`` and ``?`` stand for others.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html: values are joined
    with OR. moto asks that a thing have all of several, or none besides.
    """
    if wanted is None:
        return False
    values = [wanted] if isinstance(wanted, str) else wanted
    # A bracket means itself.
    patterns = [str(value).replace("[", "[[]") for value in values]
    return any(
        fnmatch.fnmatchcase(value, pattern)
        for value in _texts(described.get_filter_value(name))
        for pattern in patterns
    )


def _texts(found: Any) -> list[str]:
    if found is None:
        return []
    if isinstance(found, bool):
        return [str(found).lower()]
    if isinstance(found, datetime):
        return [utils.format_timestamp(found)]
    if isinstance(found, (str, int)):
        return [str(found)]
    return [str(value) for value in (found.keys() if isinstance(found, Mapping) else found)]
