"""The lab's process: the control plane and the physics that follow it, until told or due to end.

Started by ``session.py`` as ``python -m infra.lab.daemon``; everything it needs comes by
arguments, and where it listens goes to ``lab.json`` in its state folder.
"""

import argparse
import asyncio
import contextlib
import gc
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Protocol

from drill import runs
from drill.errors import DrillError
from infra.lab import profile as profiles
from infra.lab import stacks, unphysical
from infra.lab.addresses import Addresses, claim_block, free_port
from infra.lab.alarms import Alarms
from infra.lab.backups import Backups
from infra.lab.control_plane.server import ControlPlane
from infra.lab.database_metrics import DatabaseMetrics
from infra.lab.databases import Databases
from infra.lab.dns import Dns
from infra.lab.edge import Edge
from infra.lab.functions import Functions
from infra.lab.health_checks import HealthChecks
from infra.lab.network import Network
from infra.lab.ready import REGIONS, TRUTH, Ready
from infra.lab.rotations import Rotations
from infra.lab.scaling import Scaling
from infra.lab.schedule_calls import Caller
from infra.lab.schedules import Schedules
from infra.lab.service_metrics import ServiceMetrics
from infra.lab.table_metrics import TableMetrics
from infra.lab.tables import Tables
from infra.lab.truth import TruthLog
from infra.lab.virtual_time import VirtualClock
from infra.lab.world import Snapshot

# The physics look at the control plane after each change, and this often besides, for what
# changes by time alone (an experiment that ends).
TICK_S = 0.1
# How often the daemon asks itself whether it should still be there.
LIFE_S = 0.5


class _Physics(Protocol):
    async def start(self) -> None: ...

    def reconcile(self, snapshot: Snapshot) -> None: ...

    async def close(self) -> None: ...


def main() -> None:
    """Run a lab until it is told to end, its owner is gone or its time is over."""
    options = _options()
    # Requests to moto and the byte paths share one interpreter: short turns keep the paths prompt.
    sys.setswitchinterval(0.001)
    # What is loaded by now stays: each collection over all of it stands the byte paths still for long.
    gc.collect()
    gc.freeze()
    try:
        asyncio.run(_live(options))
    except DrillError as problem:
        sys.exit(f"lab: {problem}")
    if options.owner is not None and not _alive(options.owner):
        shutil.rmtree(options.state)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--owner", type=int, help="end with this process")
    parser.add_argument("--runs", type=Path, help="but not while a run in here has something to undo")
    parser.add_argument("--seconds", type=float, required=True, help="end by itself after so long")
    return parser.parse_args()


async def _live(options: argparse.Namespace) -> None:
    profile = profiles.profile(options.profile)
    block, holder = claim_block()
    addresses = Addresses(block, REGIONS)
    with contextlib.closing(holder), contextlib.closing(TruthLog(options.state / TRUTH)) as truth:
        port = _port(addresses.control, options.port)
        dns_port = free_port(
            [addresses.name_server, addresses.client_resolver, *map(addresses.vpc_resolver, REGIONS)],
            socket.SOCK_DGRAM,
        )
        plane = ControlPlane(
            addresses.control,
            port,
            REGIONS,
            experiment_start_s=profile.experiment_start_s,
            clock_scale=profile.clock_scale,
        )
        databases = Databases(plane, profile, truth, options.state)
        network = Network(addresses, profile, truth, databases, (addresses.control, port))
        metrics = ServiceMetrics(plane, profile)
        functions = Functions(
            addresses,
            profile,
            truth,
            plane,
            options.state,
            endpoints_for=network.endpoints_for,
            dns_port=dns_port,
            metrics=metrics,
        )
        tables = Tables(plane, profile, truth)
        # The name server and the checkers need one another: checkers look names up as the public does.
        alarms = Alarms(plane, profile, truth)
        health = HealthChecks(
            addresses,
            profile,
            truth,
            lambda name: dns.lookup(name),  # noqa: PLW0108 (made below)
            streams=alarms,
        )
        metrics.ask(health.metrics)
        dns = Dns(addresses, profile, truth, health, dns_port)
        edge = Edge(addresses, profile, truth, functions, metrics=metrics)
        clock = VirtualClock(profile.clock_scale)
        schedules = Schedules(Caller(plane.endpoint_url, plane.role_permits), profile, truth, clock)
        plane.serve_with(invoker=functions, health=health, writes=tables, alarms=alarms)
        physics: tuple[_Physics, ...] = (
            databases,
            network,
            functions,
            tables,
            TableMetrics(plane, profile),
            Scaling(plane, profile),
            DatabaseMetrics(network, databases, metrics),
            metrics,
            alarms,
            health,
            dns,
            edge,
            Rotations(plane),
            schedules,
            Backups(plane, clock),
        )
        _open(plane, options.state)
        try:
            for one in physics:
                await one.start()
            Ready(
                pid=os.getpid(),
                name=options.name,
                profile=profile.name,
                regions=REGIONS,
                endpoint_url=plane.endpoint_url,
                resolver=f"{addresses.client_resolver}:{dns_port}",
                name_server=f"{addresses.name_server}:{dns_port}",
                http_port=free_port([addresses.inside(region, "10.0.10.10") for region in REGIONS]),
                database_port=free_port([addresses.inside(region, "10.0.20.10") for region in REGIONS]),
            ).write(options.state)
            await _follow(plane, physics, options)
        finally:
            for one in reversed(physics):
                await one.close()
            plane.close()


def _open(plane: ControlPlane, state: Path) -> None:
    """Answer from now on, and say what of it the lab obeys."""
    plane.start()
    unphysical.note(state, stacks.physics())


def _port(address: str, wanted: int | None) -> int:
    if wanted is None:
        return free_port([address])
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((address, wanted))
        except OSError as problem:
            msg = f"port {wanted} is taken on {address}; choose another, or leave --port away: drill lab up"
            raise DrillError(msg) from problem
    return wanted


async def _follow(plane: ControlPlane, physics: tuple[_Physics, ...], options: argparse.Namespace) -> None:
    """Make the world follow the control plane until the lab must end."""
    loop = asyncio.get_running_loop()
    changed, ended = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def notice() -> None:
        loop.call_soon_threadsafe(changed.set)

    plane.on_change(notice)
    life = asyncio.create_task(_until_over(options, ended))
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):  # the slow tick: nothing changed, look all the same
            await asyncio.wait_for(changed.wait(), TICK_S)
        changed.clear()
        snapshot = plane.snapshot()
        for one in physics:
            one.reconcile(snapshot)
    life.cancel()


async def _until_over(options: argparse.Namespace, ended: asyncio.Event) -> None:
    """Set ``ended`` when the time is over, or the owner is gone and no run needs this lab."""
    over = time.monotonic() + options.seconds
    while time.monotonic() < over:
        await asyncio.sleep(LIFE_S)
        orphan = options.owner is not None and not _alive(options.owner)
        if orphan and not (options.runs and runs.unfinished(options.runs, options.name)):
            break
    ended.set()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    main()
