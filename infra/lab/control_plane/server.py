"""The control plane: an AWS API on loopback, and the one way in which physics see what it holds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

from moto.core.base_backend import BackendDict

from infra.lab import stacks, world
from infra.lab.control_plane import databases, dynamodb, experiments, functions, network, route53, snapshot
from infra.lab.control_plane.http_server import Server
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.wiring import WIRING


class ControlPlane:
    """An AWS API for one account and two regions; implements :class:`infra.lab.world.ControlPlane`.

    moto keeps its state in the process, so there is one control plane in a process at a time;
    a new one begins empty.
    """

    def __init__(
        self, address: str, port: int, regions: tuple[str, str], *, experiment_start_s: float = 0.2
    ) -> None:
        """Begin with an empty account.

        Args:
            address: Loopback address to listen on.
            port: TCP port; 0 takes a free one.
            regions: The regions that :meth:`snapshot` shows, the primary first.
            experiment_start_s: How long an AWS FIS experiment shows ``initiating``.

        Raises:
            OSError: The port is taken.
            RuntimeError: moto is not the version that the lab was written for.

        """
        WIRING.clear()
        BackendDict.reset()
        self._regions = regions
        self._server = Server(address, port, WIRING.changed)
        self._url = self._server.url
        network.install()
        route53.install()
        databases.install()
        functions.install()
        dynamodb.install(lambda: WIRING.writes)
        experiments.install(experiment_start_s, WIRING.changed)
        stacks.install(self.endpoint_url, WIRING.changed)

    @property
    def endpoint_url(self) -> str:
        """Where the AWS API answers."""
        return self._url

    def start(self) -> None:
        """Answer from now on, in threads of its own."""
        self._server.start()

    def close(self) -> None:
        """Stop answering; what was held is lost."""
        self._server.close()
        WIRING.clear()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def snapshot(self) -> world.Snapshot:
        """Return everything drillable now."""
        lambdas, aliases = snapshot.lambdas(self._regions)
        checks, zones, records = snapshot.names()
        return world.Snapshot(
            account=ACCOUNT,
            **snapshot.network(self._regions),
            load_balancers=tuple(snapshot.load_balancers(self._regions)),
            clusters=tuple(snapshot.clusters(self._regions)),
            functions=tuple(lambdas),
            aliases=tuple(aliases),
            health_checks=tuple(checks),
            zones=tuple(zones),
            records=tuple(records),
            tables=dynamodb.tables(ACCOUNT, self._regions),
            pauses=experiments.pauses(),
        )

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, from any thread, after every request that may have changed something."""
        WIRING.listeners.append(changed)

    def serve_with(
        self, *, invoker: world.Invoker, health: world.HealthReader, writes: world.WriteListener
    ) -> None:
        """Connect the physics that answer for the control plane."""
        WIRING.invoker, WIRING.health, WIRING.writes = invoker, health, writes

    def set_cluster_status(self, region: str, cluster_id: str, status: str) -> None:
        """Show ``status`` for a cluster and its instances in the Describe calls."""
        databases.set_status(region, cluster_id, status)
        WIRING.changed()

    def provisioned_ready(self, region: str, function: str, version: str, ready: int) -> None:
        """Show how many provisioned processes of a version are warm."""
        functions.report_ready(region, function, version, ready)

    def publish(self, metrics: Sequence[world.Metric]) -> None:
        """Take data points of now, as PutMetricData would; cheap, and may be called often."""

    def apply_replica(
        self,
        region: str,
        table: str,
        key: Mapping[str, Mapping[str, object]],
        item: Mapping[str, Mapping[str, object]] | None,
        unless: Callable[[], bool],
    ) -> bool:
        """Write (or delete, with None) a replicated item unless that is asked not to be; tell no listener."""
        return dynamodb.apply_replica(ACCOUNT, region, table, key, item, unless=unless)
