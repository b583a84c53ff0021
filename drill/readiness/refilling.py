"""Has the service bring its relational database up to its table, after one was restored."""

import asyncio
from dataclasses import replace
from urllib.parse import quote

from drill.errors import DrillError
from drill.probes.client import Client
from drill.probes.contract import Context
from drill.target import Target

# One page is some hundreds of orders, written over a link between regions at worst.
_PAGE_S = 30.0


def refill(target: Target, role: str, again: str) -> int:
    """Go through the whole table, page by page; returns how many orders the database has for certain.

    Args:
        target: The system.
        role: Whose functions do it: ``primary`` or ``standby``.
        again: The command that goes on, for the message if it stops.

    Raises:
        DrillError: A page could not be written; those before it were.

    """
    region = target.standby if role == "standby" else target.primary
    return asyncio.run(_refill(target, region.load_balancer, again))


async def _refill(target: Target, load_balancer: str, again: str) -> int:
    context = replace(Context.of(target, "refill"), by_way_of=load_balancer)
    client = await Client.of(context)
    written, following = 0, ""
    try:
        while True:
            path = f"{context.orders_path}/refill?after={quote(following)}"
            response, detail = await client.ask(path, _PAGE_S, b"{}")
            if response.error or response.status != 200:
                why = response.document.get("error") or detail.get("error")
                msg = f"stopped after {written} orders: {why}; go on with: {again}"
                raise DrillError(msg)
            written += int(str(response.document["written"]))
            if response.document["next"] is None:
                return written
            following = str(response.document["next"])
    finally:
        client.close()
