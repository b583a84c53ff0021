"""A cloud of many small systems: ``python -m tests.truth.cloud FOLDER``, until its input closes.

The lab's own parts in one process: the control plane, and what makes the world follow it (network
gates and load balancers, health checkers, name server and resolver, replication of tables). Only
what no drill here needs is left out: databases, functions as processes of their own, alarms.

FOLDER holds ``drills.json``; the targets, ``truth.jsonl`` and at last ``ready`` are written to it.
"""

import asyncio
import gc
import json
import os
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moto.ec2.models.network_acls import NetworkAclBackend
from moto.route53.responses import Route53

from drill import target
from drill.aws import Aws
from infra.lab.addresses import Addresses, claim_block, free_port
from infra.lab.control_plane.server import ControlPlane
from infra.lab.dns import Dns
from infra.lab.edge import Edge
from infra.lab.health_checks import HealthChecks
from infra.lab.ready import REGIONS, TRUTH
from infra.lab.tables import Tables
from infra.lab.truth import TruthLog
from infra.lab.world import LoadBalancer
from tests.truth import canary
from tests.truth.draw import Drill
from tests.truth.service import Service
from tests.truth.system import Builder, Ports

READY = "ready"
ADDRESSES = "addresses.json"
TICK_S = 0.1
# After following one change the world waits this long for the next: items are written all the time.
REST_S = 0.005


def main(folder: Path) -> None:
    """Run the cloud whose drills stand in a folder, until standard input closes."""
    sys.setswitchinterval(0.001)
    drills = [Drill.of(one) for one in json.loads((folder / "drills.json").read_text(encoding="utf-8"))]
    asyncio.run(_live(folder, drills))


@dataclass(slots=True)
class _World:
    """What follows the control plane."""

    plane: ControlPlane
    physics: tuple[Any, ...]
    balancers: tuple[LoadBalancer, ...] = ()

    def follow(self) -> None:
        """Make the world as the control plane says that it is."""
        snapshot = replace(self.plane.snapshot(), load_balancers=self.balancers)
        for one in self.physics:
            one.reconcile(snapshot)


async def _live(folder: Path, drills: list[Drill]) -> None:
    profile = drills[0].cloud.profile()
    block, holder = claim_block()
    addresses = Addresses(block, REGIONS)
    with closing(holder), closing(TruthLog(folder / TRUTH)) as truth:
        dns_port = free_port(
            [addresses.name_server, addresses.client_resolver, *map(addresses.vpc_resolver, REGIONS)],
            socket.SOCK_DGRAM,
        )
        plane = ControlPlane(
            addresses.control,
            free_port([addresses.control]),
            REGIONS,
            experiment_start_s=profile.experiment_start_s,
            clock_scale=profile.clock_scale,
        )
        _note_calls(truth)
        tables = Tables(plane, profile, truth)
        health = HealthChecks(addresses, profile, truth, lambda name: dns.lookup(name))  # noqa: PLW0108
        dns = Dns(addresses, profile, truth, health, dns_port)
        service = Service(plane.endpoint_url, REGIONS[0], truth)
        edge = Edge(addresses, profile, truth, service)
        plane.serve_with(invoker=service, health=health, writes=tables)
        ports = Ports(
            endpoint_url=plane.endpoint_url,
            http=free_port([addresses.inside(region, "10.0.10.10") for region in REGIONS]),
            resolver=f"{addresses.client_resolver}:{dns_port}",
            name_server=f"{addresses.name_server}:{dns_port}",
        )
        world = _World(plane, (tables, health, dns, edge))
        plane.start()
        try:
            for one in world.physics:
                await one.start()
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(_follow(world))
                await _build(folder, drills, world, service, ports, addresses)
                await _settle(health, folder, drills)
                await _serve(folder, canary.watch(ports, drills[0], truth))
                following.cancel()
        finally:
            for one in reversed(world.physics):
                await one.close()
            plane.close()


async def _serve(folder: Path, watching: Coroutine[Any, Any, None]) -> None:
    """Be there for drills until standard input closes."""
    # A whole collection over all that moto keeps stands everything still for half a second.
    gc.collect()
    gc.freeze()
    watch = asyncio.create_task(watching)
    (folder / READY).touch()
    await asyncio.to_thread(sys.stdin.buffer.read)
    watch.cancel()


async def _build(
    folder: Path, drills: list[Drill], world: _World, service: Service, ports: Ports, addresses: Addresses
) -> None:
    addresses_of: dict[str, Mapping[str, str]] = {}
    await asyncio.to_thread(_warm, Aws(ports.endpoint_url, 30))
    builder = await asyncio.to_thread(Builder, Aws(ports.endpoint_url, 30), addresses, ports)
    for drill in drills:
        system = await asyncio.to_thread(builder.build, drill)
        for region in REGIONS:
            service.add(region, drill.name)
        world.balancers = (*world.balancers, *system.balancers)
        target.dump(system.target, folder / f"{drill.name}.yaml")
        addresses_of[drill.name] = system.addresses
    (folder / ADDRESSES).write_text(json.dumps(addresses_of), encoding="utf-8")


def _warm(aws: Aws) -> None:
    """Have the API load what it needs for the calls of a drill: a service's model takes it half a second."""
    aws.client("sts", REGIONS[1]).get_caller_identity()
    aws.client("fis", REGIONS[0]).list_experiments()
    aws.client("fis", REGIONS[0]).list_experiment_templates()
    for region in REGIONS:
        aws.client("ec2", region).describe_network_acls()
        aws.client("ec2", region).describe_vpcs()
        aws.client("cloudwatch", region).describe_alarms()
        aws.client("scheduler", region).list_schedules()


async def _settle(health: HealthChecks, folder: Path, drills: list[Drill]) -> None:
    """Wait until every checker has looked and all names lead to the primary: a guard asks what they saw."""
    for drill in drills:
        made = target.load(folder / f"{drill.name}.yaml")
        for region in (made.primary, made.standby):
            check = region.health_check_id
            looking = drill.cloud.profile().checkers
            # Nobody tells when a checker has looked.
            while len(health.reports(check)) < looking or not health.healthy(check):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await asyncio.sleep(2 * drills[0].cloud.propagation_s)


async def _follow(world: _World) -> None:
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def notice() -> None:
        loop.call_soon_threadsafe(changed.set)

    world.plane.on_change(notice)
    while True:
        try:
            async with asyncio.timeout(TICK_S):
                await changed.wait()
        except TimeoutError:
            pass
        changed.clear()
        world.follow()
        await asyncio.sleep(REST_S)


def _note_calls(truth: TruthLog) -> None:
    """Have the truth log hear of the calls that break and mend, when the API has done what they ask."""
    updated = Route53.update_health_check

    def update(response: Route53) -> Any:
        answer = updated(response)
        truth.log("check_updated", health_check_id=response._get_param("HealthCheckId"))
        return answer

    Route53.update_health_check = update
    for name in ("create_network_acl_entry", "delete_network_acl_entry"):
        setattr(NetworkAclBackend, name, _noted(getattr(NetworkAclBackend, name), truth))


def _noted(original: Callable[..., Any], truth: TruthLog) -> Callable[..., Any]:
    def changed(backend: Any, network_acl_id: str, *args: Any, **more: Any) -> Any:
        answer = original(backend, network_acl_id, *args, **more)
        truth.log("acl_changed", acl_id=network_acl_id)
        return answer

    return changed


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # At once: a drill that was given up may still hold a request open.
    sys.stdout.flush()
    os._exit(0)
