"""What a drill makes AWS bill."""

from dataclasses import replace

import pytest

from drill import costs, plan
from drill.cli import prices
from drill.costs import Billed
from drill.model import CostItem, ProbeSpec
from drill.plan import Plan
from drill.testing import made_up_target
from infra.prices import prices as known
from scenarios.region_outage import RegionOutage, RegionOutageParams


def made(*, blackout: bool = False) -> Plan:
    """Return a plan of a region outage, which lasts from 120 to 2820 s."""
    return plan.make(RegionOutage(), RegionOutageParams(blackout=blackout), made_up_target())


def by(part: str, every: tuple[Billed, ...]) -> list[Billed]:
    """Return what one part makes AWS bill."""
    return [one for one in every if one.part == part]


def test_a_pause_of_replication_is_billed_by_the_minute() -> None:
    """One minute at least, and at most as long as the experiment is told to last."""
    (pause,) = by("pause-replication", costs.of(made(blackout=True)))

    assert ("experiment_action_minute", 1, 32) == (pause.unit, pause.low, pause.high)
    assert [] == by("cut-network", costs.of(made(blackout=True)))


def test_what_is_paid_by_the_hour_is_paid_for_as_long_as_the_drill_lasts() -> None:
    """A restored cluster's capacity: its least for the shortest drill, its most for the longest."""
    the_plan = made()
    item = CostItem("its capacity", "acu_hour", 0.5, 2, hourly=True)
    (step,) = the_plan.steps
    with_item = replace(the_plan, steps=(replace(step, costs=(item,)),), costs=(item,))

    for part in ("invert-health-check", "scenario"):
        (billed,) = by(part, costs.of(with_item))
        assert pytest.approx([0.5 * 120 / 3600, 2 * 2820 / 3600]) == [billed.low, billed.high]


def test_probes_are_billed_by_their_attempts() -> None:
    """Ten requests a second for 120 s are 1200, each of which the application's function is paid for."""
    bare = replace(made(), probes=(ProbeSpec("clients", "http", 0.1, 1),))
    (requests,) = by("probes", costs.of(bare))

    assert pytest.approx([1200 / 1e6, 28200 / 1e6]) == [requests.low, requests.high]


def test_schedules_are_billed_only_if_they_are_ever_due() -> None:
    """They are deleted after the rollback."""
    (schedule,) = by("undo of last resort", costs.of(made()))

    assert (0, 1e-6) == (schedule.low, schedule.high)


@pytest.mark.parametrize("blackout", [False, True])
def test_every_unit_has_a_price(blackout: bool) -> None:
    """Whatever a registered scenario makes AWS bill, the price is known."""
    assert {one.unit for one in costs.of(made(blackout=blackout))} <= set(known().by_name)


def test_the_lines_say_what_is_free_and_what_is_not_known() -> None:
    """A plugin may name a price that nobody knows: its units are told all the same."""
    (step,) = made().steps
    odd = replace(made(), costs=(CostItem("its unicorns", "unicorn_hour", 1, 3),))
    text = "\n".join(prices.lines(odd))

    assert f"free: {step.name}" in text
    assert "its unicorns: 1.00 to 3.00 unicorn_hour, whose price is not known here" in text
    assert [None] == [one["usd"] for one in prices.document(odd) if one["unit"] == "unicorn_hour"]


def test_regions_whose_prices_are_not_known_are_named() -> None:
    """Prices elsewhere differ, mostly upwards."""
    target = made_up_target()
    far = target.model_copy(update={"standby": target.standby.model_copy(update={"name": "sa-east-1"})})
    lines = list(prices.lines(plan.make(RegionOutage(), RegionOutageParams(), far)))

    assert lines[-1].endswith("; sa-east-1 may cost more")
