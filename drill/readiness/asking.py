"""Asks the service once, as a client does."""

import asyncio
from dataclasses import dataclass

from drill.probes.client import Client
from drill.probes.contract import Context
from drill.target import Target


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client was told.

    Attributes:
        region: The region that answered; None if none did.
        said: The HTTP status, or a short word for why there was none.
        good: It was any 2xx.
        total_s: From the request to the last byte.

    """

    region: str | None
    said: str
    good: bool
    total_s: float


def ask(target: Target, times: int) -> list[Asked]:
    """Return what the service's health path answered, one request after the other."""
    return asyncio.run(_ask(target, times))


async def _ask(target: Target, times: int) -> list[Asked]:
    client = await Client.of(Context.of(target, "ask"))
    answers = []
    try:
        for _ in range(times):
            response, detail = await client.ask(target.service.health_path, target.timing.probe_timeout_s)
            served = response.status is not None and not response.error
            good = served and response.status is not None and 200 <= response.status < 300
            said = str(response.status) if served else str(detail["error"])
            answers.append(Asked(response.region, said, good, response.total_s))
    finally:
        client.close()
    return answers
