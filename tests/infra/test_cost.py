"""The estimate of what a system costs."""

import re
from datetime import date
from pathlib import Path

import pytest

from infra.backup_times import backups_a_month
from infra.cost import Cost, monthly, of_a_drill
from infra.deploy_config import DeployConfig
from infra.prices import prices

CONFIG = DeployConfig(
    name="shop", primary_region="us-east-1", standby_region="us-west-2", domain="drill.example.com"
)


def of(costs: tuple[Cost, ...], part: str, what: str) -> dict[str, tuple[float, float]]:
    """Return what something costs, by region."""
    return {
        each.region: (each.low_usd, each.high_usd)
        for each in costs
        if each.part == part and each.what == what
    }


def total(config: DeployConfig) -> tuple[float, float]:
    """Return what everything costs."""
    costs = monthly(config)
    return sum(each.low_usd for each in costs), sum(each.high_usd for each in costs)


def test_every_price_has_a_source_of_aws_and_a_day() -> None:
    """No number without a page and a date that has been."""
    known = prices()
    for name, price in known.by_name.items():
        assert price.usd > 0, name
        assert re.match(r"https://aws\.amazon\.com/", price.source), name
        assert isinstance(price.read_on, date), name
    assert known.oldest <= max(price.read_on for price in known.by_name.values())


def test_every_price_is_used() -> None:
    """A price that no estimate uses is not kept."""
    tree = Path(__file__).resolve().parent.parent.parent
    files = [
        tree / "infra" / "cost.py",
        tree / "drill" / "costs.py",
        *(tree / "drill" / "faults").glob("*.py"),
    ]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    assert [name for name in prices().by_name if f'"{name}"' not in source] == []


def test_an_idle_database_costs_its_least_capacity() -> None:
    """Half a unit for 730 hours at 12 cents, and eight times that at most."""
    capacity = of(monthly(CONFIG), "data", "capacity")
    assert capacity == {"us-east-1": pytest.approx((0.5 * 730 * 0.12, 4 * 730 * 0.12))}


def test_a_global_database_runs_in_both_regions() -> None:
    """The second cluster is paid like the first."""
    capacity = of(monthly(CONFIG.changed(replication="global")), "data", "capacity")
    assert capacity["us-east-1"] == capacity["us-west-2"]


@pytest.mark.parametrize(
    "dearer",
    [
        {"nat": "one"},
        {"nat": "per-az"},
        {"acu_min": 1},
        {"database_reader": True},
        {"provisioned_concurrency": 2},
        {"table_min_capacity": 10},
        {"replication": "global"},
        {"retention_days": 90},
    ],
)
def test_more_costs_more(dearer: dict[str, object]) -> None:
    """Each of these makes a month dearer at rest, and not cheaper at most."""
    low, high = total(CONFIG)
    more_low, more_high = total(CONFIG.changed(**dearer))
    assert more_low > low
    assert more_high >= high


def test_rarer_backups_cost_less() -> None:
    """Daily copies cost less than hourly ones."""
    assert total(CONFIG.changed(backup_schedule="cron(0 3 * * ? *)")) < total(CONFIG)


def test_low_is_never_above_high() -> None:
    """At rest nothing costs more than at most, in a month and in a drill."""
    for each in (*monthly(CONFIG), *of_a_drill(CONFIG)):
        assert 0 <= each.low_usd <= each.high_usd, each


def test_a_longer_drill_costs_more() -> None:
    """A drill's cost follows the durations that it may take."""
    longer = CONFIG.changed(timing={"deadline_s": 7200})
    assert sum(each.high_usd for each in of_a_drill(longer)) > sum(
        each.high_usd for each in of_a_drill(CONFIG)
    )


@pytest.mark.parametrize(
    ("schedule", "times"),
    [
        ("cron(0 * * * ? *)", 24 * 365 / 12),
        ("cron(0 3 * * ? *)", 365 / 12),
        ("cron(0/15 * * * ? *)", 96 * 365 / 12),
        ("cron(0,30 8-17 ? * MON-FRI *)", 20 * 261 / 12),
        ("cron(0 0 1 * ? *)", 1),
        ("cron(0 0 L * ? *)", 1),
        ("cron(0 0 1 JAN,JUL ? *)", 2 / 12),
        ("cron(0 */6 * * ? *)", 4 * 365 / 12),
        ("cron(0 3 ? * 6#3 *)", 1),
        ("cron(0 3 ? * FRI#5 *)", 5 / 12),
        ("cron(0 3 ? * 6L *)", 1),
        ("cron(0 3 ? * L *)", 52 / 12),
        ("cron(0 3 1W * ? *)", 1),
        ("cron(0 3 31W * ? *)", 7 / 12),
    ],
)
def test_how_often_a_schedule_comes_true(schedule: str, times: float) -> None:
    """Steps, spans, lists and names are counted as AWS reads them."""
    assert backups_a_month(schedule) == pytest.approx(times, rel=0.01)
