"""The way back of :class:`drill.faults.peering_deletion.PeeringDeletion`: ask, accept, equip, route.

It may be broken off anywhere and begun again: a peering that an earlier try asked for is found by the
VPCs that it joins, since AWS allows no second one between them. Until it is complete it carries the
tag of its run.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults import peerings, routes
from drill.faults.contract import RUN_TAG
from drill.faults.network_acls import is_error
from drill.faults.peerings import ACTIVE, COMING, DELETING, Peering
from drill.faults.reads import READS, shown
from drill.faults.routes import Route

if TYPE_CHECKING:
    from drill.aws import Aws

_PENDING = "pending-acceptance"


@dataclass(frozen=True, slots=True)
class Recreation:
    """One undo.

    Attributes:
        aws: With what.
        deleted_id: The peering that was deleted.
        captured: What was captured.
        run_id: The run.
        wait_s: How long AWS's API may take to show each change.
        poll_s: How often it is looked at meanwhile.

    """

    aws: "Aws"
    deleted_id: str
    captured: Mapping[str, Any]
    run_id: str
    wait_s: float
    poll_s: float

    def done(self) -> tuple[str, ...]:
        """Make of it what is not there yet; return what others changed.

        Raises:
            DrillError: AWS did not show a step in time.

        """
        if not shown(lambda: not self._in_state(DELETING), self.wait_s, self.poll_s):
            later = f"drill recover {self.run_id}"
            msg = f"peering {self.deleted_id} is still being deleted; put back later: {later}"
            raise DrillError(msg)
        peering = self._accepted(self.standing() or self._asked_for())
        mine = peering.tags.get(RUN_TAG) == self.run_id
        if mine:
            self._equip(peering)
        drift = self._route(peering.id)
        if mine:
            # The requester's tag last: as long as it is there, a later try does all of this again.
            for side in ("accepter", "requester"):
                client = self.aws.client("ec2", self.captured[side]["region"])
                client.delete_tags(Resources=[peering.id], Tags=[{"Key": RUN_TAG, "Value": self.run_id}])
        return drift

    def complete(self) -> bool:
        """Say whether an active peering joins both VPCs, no step is left, and no route leads to nowhere."""
        peering = self.standing()
        if peering is None or peering.state != ACTIVE or RUN_TAG in peering.tags:
            return False
        return all(
            present.get(route, self.deleted_id) != self.deleted_id
            for region, wanted, present in self._routes()
            for route in wanted
        )

    def standing(self) -> Peering | None:
        """Return the peering between both VPCs that carries, or is on its way to."""
        vpc_ids = (self.captured["requester"]["vpc_id"], self.captured["accepter"]["vpc_id"])
        found = (one for one in self._shown() if one.joins(*vpc_ids) and one.state in {ACTIVE, *COMING})
        return next(found, None)

    def _shown(self) -> tuple[Peering, ...]:
        asked = self.captured["requester"]
        return peerings.read(self.aws, asked["region"], asked["vpc_id"])

    def _in_state(self, state: str) -> bool:
        return any(one.id == self.deleted_id and one.state == state for one in self._shown())

    def _asked_for(self) -> Peering:
        """Ask for a new peering and return it; one that an earlier try asked for will do."""
        asked, accepter = self.captured["requester"], self.captured["accepter"]
        tags = {**self.captured["tags"][asked["region"]], RUN_TAG: self.run_id}
        given = [{"Key": key, "Value": value} for key, value in tags.items()]
        try:
            self.aws.client("ec2", asked["region"]).create_vpc_peering_connection(
                VpcId=asked["vpc_id"],
                PeerVpcId=accepter["vpc_id"],
                PeerOwnerId=accepter["owner"],
                PeerRegion=accepter["region"],
                TagSpecifications=[{"ResourceType": "vpc-peering-connection", "Tags": given}],
            )
        except ClientError as problem:
            # An old answer did not show it yet.
            if not is_error(problem, "VpcPeeringConnectionAlreadyExists"):
                raise
        if not shown(lambda: self.standing() is not None, self.wait_s, self.poll_s):
            msg = (
                f"AWS made no peering between {asked['vpc_id']} and {accepter['vpc_id']} in "
                f"{self.wait_s:g} s; see: aws ec2 describe-vpc-peering-connections "
                f"--region {asked['region']}; then: drill recover {self.run_id}"
            )
            raise DrillError(msg)
        made = self.standing()
        assert made is not None  # noqa: S101 (just shown)
        return made

    def _accepted(self, peering: Peering) -> Peering:
        """Have the other side accept a peering, in its own region, and return it once it is active."""
        region = peering.accepter.region
        client = self.aws.client("ec2", region)

        def active() -> bool:
            here = peerings.read(self.aws, region, peering.accepter.vpc_id)
            state = next((one.state for one in here if one.id == peering.id), "")
            if state == _PENDING:
                self._accept(client, peering.id)
            now = self.standing()
            return now is not None and now.id == peering.id and now.state == ACTIVE

        if not shown(active, self.wait_s, self.poll_s):
            msg = (
                f"peering {peering.id} did not become active in {self.wait_s:g} s; see: "
                f"{peerings.see(region, peering.id)}; then: drill recover {self.run_id}"
            )
            raise DrillError(msg)
        now = self.standing()
        assert now is not None  # noqa: S101 (just shown)
        return now

    @staticmethod
    def _accept(client: Any, peering_id: str) -> None:  # noqa: ANN401 (boto3 clients have no static type)
        try:
            client.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
        except ClientError as problem:
            # It was accepted already, or AWS has not heard of it everywhere: the next look tells.
            if not is_error(
                problem,
                "InvalidStateTransition",
                "InvalidVpcPeeringConnectionID.NotFound",
                "OperationNotPermitted",
            ):
                raise

    def _equip(self, peering: Peering) -> None:
        """Give it the options and tags of each side, in that side's own region."""
        for side, name in (("requester", "Requester"), ("accepter", "Accepter")):
            region, options = self.captured[side]["region"], self.captured[side]["options"]
            client = self.aws.client("ec2", region)
            wanted = {key: value for key, value in options.items() if value}
            if wanted:
                client.modify_vpc_peering_connection_options(
                    VpcPeeringConnectionId=peering.id, **{f"{name}PeeringConnectionOptions": wanted}
                )
            if side == "accepter":  # the requester's were given when it was asked for
                tags = {**self.captured["tags"].get(region, {}), RUN_TAG: self.run_id}
                given = [{"Key": key, "Value": value} for key, value in tags.items()]
                client.create_tags(Resources=[peering.id], Tags=given)

    def _route(self, peering_id: str) -> tuple[str, ...]:
        """Have every captured route lead over the new peering; return what leads elsewhere by now."""
        drift: dict[Route, str] = {}
        for _ in range(READS):
            for region, wanted, present in self._routes():
                client = self.aws.client("ec2", region)
                for route in wanted:
                    target = present.get(route, "")
                    if target in {"", self.deleted_id}:
                        self._lead(client, route, peering_id, there=bool(target))
                    elif target != peering_id:
                        drift[route] = (
                            f"the route to {route.destination} in {route.table_id} leads to {target}; "
                            f"see: {routes.see(region, route.table_id)}"
                        )
        return tuple(drift.values())

    @staticmethod
    def _lead(client: Any, route: Route, peering_id: str, *, there: bool) -> None:  # noqa: ANN401 (as above)
        wanted = {**route.named, "VpcPeeringConnectionId": peering_id}
        if there:
            client.replace_route(**wanted)
            return
        try:
            client.create_route(**wanted)
        except ClientError as problem:
            if not is_error(problem, "RouteAlreadyExists"):
                raise

    def _routes(self) -> Iterator[tuple[str, list[Route], Mapping[Route, str]]]:
        """Yield each side's region, the routes that it had, and those that it has."""
        for side in ("requester", "accepter"):
            region, vpc_id = self.captured[side]["region"], self.captured[side]["vpc_id"]
            wanted = [Route.of(one) for one in self.captured["routes"][region]]
            yield region, wanted, routes.read(self.aws, region, vpc_id)
