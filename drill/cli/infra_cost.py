"""``drill infra cost``: what the system and a drill of it cost."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.cost import Cost
    from infra.deploy_config import DeployConfig


def show(path: Path, as_json: bool, again: str) -> None:
    """Print the estimate for a system file; ``again`` is the command that does so."""
    from infra import cost, deploy_config

    config = deploy_config.load(path)
    month, drill = cost.monthly(config), cost.of_a_drill(config)
    if as_json:
        click.echo(json.dumps(_document(month, drill), indent=1))
        return
    click.echo(f"{config.name} in {' and '.join(config.regions)}, US dollars a month")
    for line in (*_table(month), "", "one drill, besides", *_table(drill, total=False), "", *_notes(config)):
        click.echo(line)
    click.echo(f"- every single price, with its source: {again} --json")


def _table(costs: "Sequence[Cost]", *, total: bool = True) -> Iterator[str]:
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for each in costs:
        low, high = sums.get((each.part, each.region), (0.0, 0.0))
        sums[each.part, each.region] = low + each.low_usd, high + each.high_usd
    yield _line("part", "region", "low", "high")
    for (part, region), (low, high) in sums.items():
        yield _line(part, region, f"{low:.2f}", f"{high:.2f}")
    if total:
        lows, highs = zip(*sums.values(), strict=True)
        yield _line("total", "", f"{sum(lows):.2f}", f"{sum(highs):.2f}")


def _line(part: str, region: str, low: str, high: str) -> str:
    return f"  {part:<18} {region:<15} {low:>9} {high:>9}"


def _notes(config: "DeployConfig") -> Iterator[str]:
    from infra import cost
    from infra.prices import prices

    for assumption in cost.ASSUMPTIONS:
        yield f"- {assumption}"
    known = prices()
    yield f"- prices of {' and '.join(known.regions)}, looked up on {known.oldest} or later"
    elsewhere = [region for region in config.regions if region not in known.regions]
    if elsewhere:
        yield f"- {' and '.join(elsewhere)} may cost more: its prices are not known here"


def _document(month: "Sequence[Cost]", drill: "Sequence[Cost]") -> dict[str, object]:
    from infra import cost
    from infra.prices import prices

    known = prices()
    return {
        "currency": "USD",
        "monthly": [asdict(each) for each in month],
        "drill": [asdict(each) for each in drill],
        "total_low_usd": sum(each.low_usd for each in month),
        "total_high_usd": sum(each.high_usd for each in month),
        "assumptions": list(cost.ASSUMPTIONS),
        "price_regions": list(known.regions),
        "prices": {
            name: {**asdict(price), "read_on": price.read_on.isoformat()}
            for name, price in known.by_name.items()
        },
    }
