"""What a drill costs, as lines of text and for machines: its units at the prices that are known."""

from collections.abc import Iterator
from dataclasses import asdict

from drill import costs
from drill.plan import Plan


def lines(plan: Plan) -> Iterator[str]:
    """Yield what a drill costs besides the system itself, step by step."""
    from infra.prices import prices

    known = prices()
    billed = costs.of(plan)
    free = [step.name for step in plan.every_step if not any(one.part == step.name for one in billed)]
    low = high = 0.0
    for one in billed:
        price = known.by_name.get(one.unit)
        if price is None:
            units = _between(one.low, one.high)
            yield f"  {one.part}: {one.what}: {units} {one.unit}, whose price is not known here"
            continue
        low, high = low + one.low * price.usd, high + one.high * price.usd
        cost = _between(one.low * price.usd, one.high * price.usd)
        yield f"  {one.part}: {one.what}: {cost} USD ({one.unit} at {price.usd:g})"
    if free:
        yield f"  free: {', '.join(free)}"
    elsewhere = {plan.target.primary.name, plan.target.standby.name} - set(known.regions)
    more = f"; {' and '.join(sorted(elsewhere))} may cost more" if elsewhere else ""
    yield f"  together {_between(low, high)} USD, at prices looked up on {known.oldest} or later{more}"


def document(plan: Plan) -> list[dict[str, object]]:
    """Return the same for machines; a price that is not known is null."""
    from infra.prices import prices

    known = prices().by_name
    return [
        {
            **asdict(one),
            "usd": known[one.unit].usd if one.unit in known else None,
            "source": known[one.unit].source if one.unit in known else None,
        }
        for one in costs.of(plan)
    ]


def _between(low: float, high: float) -> str:
    least, most = _rounded(low), _rounded(high)
    return most if least == most else f"{least} to {most}"


def _rounded(amount: float) -> str:
    """Return an amount so that small ones still show: two decimals, or two digits."""
    return (
        f"{amount:.2f}"
        if amount >= 0.1 or amount == 0
        else f"{amount:.2g}"
        if amount >= 1e-4
        else "below 0.0001"
    )
