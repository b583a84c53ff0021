"""Asks the lab itself, all the while, so that a lab which answers late is not taken for a fault.

The machine is shared: when it is busy the lab's own answers take long, and clients give up though
no fault is there. Such a drill says nothing of the measures and is played again.
"""

import asyncio
import time

import dns.asyncquery
import dns.exception
import dns.message

from infra.lab.truth import TruthLog
from tests.truth.draw import Drill
from tests.truth.system import CANARY_PATH, Ports, name_of

PAUSE_S = 0.02
LATE_NS = 50_000_000
_GIVE_UP_S = 5.0


async def watch(ports: Ports, drill: Drill, truth: TruthLog) -> None:
    """Resolve a name and ask the standby's load balancer again and again; log each answer that came late."""
    host, _, port = ports.resolver.partition(":")
    address = await _resolved(host, int(port), f"{drill.name}-1.us-west-2.elb.amazonaws.com")
    while True:
        sent_ns = time.monotonic_ns()
        await _resolved(host, int(port), name_of(drill))
        await _fetched(address, ports.http)
        done_ns = time.monotonic_ns()
        if done_ns - sent_ns > LATE_NS:
            truth.log("answered_late", done_ns, since_ns=sent_ns)
        await asyncio.sleep(PAUSE_S)


async def _resolved(server: str, port: int, name: str) -> str:
    question = dns.message.make_query(name, "A")
    try:
        answer = await dns.asyncquery.udp(question, server, timeout=_GIVE_UP_S, port=port)
    except dns.exception.DNSException:
        return ""
    return str(answer.answer[0][0]) if answer.answer else ""


async def _fetched(address: str, port: int) -> None:
    try:
        async with asyncio.timeout(_GIVE_UP_S):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                writer.write(f"GET {CANARY_PATH} HTTP/1.0\r\n\r\n".encode())
                await reader.read(-1)
            finally:
                writer.transport.abort()
    except OSError:
        return
