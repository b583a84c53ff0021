"""Takes a VPC's routes over a peering out of its route tables: packets to the other VPC are dropped.

For packets it is what a deleted peering is, also for connections that are open, and unlike that it
can be taken back as it was: the peering keeps its id. It stays ``active``, since its state says
nothing of traffic: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults import routes
from drill.faults.contract import OPTED_IN, ApiCall, Call, DeadMan, Fault, Intent, Resource
from drill.faults.network_acls import is_error
from drill.faults.reads import READS, all_agree, shown
from drill.faults.routes import Route
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class PeeringRoutes(Fault):
    """Deletes the routes over one peering on one of its sides.

    Attributes:
        region: Where that side's VPC is.
        vpc_id: The VPC.
        peering_id: The peering.
        table_ids: The route tables that have agreed to it.
        wait_s: How long AWS's API may take to show what was changed.
        poll_s: How often it is looked at meanwhile.

    """

    region: str
    vpc_id: str
    peering_id: str
    table_ids: tuple[str, ...]
    wait_s: float = 120.0
    poll_s: float = 0.5

    kind = "peering-routes"
    plain_undo = True

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of all route tables, and writes of those that have agreed."""
        tables = routes.table_arns(self.region, self.table_ids)
        return (
            Call("capture", "ec2", "DescribeRouteTables"),
            Call("inject", "ec2", "DeleteRoute", tables, OPTED_IN),
            Call("inject", "ec2", "DescribeRouteTables"),
            Call("undo", "ec2", "DescribeRouteTables"),
            Call("undo", "ec2", "CreateRoute", tables, OPTED_IN),
            Call("undone", "ec2", "DescribeRouteTables"),
        )

    @property
    def dead_man_note(self) -> str:
        """Say what the calls do."""
        return f"the routes over {self.peering_id} in {self.region} are made again, each by a call of its own"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return one call for each route; one that is there already is no harm."""
        calls = (
            ApiCall("ec2", self.region, "CreateRoute", self._wanted(route)) for route in _captured(before)
        )
        return DeadMan(tuple(calls), self.dead_man_note)

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"the routes over {self.peering_id} are taken out of route tables {', '.join(self.table_ids)} "
            f"of {self.vpc_id} in {self.region}: packets to the other VPC are dropped"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the route tables."""
        return tuple(Resource("route table", "ec2", self.region, table_id) for table_id in self.table_ids)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return the routes.

        Raises:
            DrillError: One lies in a table that has not agreed, or there is none.

        """
        found = routes.over(self._read(aws), self.peering_id, self.table_ids, self.region)
        return {"routes": [route.document() for route in found]}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Delete them, and return when AWS's API shows none.

        Raises:
            DrillError: It still shows one.

        """
        client = aws.client("ec2", self.region)
        for route in _captured(before):
            try:
                client.delete_route(**route.named)
            except ClientError as problem:
                # A call whose answer was lost may have been sent again.
                if not is_error(problem, "InvalidRoute.NotFound"):
                    raise
        if not shown(lambda: self.peering_id not in self._read(aws).values(), self.wait_s, self.poll_s):
            msg = (
                f"after {self.wait_s:g} s a route over {self.peering_id} is still in {self.region}; see: "
                f"{routes.see(self.region, *self.table_ids)}; put back with: drill recover {intent.run_id}"
            )
            raise DrillError(msg)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Make the routes that are not there, and leave those that lead elsewhere by now."""
        client = aws.client("ec2", self.region)
        present: Mapping[Route, str] = {}
        for _ in range(READS):
            present = self._read(aws)
            for route in _captured(before):
                if route in present:
                    continue
                try:
                    client.create_route(**self._wanted(route))
                except ClientError as problem:
                    # An old answer said that it was gone.
                    if not is_error(problem, "RouteAlreadyExists"):
                        raise
        return tuple(
            f"the route to {route.destination} in {route.table_id} leads to {target}, not to "
            f"{self.peering_id}; see: {routes.see(self.region, route.table_id)}"
            for route in _captured(before)
            if (target := present.get(route, self.peering_id)) != self.peering_id
        )

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether every route is there again, or another in its place."""
        return all_agree(lambda: set(_captured(before)) <= self._read(aws).keys())

    def _read(self, aws: "Aws") -> dict[Route, str]:
        return routes.read(aws, self.region, self.vpc_id)

    def _wanted(self, route: Route) -> dict[str, str]:
        return {**route.named, "VpcPeeringConnectionId": self.peering_id}


def _captured(before: Mapping[str, Json]) -> list[Route]:
    captured: Any = before
    return [Route.of(one) for one in captured["routes"]]
