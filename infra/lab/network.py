"""The paths from each VPC to the databases and to AWS's API: byte forwarders behind gates.

A database is a real PostgreSQL on a unix socket; AWS's API is the control plane. Functions
reach either only through the listeners here, one per source VPC and service, whose packets vanish
when ACLs, security groups, routes, endpoints or the peering do not let them pass.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from infra.lab.addresses import Addresses
from infra.lab.gate import READ_BYTES, Connection, Passage
from infra.lab.gates import Gates
from infra.lab.paths import callers, to_database, to_service
from infra.lab.profile import Profile
from infra.lab.reachability import Openness
from infra.lab.truth import TruthLog
from infra.lab.world import Cluster, Snapshot

# Where a VPC sees AWS's API: beyond the subnets of any template. Services that may have an
# endpoint of their own are elsewhere each, by the name that endpoints use.
ENDPOINT = "10.0.255.250"
SERVICES = {
    "dynamodb": "10.0.255.240",
    "kms": "10.0.255.241",
    "monitoring": "10.0.255.242",
    "s3": "10.0.255.243",
    "secretsmanager": "10.0.255.244",
}
# What the SDKs call them, https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html
_VARIABLES = {
    "dynamodb": "DYNAMODB",
    "kms": "KMS",
    "monitoring": "CLOUDWATCH",
    "s3": "S3",
    "secretsmanager": "SECRETS_MANAGER",
}


class DatabaseSockets(Protocol):
    """Tells where the running databases listen."""

    def socket_path(self, region: str, cluster_id: str) -> Path | None:
        """Return the unix socket of a cluster's database, None while it does not run."""


def cluster_address(addresses: Addresses, snapshot: Snapshot, cluster: Cluster, seen_from: str) -> str | None:
    """Return where a cluster's database is for those in the VPC of a region; None without a subnet."""
    for subnet in snapshot.subnets:
        if subnet.id in cluster.subnet_ids:
            private = addresses.host(subnet.cidr, f"{cluster.region}:{cluster.id}")
            if seen_from == cluster.region:
                return addresses.inside(cluster.region, private)
            return addresses.across(seen_from, private)
    return None


class Network:
    """Carries bytes from functions to databases and to the control plane while a path is open."""

    def __init__(
        self,
        addresses: Addresses,
        profile: Profile,
        truth: TruthLog,
        databases: DatabaseSockets,
        control: tuple[str, int],
    ) -> None:
        """Say where databases and control plane are; nothing listens before start."""
        self._addresses = addresses
        self._databases = databases
        self._control = control
        self._clusters: Mapping[Passage, Cluster] = {}
        self._deciding: object = None
        self._connected: Counter[tuple[str, str] | None] = Counter()
        self._truth = truth
        self._gates = Gates(profile.acl_s, truth, self._carry)

    def endpoints_for(self, region: str, *, inside: bool) -> dict[str, str]:
        """Return where functions of a region reach AWS's API, as environment variables of the SDKs.

        Args:
            region: The region.
            inside: Whether the functions are in the region's VPC.

        """
        if not inside:
            return {"AWS_ENDPOINT_URL": "http://{}:{}".format(*self._control)}
        own = {f"AWS_ENDPOINT_URL_{_VARIABLES[name]}": self._endpoint(region, name) for name in SERVICES}
        found = {"AWS_ENDPOINT_URL": self._endpoint(region), **own}
        return {name: f"http://{at.address}:{at.port}" for name, at in found.items()}

    def connections(self, region: str, cluster_id: str) -> int:
        """Return how many clients are connected to a cluster's database now."""
        return self._connected[region, cluster_id]

    async def start(self) -> None:
        """Listen for AWS's API in both regions; databases come with the snapshots."""
        self.reconcile(Snapshot())

    def reconcile(self, snapshot: Snapshot) -> None:
        """Follow a snapshot; a changed path takes effect the profile's ``acl_s`` later."""
        deciding = _deciding(snapshot)
        if deciding == self._deciding:
            return
        self._deciding = deciding
        wanted: dict[Passage, Openness] = {}
        clusters: dict[Passage, Cluster] = {}
        for region in self._addresses.regions:
            found = callers(snapshot, region)
            for service in ("", *SERVICES):
                wanted[self._endpoint(region, service)] = to_service(snapshot, found, service)
            for cluster in snapshot.clusters:
                address = cluster_address(self._addresses, snapshot, cluster, region)
                if address is None:
                    continue
                passage = Passage("database", region, address, cluster.port)
                wanted[passage] = to_database(snapshot, found, cluster)
                clusters[passage] = cluster
        self._clusters = clusters
        self._gates.follow(wanted)

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._gates.close()

    def _endpoint(self, region: str, service: str = "") -> Passage:
        address = self._addresses.inside(region, SERVICES.get(service, ENDPOINT))
        return Passage("endpoint", region, address, self._control[1])

    async def _carry(self, passage: Passage, connection: Connection) -> None:
        cluster = self._clusters.get(passage)
        try:
            if cluster is None:
                reader, writer = await asyncio.open_connection(*self._control)
            else:
                socket_path = self._databases.socket_path(cluster.region, cluster.id)
                if socket_path is None:
                    connection.reset()
                    return
                reader, writer = await asyncio.open_unix_connection(socket_path)
        except OSError:
            # Nothing listens there now: the client is told as by a machine whose server stopped.
            connection.reset()
            return
        database = None if cluster is None else (cluster.region, cluster.id)
        if cluster is not None:
            self._truth.log(
                "database_reached", region=cluster.region, cluster=cluster.id, source=passage.region
            )
        self._connected[database] += 1
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_send(connection, writer))
                both.create_task(_answer(reader, connection))
        except* ConnectionError:
            connection.reset()
        finally:
            self._connected[database] -= 1
            writer.transport.abort()


def _deciding(snapshot: Snapshot) -> object:
    """Return what decides about paths: most changes in a lab are none of the network's."""
    return (
        snapshot.subnets,
        snapshot.route_tables,
        snapshot.peerings,
        snapshot.vpcs,
        snapshot.security_groups,
        snapshot.endpoints,
        snapshot.nat_gateways,
        snapshot.clusters,
        tuple((item.region, item.subnet_ids, item.security_group_ids) for item in snapshot.functions),
    )


async def _send(connection: Connection, writer: asyncio.StreamWriter) -> None:
    while content := await connection.read():
        writer.write(content)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _answer(reader: asyncio.StreamReader, connection: Connection) -> None:
    while content := await reader.read(READ_BYTES):
        await connection.write(content)
    await connection.write_eof()
