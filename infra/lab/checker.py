"""One look of one Route 53 checker at an endpoint, over a real connection.

Route 53 connects, and then wants a 2xx or 3xx in time; it does not validate certificates. See
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

import asyncio
import functools
import ssl
from dataclasses import dataclass
from http import HTTPStatus

from infra.lab.profile import Profile
from infra.lab.world import HealthCheck

_HTTP_PORTS = {"HTTP": 80, "HTTPS": 443}


@dataclass(frozen=True, slots=True)
class Look:
    """What a checker saw: good or not, and Route 53's sentence about it."""

    good: bool
    status: str


async def look(check: HealthCheck, address: str, source: str, profile: Profile) -> Look:
    """Check an endpoint once.

    Args:
        check: An ``HTTP``, ``HTTPS`` or ``TCP`` check.
        address: The IPv4 address to connect to.
        source: The checker's own IPv4 address.
        profile: Its time-outs.

    """
    try:
        async with asyncio.timeout(profile.check_connect_s):
            reader, writer = await asyncio.open_connection(
                address, check.port or _HTTP_PORTS.get(check.type, 0), local_addr=(source, 0), ssl=_tls(check)
            )
    except TimeoutError:
        return Look(
            good=False, status="Failure: Connection timed out; nothing answers, or a firewall drops it"
        )
    except ConnectionRefusedError:
        return Look(good=False, status="Failure: Connection refused")
    except OSError as problem:
        return Look(good=False, status=f"Failure: {problem}")
    try:
        if check.type == "TCP":
            return Look(good=True, status="Success: TCP connection was established")
        async with asyncio.timeout(profile.check_response_s):
            return await _ask(check, reader, writer)
    except TimeoutError:
        return Look(good=False, status="Failure: The endpoint did not respond in time")
    except (OSError, ValueError) as problem:
        return Look(good=False, status=f"Failure: {problem}")
    finally:
        writer.transport.abort()


async def _ask(check: HealthCheck, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Look:
    host = check.host if check.port in {0, _HTTP_PORTS[check.type]} else f"{check.host}:{check.port}"
    agent = f"Amazon-Route53-Health-Check-Service (ref {check.id})"
    head = f"GET {check.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode("latin-1"))
    await writer.drain()
    words = (await reader.readline()).split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return Look(good=False, status="Failure: The endpoint's answer is not HTTP")
    code = int(words[1])
    phrase = HTTPStatus(code).phrase if code in set(HTTPStatus) else ""
    seen = f"HTTP Status Code {code}, {phrase}".rstrip(", ")
    good = 200 <= code < 400
    return Look(good=good, status=f"{'Success' if good else 'Failure'}: {seen}")


def _tls(check: HealthCheck) -> ssl.SSLContext | None:
    return _unvalidated() if check.type == "HTTPS" else None


@functools.cache
def _unvalidated() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
