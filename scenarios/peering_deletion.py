"""Peering deletion: the way between the two VPCs is gone, and the standby loses the primary's database.

By default the routes over the peering are taken out on both sides, which is the same to packets and
can be taken back as it was. ``--mode delete`` really deletes the peering; the undo makes another, and
the drift that leaves in the infrastructure's own state is among the findings.
"""

from typing import Literal

from pydantic import Field

from drill import separation
from drill.faults.peering_deletion import PeeringDeletion as DeletedPeering
from drill.faults.peering_routes import PeeringRoutes
from drill.model import GuardSpec, History, MeasureSpec, Objective, ProbeSpec
from drill.scenario import Params, Scenario, Step
from drill.target import Target

_ROUTES = (
    "The peering's routes were taken out and the peering kept: for packets that is the same, also for "
    "connections that are open, and nothing of the infrastructure's own state changes."
)
_DELETED = (
    "The peering was really deleted. Another was made in its place, which has another id for good: see "
    "the finding for what has to be told of it."
)


class PeeringDeletionParams(Params):
    """What can be chosen.

    Attributes:
        mode: How the peering is taken away.

    """

    mode: Literal["routes", "delete"] = Field(
        default="routes",
        description="routes: take its routes out on both sides. delete: really delete it; the undo makes "
        "another, with another id.",
    )


class PeeringDeletion(Scenario[PeeringDeletionParams]):
    """The peering is gone; somebody must be told, and orders must be accepted all the same."""

    name = "peering-deletion"
    title = "The peering between the regions is gone"
    hypothesis = (
        "Those on call are told that the other region can't be reached; the standby accepts orders as "
        "pending meanwhile, and not one of them is lost once the way is back."
    )
    covers = (
        "DR01: routes over the peering",
        "DR02: address ranges that do not overlap",
        "DR09: alerts reach those on call",
        "DR15: the peering fails, somebody notices, and there is a way on without it",
    )
    parameters = PeeringDeletionParams
    awaited = separation.AWAITED

    def guards(self, target: Target, params: PeeringDeletionParams) -> tuple[GuardSpec, ...]:
        """Return the preconditions of parting the regions."""
        return separation.guards(target)

    def steps(self, target: Target, params: PeeringDeletionParams) -> tuple[Step, ...]:
        """Take out the routes of each side; or delete the peering."""
        primary, standby, timing = target.primary, target.standby, target.timing
        waits = (timing.effect_s, timing.poll_s)
        if params.mode == "delete":
            deletion = DeletedPeering(
                target.peering_id,
                primary.name,
                primary.vpc_id,
                primary.app_route_table_ids,
                standby.name,
                standby.vpc_id,
                standby.app_route_table_ids,
                *waits,
            )
            return (Step("delete-peering", deletion),)
        return tuple(
            Step(
                f"take-out-routes-{side}",
                PeeringRoutes(
                    region.name, region.vpc_id, target.peering_id, region.app_route_table_ids, *waits
                ),
            )
            for side, region in (("standby", standby), ("primary", primary))
        )

    def probes(self, target: Target, params: PeeringDeletionParams) -> tuple[ProbeSpec, ...]:
        """Return clients and orders of the service, orders by way of the standby, and the alerts."""
        return separation.probes(target)

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Every client and order was served, and the orders of both regions went into the database."""
        return separation.steady(target, history, since_ns, window_s)

    def took_effect(self, target: Target, params: PeeringDeletionParams, history: History) -> bool:
        """Look for orders that the standby can't write to the database while the primary can."""
        return separation.took_effect(history)

    def ended(self, target: Target, params: PeeringDeletionParams, history: History) -> bool:
        """Look for the alert, and for the standby accepting every order of the settle window."""
        return separation.ended(target, history)

    def measures(self, target: Target, params: PeeringDeletionParams) -> tuple[MeasureSpec, ...]:
        """Return time to alert, what the standby still did, how soon it was whole again, the ledger."""
        return separation.measures(target)

    def objectives(self, target: Target, params: PeeringDeletionParams) -> tuple[Objective, ...]:
        """Return when somebody is told, how the standby does without, and that no order is lost."""
        return separation.objectives(target, self.name)

    def ledger_stores(self, target: Target, params: PeeringDeletionParams) -> tuple[str, ...]:
        """Return both stores that an order is written to."""
        return separation.STORES

    def notes(self, target: Target, params: PeeringDeletionParams) -> tuple[str, ...]:
        """Say what the method does not exercise."""
        return (_DELETED if params.mode == "delete" else _ROUTES, *separation.notes(target))
