"""Kind ``http``: asks the service as a client does. Good is any 2xx answer.

Options:
    path: What is asked for (default: the target's health path).
    by_way_of: DNS name of a load balancer to connect to, for the direct path; the request still
        names the service (default: wherever the name that fails over leads).
    port: Its TCP port (default: the service's).
    keep_connection: Reuse connections as a pool does (default: a new one each time).

Detail: ``status address resolve_s connect_s first_byte_s total_s cold reused error dns_error``,
as far as there are values. ``error`` is a short word: timeout, refused, unreachable, reset,
closed, tls, dns, http_503, ….
"""

from dataclasses import replace
from typing import ClassVar

from drill.model import Goodness, ProbeSpec
from drill.probes import options
from drill.probes.client import Client
from drill.probes.contract import Context, Probe, Seen


class HttpProbe(Probe):
    """Sends a GET on each attempt."""

    kind: ClassVar[str] = "http"
    _client: Client

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._path = options.text(spec, "path", context.health_path)
        self._keep = options.flag(spec, "keep_connection")
        self._place = replace(
            context,
            by_way_of=options.text(spec, "by_way_of") if "by_way_of" in spec.options else None,
            port=int(options.number(spec, "port", context.port)),
        )

    async def open(self) -> None:
        """Open the resolver's socket."""
        self._client = await Client.of(self._place, keep_connections=self._keep)

    async def attempt(self, number: int) -> Seen:
        """Ask once."""
        response, detail = await self._client.ask(self._path, self.spec.timeout_s)
        good = not response.error and response.status is not None and 200 <= response.status < 300
        return Seen(Goodness.GOOD if good else Goodness.BAD, response.region, detail)

    async def close(self) -> None:
        """Close its sockets."""
        self._client.close()
