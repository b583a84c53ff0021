"""DR10: whether the service does anything: it lists orders; what is written is read back from both stores."""

import secrets
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit.contract import Check, Found, Part
from drill.audit.service import Answer, ask
from drill.audit.system import System
from drill.model import Json, Severity
from drill.target import Region

# One answer may be lost; a service that has gone loses all of them.
_TRIES = 3


class Orders(Check):
    """Lists the orders of nobody; if it may write, places one in each region and reads it back: they stay."""

    id: ClassVar = "DR10"
    title: ClassVar = "The service answers and does nothing"
    why: ClassVar = (
        "A function that returns 200 whatever it is asked passes every health check. A failover to it is "
        "quick and loses every order."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = "Deploy the service's own code (infra/app; app.yaml: Function): drill infra deploy"
    source: ClassVar = ("https://aws.amazon.com/builders-library/implementing-health-checks/",)
    calls: ClassVar = ()
    seed: ClassVar = (10,)
    caused_by: ClassVar = ("DR01", "DR02", "DR04", "DR14", "DR15", "DR16", "DR17")
    explains: ClassVar = ("recovery_time", "recovery_point", "recovery_point_writes", "availability")
    drill: ClassVar = "drill run region-outage"
    active: ClassVar = True

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the list of each region."""
        for region in system.regions:
            yield Part(f"orders by way of {region.load_balancer}", partial(_listed, system, region))

    def writing(self, system: System) -> Iterator[Part]:
        """Yield an order in each region."""
        for region in system.regions:
            yield Part(f"an order by way of {region.load_balancer}", partial(_look, system, region))


def _listed(system: System, region: Region) -> Iterator[Found]:
    """Ask for the orders of a customer that has none: who does nothing has no list."""
    orders = system.target.service.orders_path
    path = f"{orders}?customer=audit-{secrets.token_hex(4)}&store=dynamodb"
    where = f"{orders} by way of {region.load_balancer} in {region.name}"
    answer = ask(system.target, region, path)
    for _ in range(_TRIES - 1):
        answer = answer if answer.good else ask(system.target, region, path)
    if not answer.good:
        yield Found(where, f"orders can't be listed: it answers {answer.said}")
    elif _rows(answer) is None:
        what = f"asked for orders it answers {answer.said}, and that is no list of any"
        # Nothing explains this: whoever answers so is not the service.
        yield Found(where, what, caused_by=())


def _rows(answer: Answer) -> list[dict[str, Json]] | None:
    """Return the orders that an answer lists; None if it is no list."""
    rows = answer.document.get("orders")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def _look(system: System, region: Region) -> Iterator[Found]:
    target, path = system.target, system.target.service.orders_path
    where = f"{path} by way of {region.load_balancer} in {region.name}"
    customer, token, nonce = f"audit-{secrets.token_hex(4)}", "00000001", secrets.token_hex(8)
    order: dict[str, Json] = {"customer": customer, "token": token, "number": 1, "nonce": nonce}
    placed = ask(target, region, path, order)
    if not placed.good:
        yield Found(where, f"an order is answered {placed.said}")
        return
    if placed.document.get("nonce") != nonce:
        # Nothing explains this: whoever answers so is not the service.
        yield Found(where, "an order is acknowledged, but the answer tells nothing of it", caused_by=())
        return
    for store in ("dynamodb", "aurora"):
        listed = ask(target, region, f"{path}?customer={customer}&store={store}")
        if not any(row.get("nonce") == nonce for row in _rows(listed) or ()):
            why = f"the list is answered {listed.said}" if not listed.good else "it is not in the list"
            yield Found(where, f"an order that was acknowledged can't be read back from {store}: {why}")
