"""The scenarios that part the regions: what they touch, and what their predicates read."""

from collections.abc import Sequence
from typing import Any

import pytest

from drill import plan, separation
from drill.model import Between, Goodness, History, Json, Marks, Observation
from drill.scenario import Scenario
from drill.separation import CLIENTS, PAGER, STANDBY_WRITER, WRITER
from drill.target import Target
from scenarios.network_partition import NetworkPartition, NetworkPartitionParams
from scenarios.peering_deletion import PeeringDeletion, PeeringDeletionParams
from tests.drill.test_target import make_document

PRIMARY, STANDBY = "us-east-1", "us-west-2"
SECOND = 1_000_000_000
WRITTEN: dict[str, Json] = {"stores": {"dynamodb": "written", "aurora": "written"}}
PENDING: dict[str, Json] = {"stores": {"dynamodb": "written", "aurora": "pending"}}


def make_target(**changes: Any) -> Target:
    """Return a target with an alarm and a queue of alerts, whose settle window is two seconds."""
    document = make_document(**changes)
    document["timing"] = {"settle_s": 2, "warm_up_s": 2, "probe_interval_s": 0.4, "write_interval_s": 0.1}
    for region in ("primary", "standby"):
        document[region]["app_route_table_ids"] = [f"rtb-{document[region]['name']}"]
        document[region]["alarms"] = {"reachability": "far"}
        document[region]["drill_queue_url"] = "https://sqs.us-west-2.amazonaws.com/123456789012/drill"
    return Target.model_validate(document)


def seen(
    probe: str, numbers: Sequence[int], region: str | None, detail: dict[str, Json], *, bad: bool = False
) -> list[Observation]:
    """Return attempts of a probe, one each 0.4 s, answered after 10 ms."""
    goodness = Goodness.BAD if bad else Goodness.GOOD
    due = [round(number * 0.4 * SECOND) for number in numbers]
    return [
        Observation(probe, number, at, at, at + 10_000_000, goodness, region, detail)
        for number, at in zip(numbers, due, strict=True)
    ]


def history_of(*observed: list[Observation], injected_s: float | None = 4.0) -> History:
    """Return a history of these attempts."""
    by_probe: dict[str, list[Observation]] = {}
    for one in (each for listed in observed for each in listed):
        by_probe.setdefault(one.probe, []).append(one)
    specs = {spec.name: spec for spec in separation.probes(make_target())}
    at = None if injected_s is None else Between(round(injected_s * SECOND), round(injected_s * SECOND))
    return History(specs, by_probe, Marks(0, injected=at))


BEFORE = (
    seen(CLIENTS, range(10), PRIMARY, {}),
    seen(WRITER, range(10), PRIMARY, WRITTEN),
    seen(STANDBY_WRITER, range(10), STANDBY, WRITTEN),
)


class TestPlans:
    def test_routes_are_taken_out_on_both_sides(self) -> None:
        """By default the route tables of both regions are touched, and not the peering."""
        made = plan.make(PeeringDeletion(), PeeringDeletionParams(), make_target())

        assert [("route table", "rtb-us-west-2"), ("route table", "rtb-us-east-1")] == [
            (one.kind, one.id) for step in made.steps for one in step.touches
        ]
        assert "the peering kept" in made.notes[0]

    def test_delete_takes_the_peering_itself(self) -> None:
        """It is one step, which says that the undo makes another."""
        made = plan.make(PeeringDeletion(), PeeringDeletionParams(mode="delete"), make_target())

        assert ["delete-peering"] == [step.name for step in made.steps]
        assert ("VPC peering", "pcx-1") in {(one.kind, one.id) for one in made.steps[0].touches}
        assert "with another id" in made.steps[0].description

    @pytest.mark.parametrize("direction", ["both", "out", "in"])
    def test_a_partition_leaves_the_primary_alone(self, direction: Any) -> None:
        """Only the standby's app subnets are touched, in ACLs of their own, and AWS can undo it."""
        params = NetworkPartitionParams(direction=direction)
        own, denial = NetworkPartition().steps(make_target(), params)

        assert ("own-network-acl", "peer-denial") == (own.fault.kind, denial.fault.kind)
        assert {"subnet-app-us-west-2"} == {one.id for step in (own, denial) for one in step.fault.touches()}
        assert denial.fault.plain_undo

    @pytest.mark.parametrize(
        ("scenario", "params"),
        [(PeeringDeletion(), PeeringDeletionParams()), (NetworkPartition(), NetworkPartitionParams())],
    )
    def test_objectives_come_from_the_target(self, scenario: Scenario[Any], params: Any) -> None:
        """Only what the target wants is judged, zero lost orders included."""
        wanted = {scenario.name: {"alert_s": 300, "rpo_writes": 0, "failed_share": 0.1}}
        listed = scenario.objectives(make_target(objectives=wanted), params)

        assert [("alert", 300.0), ("failed_share", 0.1), ("rpo_writes", 0.0)] == [
            (one.name, one.limit) for one in listed
        ]

    def test_without_an_alarm_any_counts_and_the_reader_is_told(self) -> None:
        """A system without an alarm is drilled all the same: that nobody is told is what it shows."""
        target = make_target()
        bare = target.model_copy(update={"standby": target.standby.model_copy(update={"alarms": {}})})
        made = plan.make(PeeringDeletion(), PeeringDeletionParams(), bare)

        assert any("names no alarm" in note for note in made.notes)
        assert [[]] == [spec.options["alarms"] for spec in made.probes if spec.kind == "queue"]


class TestPredicates:
    def cut(self, first: int, last: int, detail: dict[str, Json] = PENDING) -> list[Observation]:
        """Return orders that the standby took after the cut."""
        return seen(STANDBY_WRITER, range(first, last), STANDBY, detail)

    def alert(self, number: int) -> list[Observation]:
        """Return a poll that brought the alert."""
        return seen(PAGER, [number], STANDBY, {}, bad=True)

    def test_steady_is_everything_written(self) -> None:
        """A standby that can't write to the database before the drill is no steady state."""
        since_ns = round(1.9 * SECOND)

        assert separation.steady(make_target(), history_of(*BEFORE, injected_s=None), since_ns, 2)
        pending = (*BEFORE[:2], seen(STANDBY_WRITER, range(10), STANDBY, PENDING))
        assert not separation.steady(make_target(), history_of(*pending, injected_s=None), since_ns, 2)

    def test_effect_is_a_pending_order_of_the_standby_alone(self) -> None:
        """If the primary's orders are pending too, the database is gone and not the way to it."""
        primary = seen(WRITER, range(10, 15), PRIMARY, WRITTEN)
        both = seen(WRITER, range(10, 15), PRIMARY, PENDING)

        assert separation.took_effect(history_of(*BEFORE, self.cut(10, 15), primary))
        assert not separation.took_effect(history_of(*BEFORE, self.cut(10, 15), both))
        assert not separation.took_effect(history_of(*BEFORE, self.cut(10, 15, WRITTEN), primary))
        assert not separation.took_effect(history_of(*BEFORE))

    def test_ends_with_the_alert_and_every_order_taken(self) -> None:
        """The alert alone is not enough, nor are orders alone, nor an alert from before the fault."""
        target = make_target()

        assert separation.ended(target, history_of(*BEFORE, self.cut(10, 18), self.alert(12)))
        assert not separation.ended(target, history_of(*BEFORE, self.cut(10, 18)))
        assert not separation.ended(target, history_of(*BEFORE, self.cut(10, 18), self.alert(3)))
        assert not separation.ended(target, history_of(*BEFORE, self.cut(10, 13), self.alert(12)))
        refused = seen(STANDBY_WRITER, range(16, 18), STANDBY, {}, bad=True)
        assert not separation.ended(target, history_of(*BEFORE, self.cut(10, 16), refused, self.alert(12)))
