"""Network partition: packets between the regions are dropped, in both directions or in one.

The network ACLs of the standby's app subnets deny the address ranges of the primary's VPC, and nothing
else: both regions go on serving their own clients and reach AWS's services. The primary's network is
not touched. The peering and its routes stay as they are, so that nothing but packets tells of it.
"""

from typing import Literal

from pydantic import Field

from drill import separation
from drill.faults.own_network_acl import OwnNetworkAcl
from drill.faults.peer_denial import PeerDenial
from drill.model import GuardSpec, History, MeasureSpec, Objective, ProbeSpec
from drill.scenario import Params, Scenario, Step
from drill.target import Target

_HOW = (
    "Network ACLs of the standby's app subnets dropped what goes to and comes from the primary's VPC "
    "({direction}). The DynamoDB table and Aurora's own replication take AWS's network, which was not cut."
)
_DIRECTIONS = {"both": "both directions", "out": "what leaves the standby", "in": "what comes to it"}


class NetworkPartitionParams(Params):
    """What can be chosen.

    Attributes:
        direction: Which packets are dropped, as seen from the standby.

    """

    direction: Literal["both", "out", "in"] = Field(
        default="both",
        description="Which packets are dropped, as seen from the standby: both, out (what it sends to the "
        "primary), in (what the primary sends).",
    )


class NetworkPartition(Scenario[NetworkPartitionParams]):
    """The regions can't reach one another; each must go on by itself, and somebody must be told."""

    name = "network-partition"
    title = "The regions can't reach one another"
    hypothesis = (
        "Those on call are told; clients of the primary notice nothing; the standby accepts orders as "
        "pending meanwhile, and not one of them is lost once packets pass again."
    )
    covers = (
        "DR09: alerts reach those on call",
        "DR15: the way to the other region fails, somebody notices, and there is a way on without it",
    )
    parameters = NetworkPartitionParams
    awaited = separation.AWAITED

    def guards(self, target: Target, params: NetworkPartitionParams) -> tuple[GuardSpec, ...]:
        """Return the preconditions of parting the regions."""
        return separation.guards(target)

    def steps(self, target: Target, params: NetworkPartitionParams) -> tuple[Step, ...]:
        """Give the standby's app subnets ACLs of the drill's own; deny the other VPC's ranges in them."""
        here, there, timing = target.standby, target.primary, target.timing
        where, waits = (here.name, here.vpc_id, here.app_subnet_ids), (timing.effect_s, timing.poll_s)
        denial = PeerDenial(*where, there.name, there.vpc_id, params.direction, *waits)
        return (Step("own-network-acl", OwnNetworkAcl(*where, *waits)), Step("deny-the-peer", denial))

    def probes(self, target: Target, params: NetworkPartitionParams) -> tuple[ProbeSpec, ...]:
        """Return clients and orders of the service, orders by way of the standby, and the alerts."""
        return separation.probes(target)

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Every client and order was served, and the orders of both regions went into the database."""
        return separation.steady(target, history, since_ns, window_s)

    def took_effect(self, target: Target, params: NetworkPartitionParams, history: History) -> bool:
        """Look for orders that the standby can't write to the database while the primary can."""
        return separation.took_effect(history)

    def ended(self, target: Target, params: NetworkPartitionParams, history: History) -> bool:
        """Look for the alert, and for the standby accepting every order of the settle window."""
        return separation.ended(target, history)

    def measures(self, target: Target, params: NetworkPartitionParams) -> tuple[MeasureSpec, ...]:
        """Return time to alert, what the standby still did, how soon it was whole again, the ledger."""
        return separation.measures(target)

    def objectives(self, target: Target, params: NetworkPartitionParams) -> tuple[Objective, ...]:
        """Return when somebody is told, how the standby does without, and that no order is lost."""
        return separation.objectives(target, self.name)

    def ledger_stores(self, target: Target, params: NetworkPartitionParams) -> tuple[str, ...]:
        """Return both stores that an order is written to."""
        return separation.STORES

    def notes(self, target: Target, params: NetworkPartitionParams) -> tuple[str, ...]:
        """Say what the method does not exercise."""
        return (_HOW.format(direction=_DIRECTIONS[params.direction]), *separation.notes(target))
