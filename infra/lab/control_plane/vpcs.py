"""VPCs, subnets and gateways as AWS has them: a region's own zones, and what goes with what is deleted.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html
"""

import inspect
from collections.abc import Iterable
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, MissingParameterError
from moto.ec2.models import EC2Backend
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.subnets import Subnet, SubnetBackend
from moto.ec2.models.vpcs import VPC, VPCBackend

from infra.lab.control_plane.mending import Function, replace


class NoSuchNatGateway(EC2ClientError):
    """A NAT gateway that is not there."""

    def __init__(self, gateway_id: str) -> None:
        """Say so as AWS does."""
        super().__init__("InvalidNatGatewayID.NotFound", f"NatGateway {gateway_id} was not found")


class _InvalidZone(EC2ClientError):
    def __init__(self, zone: str, zones: Iterable[str]) -> None:
        super().__init__(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be"
            f" created in the following availability zones: {', '.join(zones)}.",
        )


def install() -> None:
    """Mend moto's VPCs."""
    replace(SubnetBackend, "create_subnet", _create_subnet)
    replace(SubnetBackend, "delete_subnet", _delete_subnet)
    replace(VPCBackend, "delete_vpc", _delete_vpc)
    replace(InternetGatewayBackend, "detach_internet_gateway", _detach)
    replace(NatGatewayBackend, "create_nat_gateway", _create_nat_gateway)
    replace(NatGatewayBackend, "delete_nat_gateway", _delete_nat_gateway)


def _create_subnet(original: Function) -> Function:
    """Refuse a zone of another region; moto takes any."""
    asked = inspect.signature(original)

    def create(backend: EC2Backend, *args: Any, **kwargs: Any) -> Subnet:
        wanted = asked.bind(backend, *args, **kwargs).arguments
        zones = {zone.zone_id: zone.name for zone in RegionsAndZonesBackend.zones[backend.region_name]}
        zone_id = wanted.pop("availability_zone_id", None)
        zone = wanted.get("availability_zone") or zones.get(zone_id, zone_id)
        if zone and zone not in zones.values():
            raise _InvalidZone(zone, zones.values())
        made: Subnet = original(**{**wanted, "availability_zone": zone})
        return made

    return create


def _delete_subnet(original: Function) -> Function:
    def delete(backend: EC2Backend, subnet_id: str) -> Subnet:
        if any(interface.subnet.id == subnet_id for interface in list(backend.enis.values())):
            msg = f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            raise DependencyViolationError(msg)
        gone: Subnet = original(backend, subnet_id)
        for holder in (*list(backend.network_acls.values()), *list(backend.route_tables.values())):
            for association_id, tie in list(holder._associations.items()):
                if subnet_id in {tie, getattr(tie, "subnet_id", None)}:
                    holder._associations.pop(association_id, None)
        return gone

    return delete


def _delete_vpc(original: Function) -> Function:
    def delete(backend: EC2Backend, vpc_id: str) -> VPC:
        acls = [acl for acl in list(backend.network_acls.values()) if acl.vpc_id == vpc_id]
        held = [
            *(group for group in list(backend.groups.get(vpc_id, {}).values()) if group.name != "default"),
            *(acl for acl in acls if not acl.default),
            *(
                item
                for item in list(backend.internet_gateways.values())
                if item.vpc and item.vpc.id == vpc_id
            ),
            *(item for item in list(backend.vpc_end_points.values()) if item.vpc_id == vpc_id),
        ]
        if held:
            msg = f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
            raise DependencyViolationError(msg)
        gone: VPC = original(backend, vpc_id)
        for acl in acls:
            backend.network_acls.pop(acl.id, None)
        return gone

    return delete


def _detach(original: Function) -> Function:
    def detach(backend: EC2Backend, internet_gateway_id: str, vpc_id: str) -> None:
        public = [
            gateway
            for gateway in list(backend.nat_gateways.values())
            if gateway.vpc_id == vpc_id
            and gateway.state != "deleted"
            and gateway.connectivity_type == "public"
        ]
        if public:
            msg = (
                f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es)"
                " before detaching the gateway."
            )
            raise DependencyViolationError(msg)
        original(backend, internet_gateway_id, vpc_id)

    return detach


def _create_nat_gateway(original: Function) -> Function:
    def create(
        backend: EC2Backend,
        subnet_id: str,
        allocation_id: str | None,
        tags: dict[str, str] | None = None,
        connectivity_type: str | None = None,
    ) -> NatGateway:
        kind = connectivity_type or "public"
        if kind == "public" and not allocation_id:
            missing = "allocationId"
            raise MissingParameterError(missing)
        made: NatGateway = original(backend, subnet_id, allocation_id, tags, kind)
        return made

    return create


def _delete_nat_gateway(original: Function) -> Function:
    """Give its address and its network interface back as well."""

    def delete(backend: EC2Backend, nat_gateway_id: str) -> NatGateway:
        if nat_gateway_id not in backend.nat_gateways:
            raise NoSuchNatGateway(nat_gateway_id)
        gone: NatGateway = original(backend, nat_gateway_id)
        for address in gone.address_set:
            if address.get("associationId"):
                backend.disassociate_address(association_id=address["associationId"])
            backend.enis.pop(address["networkInterfaceId"], None)
        return gone

    return delete
