"""DR01: routes over the peering, for each subnet that runs something."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import net
from drill.audit.contract import Check, Found, Part
from drill.audit.reads import Document
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region


class Routes(Check):
    """Looks for an active route to the other VPC in the table of every app subnet."""

    id: ClassVar = "DR01"
    title: ClassVar = "A subnet has no way to the other region"
    why: ClassVar = (
        "The peering carries bytes only where both sides route to it. The standby's function can't reach the "
        "primary's database, and nothing says so until it must."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "A route in every app route table (peering.yaml, peering-routes.yaml: AppAToPeer, AppBToPeer, "
        "AppCToPeer): drill infra deploy"
    )
    source: ClassVar = ("https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html",)
    calls: ClassVar = (*net.CALLS, "ec2:DescribeVpcPeeringConnections")
    seed: ClassVar = (1,)
    caused_by: ClassVar = ("DR02", "DR15")
    explains: ClassVar = ("recovery_time", "client_outage", "pending_share", "store_recovery")
    drill: ClassVar = "drill run region-outage"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield both regions."""
        for region, peer in system.pairs:
            where = f"route tables of {region.vpc_id} in {region.name}"
            yield Part(where, partial(_look, system, region, peer))


def _look(system: System, region: Region, peer: Region) -> Iterator[Found]:
    wanted = [cidr for cidr in net.cidrs(system, peer) if ":" not in cidr]
    ours = net.cidrs(system, region)
    own, main = net.tables_by_subnet(net.route_tables(system, region))
    there = net.peering(system)
    # Over a peering that is gone no route can lead.
    otherwise = () if there is not None and there["Status"]["Code"] == "active" else ("DR15",)
    lacking: dict[tuple[str, str, str], list[str]] = {}
    for subnet in region.app_subnet_ids:
        table = own.get(subnet, main)
        if table is None:
            yield Found(
                f"subnet {subnet} in {region.name}", "no route table is its own, and there is no main one"
            )
            continue
        for cidr in wanted:
            why = _lack(table, cidr, system.target.peering_id)
            if why:
                lacking.setdefault((table["RouteTableId"], cidr, why), []).append(subnet)
    for (table_id, cidr, why), subnets in lacking.items():
        yield Found(
            f"route table {table_id} in {region.name} (subnet {', '.join(subnets)})",
            f"{why} to {cidr} in {peer.name}",
            f"aws ec2 create-route --region {region.name} --route-table-id {table_id} "
            f"--destination-cidr-block {cidr} --vpc-peering-connection-id {system.target.peering_id}; "
            "in the templates: AppAToPeer, AppBToPeer and AppCToPeer of peering.yaml and peering-routes.yaml",
            # No route can lead to addresses that are one's own.
            ("DR02",) if any(net.overlaps(cidr, own_cidr) for own_cidr in ours) else otherwise,
        )


def _lack(table: Document, cidr: str, peering_id: str) -> str:
    over = [
        route
        for route in table["Routes"]
        if route.get("VpcPeeringConnectionId") == peering_id and net.covered(route, cidr)
    ]
    if any(route["State"] == "active" for route in over):
        return ""
    return "its route is a black hole" if over else f"it has no route over {peering_id}"
