"""A client of the drilled service as a user's program is one: resolve, connect, ask."""

import ipaddress

from drill import clock
from drill.model import Json
from drill.probes.contract import Context, told
from drill.probes.resolver import Answer, Resolver, resolver_at
from drill.probes.transfer import Request, Response, Transfers


class Client:
    """Asks one host over HTTP; every request resolves the name again and opens a new connection."""

    def __init__(self, context: Context, resolver: Resolver, transfers: Transfers) -> None:
        """Use :meth:`of` to make one."""
        self._context = context
        self._resolver = resolver
        self._transfers = transfers

    @classmethod
    async def of(cls, context: Context, *, keep_connections: bool = False) -> "Client":
        """Return a client of a context's host through its resolver, on the running loop."""
        resolver = await resolver_at(context.resolver)
        return cls(context, resolver, Transfers(keep_connections=keep_connections))

    async def ask(
        self, path: str, timeout_s: float, body: bytes | None = None
    ) -> tuple[Response, dict[str, Json]]:
        """Send a GET, or a POST with a body.

        Returns:
            The response, and the observation's detail: ``status address resolve_s connect_s
            first_byte_s total_s cold reused error``, as far as there are values. The times are
            counted from the beginning of their own part: resolving, or the request.

        """
        place = self._context
        begun = clock.monotonic_ns()
        answer = await self._resolve(place.by_way_of or place.host, timeout_s)
        resolve_s = round((clock.monotonic_ns() - begun) / 1e9, 6)
        if answer.error:
            failed = Response(error="dns", nothing_sent=True, total_s=0.0)
            return failed, told(error="dns", dns_error=answer.error, resolve_s=resolve_s)
        request = Request(f"{place.scheme}://{place.host}:{place.port}{path}", place.host, place.port, body)
        response = await self._transfers.fetch(request, answer.addresses, timeout_s - resolve_s)
        detail = response.detail()
        if not response.error and response.status is not None and response.status >= 400:
            detail["error"] = f"http_{response.status}"
        return response, {"resolve_s": resolve_s, **detail}

    async def _resolve(self, host: str, timeout_s: float) -> Answer:
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            return await self._resolver.ask(host, timeout_s)
        return Answer((host,))

    def close(self) -> None:
        """Let go of its sockets."""
        self._transfers.close()
        self._resolver.close()
