"""Deletes a VPC peering, as a person or a pipeline may by mistake; the undo makes another in its place.

A deleted peering can't be had back: the new one has another id, so that whatever manages the
infrastructure no longer knows it. ``peering-routes`` does the same to packets without that.
https://docs.aws.amazon.com/vpc/latest/peering/delete-vpc-peering-connection.html
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults import peerings, routes
from drill.faults.contract import (
    MADE_BY_A_DRILL,
    OPTED_IN,
    TAGGED_AS_MADE,
    Call,
    Fault,
    Intent,
    Resource,
)
from drill.faults.network_acls import is_error
from drill.faults.peering_recreation import Recreation
from drill.faults.peerings import ACTIVE, DELETING, Peering
from drill.faults.reads import all_agree, shown
from drill.model import Finding, Json, Severity

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class PeeringDeletion(Fault):
    """Deletes one peering between VPCs of one account.

    Attributes:
        peering_id: The peering; if it is gone, the one that joins its VPCs in its place is meant.
        region: Where one of its VPCs is.
        vpc_id: That VPC.
        table_ids: The route tables there that have agreed to it.
        peer_region: Where the other VPC is.
        peer_vpc_id: That VPC.
        peer_table_ids: The route tables there that have agreed to it.
        wait_s: How long AWS's API may take to show each change.
        poll_s: How often it is looked at meanwhile.

    """

    peering_id: str
    region: str
    vpc_id: str
    table_ids: tuple[str, ...]
    peer_region: str
    peer_vpc_id: str
    peer_table_ids: tuple[str, ...]
    wait_s: float = 120.0
    poll_s: float = 0.5

    kind = "peering-deletion"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of all peerings and route tables, and writes of those that have agreed or that it made."""
        listed = [
            Call(when, "ec2", action)
            for when in ("capture", "inject", "undo", "undone")
            for action in ("DescribeVpcPeeringConnections", "DescribeRouteTables")
        ]
        own = (f"arn:{{partition}}:ec2:{self.region}:{{account}}:vpc-peering-connection/*",)
        listed.append(Call("inject", "ec2", "DeleteVpcPeeringConnection", own, OPTED_IN))
        for region, vpc_id, table_ids in self.sides():
            ec2 = f"arn:{{partition}}:ec2:{region}:{{account}}"
            peering, vpc = (f"{ec2}:vpc-peering-connection/*",), (f"{ec2}:vpc/{vpc_id}",)
            create, accept = "CreateVpcPeeringConnection", "AcceptVpcPeeringConnection"
            tables = routes.table_arns(region, table_ids)
            listed += [
                Call("undo", "ec2", create, vpc),
                Call("undo", "ec2", create, peering, TAGGED_AS_MADE),
                Call("undo", "ec2", accept, vpc),
                Call("undo", "ec2", accept, peering),
                Call("undo", "ec2", "ModifyVpcPeeringConnectionOptions", peering),
                Call("undo", "ec2", "CreateTags", peering, TAGGED_AS_MADE),
                Call("undo", "ec2", "DeleteTags", peering, MADE_BY_A_DRILL),
                Call("undo", "ec2", "CreateRoute", tables, OPTED_IN),
                Call("undo", "ec2", "ReplaceRoute", tables, OPTED_IN),
            ]
        return tuple(listed)

    @property
    def undo_within_s(self) -> float:
        """How long its undo may take: the deletion's end, the request, its acceptance, and the routes."""
        return 4 * self.wait_s

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            "none: the id of the peering that would have to be accepted is not known before it is asked for; "
            "from another machine: drill recover"
        )

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"peering {self.peering_id} between {self.vpc_id} in {self.region} and {self.peer_vpc_id} in "
            f"{self.peer_region} is deleted; the undo makes another, with another id"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the peering, and the route tables that lead over it: their routes get another target."""
        tables = (
            Resource("route table", "ec2", region, table_id)
            for region, _, table_ids in self.sides()
            for table_id in table_ids
        )
        return (Resource("VPC peering", "ec2", self.region, self.peering_id), *tables)

    def sides(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Return region, VPC and route tables of both sides."""
        return (
            (self.region, self.vpc_id, self.table_ids),
            (self.peer_region, self.peer_vpc_id, self.peer_table_ids),
        )

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return all that the undo makes anew: who asked whom, options, tags, and the routes on both sides.

        Raises:
            DrillError: It is not active, another account has a part in it, or a route lies in a table
                that has not agreed.

        """
        own = self._checked(peerings.standing(aws, self.region, self.vpc_id, self.peering_id))
        # Options and tags are each side's own, as its region shows them.
        shown_in = {
            region: next((one for one in self._read(aws, region) if one.id == own.id), own)
            for region, _, _ in self.sides()
        }
        leading = {
            region: routes.over(routes.read(aws, region, vpc_id), own.id, table_ids, region)
            for region, vpc_id, table_ids in self.sides()
        }
        return {
            "peering": own.id,
            "requester": asdict(shown_in[own.requester.region].requester),
            "accepter": asdict(shown_in[own.accepter.region].accepter),
            "tags": {region: dict(here.tags) for region, here in shown_in.items()},
            "routes": {region: [route.document() for route in listed] for region, listed in leading.items()},
        }

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Delete it, and return when AWS's API shows it deleted.

        Raises:
            DrillError: It is not.

        """
        client, peering_id = aws.client("ec2", self.region), str(before["peering"])
        try:
            client.delete_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
        except ClientError as problem:
            # A call whose answer was lost may have been sent again; the look below tells.
            if not is_error(problem, "InvalidStateTransition", "InvalidVpcPeeringConnectionID.NotFound"):
                raise

        def gone() -> bool:
            return self._state(aws, before) not in {ACTIVE, DELETING}

        if not shown(gone, self.wait_s, self.poll_s):
            msg = (
                f"after {self.wait_s:g} s peering {peering_id} is not deleted; "
                f"see: {peerings.see(self.region, peering_id)}; put back: drill recover {intent.run_id}"
            )
            raise DrillError(msg)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Ask for another peering, accept it, give it options, tags and routes; or finish that.

        Raises:
            DrillError: AWS did not show a step in time, or does not make one.

        """
        if all_agree(lambda: self._state(aws, before) == ACTIVE):
            return ()
        return self._recreation(aws, before, run_id).done()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether an active peering joins both VPCs, with every route over it or changed by others."""
        again = self._recreation(aws, before, run_id)
        return all_agree(lambda: self._state(aws, before) == ACTIVE or again.complete())

    def remains(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[Finding, ...]:
        """Return the finding that the peering has another id now, with what to do about it."""
        now, gone = self._recreation(aws, before, run_id).standing(), before["peering"]
        if now is None or now.id == gone:
            return ()
        return (
            Finding(
                "peering_replaced",
                Severity.WARNING,
                f"The peering is {now.id} now; your infrastructure's own state still says {gone}",
                f"A deleted peering can't be had back, so the undo made another between {self.vpc_id} and "
                f"{self.peer_vpc_id}, with the same options, tags and routes. Whatever deploys the system "
                "would take it for lost, and the target file names the old one, so that the next drill of "
                "it is refused.",
                f"With these stacks: set peering_id: {now.id} in the system file, then: drill infra deploy. "
                "With Terraform: terraform state rm ADDRESS, terraform import ADDRESS "
                f"{now.id}, then: drill target init.",
            ),
        )

    def _read(self, aws: "Aws", region: str) -> tuple[Peering, ...]:
        vpc_id = self.vpc_id if region == self.region else self.peer_vpc_id
        return peerings.read(aws, region, vpc_id)

    def _recreation(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> Recreation:
        return Recreation(aws, str(before["peering"]), before, run_id, self.wait_s, self.poll_s)

    def _state(self, aws: "Aws", before: Mapping[str, Json]) -> str:
        found = (one.state for one in self._read(aws, self.region) if one.id == before["peering"])
        return next(found, "")

    def _checked(self, own: Peering | None) -> Peering:
        """Return a peering; refuse one that could not be had again."""
        if own is None or not own.joins(self.vpc_id, self.peer_vpc_id):
            msg = (
                f"peering {self.peering_id} is not there or does not join {self.vpc_id} and "
                f"{self.peer_vpc_id}, and no other does in its place: there is nothing to delete; "
                f"see: {peerings.see(self.region, self.peering_id)}"
            )
            raise DrillError(msg)
        if own.requester.owner != own.accepter.owner:
            msg = (
                f"peering {own.id} is between accounts {own.requester.owner} and "
                f"{own.accepter.owner}: a drill in one could not accept a new one in the other; drill it "
                "with --mode routes"
            )
            raise DrillError(msg)
        return own
