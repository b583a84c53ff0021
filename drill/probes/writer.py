"""Kind ``writer``: posts numbered orders with a random nonce, for the ledger.

The attempt's number is the order's number, so that no number is ever sent twice: nothing is
retried. **Good**: acknowledged (200, 201, 202). **Bad**: nothing was done (4xx, an answer that
says ``"done": false``, or no byte of the request was sent). **Unknown**: everything else.

Options:
    customer: Whose orders they are; ``{run}`` in it is replaced by the run's id, which alone is
        the default. A customer has orders of one run only, else numbers would be there before.
    host: Whom to ask (default: the name that fails over).
    by_way_of: DNS name of a load balancer to connect to; the request still names the host.

Detail: ``nonce stores replayed throttled`` and what the kind ``http`` tells. ``stores`` is what
the answer says of each store: ``written`` or ``pending``. ``throttled`` is how often the store
refused the write for want of capacity, as the answer's key of that name says; a 429 that does not
say is one such refusal.
"""

import json
import secrets
from dataclasses import replace
from typing import ClassVar

from drill.model import Goodness, ProbeSpec
from drill.probes import options
from drill.probes.client import Client
from drill.probes.contract import Context, Probe, Seen
from drill.probes.transfer import Response

TOKEN_DIGITS = 10
ACKNOWLEDGED = (200, 201, 202)


class WriterProbe(Probe):
    """Sends a POST on each attempt."""

    kind: ClassVar[str] = "writer"
    _client: Client

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._customer = customer_of(spec, context)
        self._place = replace(
            context,
            host=options.text(spec, "host", context.host),
            by_way_of=options.text(spec, "by_way_of") if "by_way_of" in spec.options else None,
        )

    async def open(self) -> None:
        """Open the resolver's socket."""
        self._client = await Client.of(self._place)

    async def attempt(self, number: int) -> Seen:
        """Send one order."""
        nonce = secrets.token_hex(8)
        order = {
            "customer": self._customer,
            "token": token(number),
            "number": number,
            "nonce": nonce,
        }
        body = json.dumps(order).encode()
        response, detail = await self._client.ask(self.context.orders_path, self.spec.timeout_s, body)
        stores = response.document.get("stores")
        if isinstance(stores, dict):
            detail["stores"] = stores
        if refusals := throttled(response):
            detail["throttled"] = refusals
        goodness = acknowledgement(response)
        if response.document.get("replayed") is True:
            detail["replayed"] = True
        if goodness is Goodness.GOOD and response.document.get("nonce", nonce) != nonce:
            # Another's order has this number: ours was not acknowledged.
            goodness, detail["error"] = Goodness.UNKNOWN, "other_nonce"
        return Seen(goodness, response.region, {"nonce": nonce, **detail})

    async def close(self) -> None:
        """Close its sockets."""
        self._client.close()


def acknowledgement(response: Response) -> Goodness:
    """Say what an answer, or none, proves of a write."""
    if response.nothing_sent:
        return Goodness.BAD
    if response.error or response.status is None:
        return Goodness.UNKNOWN
    if response.status in ACKNOWLEDGED:
        return Goodness.GOOD
    if 400 <= response.status < 500 or response.document.get("done") is False:
        return Goodness.BAD
    return Goodness.UNKNOWN


def throttled(response: Response) -> int:
    """Return how often the write was refused for want of capacity, as far as the answer tells."""
    said = response.document.get("throttled")
    if isinstance(said, int) and not isinstance(said, bool) and said >= 0:
        return said
    return int(response.status == 429)


def customer_of(spec: ProbeSpec, context: Context) -> str:
    """Return whose orders a writer sends: the ledger is read with the same name."""
    return options.text(spec, "customer", "{run}").replace("{run}", context.run_id)


def token(number: int) -> str:
    """Return an order's token: its number with leading zeros, so that tokens sort as numbers do."""
    return f"{number:0{TOKEN_DIGITS}d}"
