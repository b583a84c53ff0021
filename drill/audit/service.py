"""Asks the service as a client does, by way of one region's load balancer."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from drill.model import Json
from drill.probes.client import Client
from drill.probes.contract import Context
from drill.target import Region, Target


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said.

    Attributes:
        said: The HTTP status, or a short word for why there was none.
        good: It was any 2xx.
        total_s: From the request to the last byte.
        document: The JSON object of the answer; empty if it was none.

    """

    said: str
    good: bool
    total_s: float
    document: Mapping[str, Json]


def ask(target: Target, region: Region, path: str, body: Mapping[str, Json] | None = None) -> Answer:
    """Send a GET, or a POST with a body, to one region."""
    sent = None if body is None else json.dumps(body).encode()
    return asyncio.run(_ask(target, region, path, sent))


async def _ask(target: Target, region: Region, path: str, body: bytes | None) -> Answer:
    client = await Client.of(replace(Context.of(target, "audit"), by_way_of=region.load_balancer))
    try:
        response, detail = await client.ask(path, target.timing.probe_timeout_s, body)
    finally:
        client.close()
    served = response.status is not None and not response.error
    good = served and response.status is not None and 200 <= response.status < 300
    said = str(response.status) if served else str(detail["error"])
    return Answer(said, good, response.total_s, response.document)
