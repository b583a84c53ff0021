"""The control plane: an AWS API on loopback, and the one way in which physics see what it holds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

from moto.core.base_backend import BackendDict

from infra.lab import stacks, world
from infra.lab.control_plane import (
    alarms,
    alerting,
    backups,
    buckets,
    budgets,
    cost_tags,
    database_reports,
    databases,
    dynamodb,
    experiments,
    functions,
    keys,
    load_balancers,
    managed_policies,
    network,
    permissions,
    route53,
    routers,
    scaling,
    scaling_activities,
    schedules,
    secret_rotation,
    secrets,
    service_models,
    snapshot,
    snapshot_network,
    table_replicas,
)
from infra.lab.control_plane import metrics as published
from infra.lab.control_plane.http_server import Server
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.wiring import WIRING
from infra.lab.metric_store import MetricStore
from infra.lab.schedule_targets import TargetCall
from infra.lab.watching import AlarmListener, Judgement, MetricAlarm


class ControlPlane:
    """An AWS API for one account and two regions; implements :class:`infra.lab.world.ControlPlane`.

    moto keeps its state in the process, so there is one control plane in a process at a time;
    a new one begins empty.
    """

    def __init__(
        self,
        address: str,
        port: int,
        regions: tuple[str, str],
        *,
        experiment_start_s: float = 0.2,
        clock_scale: float = 1.0,
    ) -> None:
        """Begin with an empty account.

        Args:
            address: Loopback address to listen on.
            port: TCP port; 0 takes a free one.
            regions: The regions that :meth:`snapshot` shows, the primary first.
            experiment_start_s: How long an AWS FIS experiment shows ``initiating``.
            clock_scale: The part of a schedule's interval that passes here; see the profile.

        Raises:
            OSError: The port is taken.
            RuntimeError: moto is not the version that the lab was written for.

        """
        WIRING.clear()
        BackendDict.reset()
        self._regions = regions
        self._server = Server(address, port, WIRING.changed)
        self._url = self._server.url
        service_models.install()
        buckets.install()
        managed_policies.install()
        routers.install()
        permissions.install()
        network.install()
        route53.install()
        databases.install()
        functions.install()
        load_balancers.install()
        keys.install()
        secrets.install(clock_scale)
        dynamodb.install(lambda: WIRING.writes, experiments.is_paused, WIRING.changed, clock_scale)
        scaling.install()
        scaling_activities.install()
        experiments.install(experiment_start_s, WIRING.changed)
        schedules.install()
        backups.install(self.endpoint_url, clock_scale)
        budgets.install()
        cost_tags.install(regions)
        alerting.install(self.endpoint_url, clock_scale)
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
        alerting.close()
        WIRING.end()

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
            **snapshot_network.network(self._regions),
            **snapshot_network.guards(self._regions),
            load_balancers=tuple(snapshot.load_balancers(self._regions)),
            clusters=tuple(snapshot.clusters(self._regions)),
            cluster_snapshots=snapshot.cluster_snapshots(self._regions),
            database_tasks=snapshot.database_tasks(),
            functions=tuple(lambdas),
            aliases=tuple(aliases),
            health_checks=tuple(checks),
            alarms=tuple(alarms.alarms(self._regions)),
            zones=tuple(zones),
            records=tuple(records),
            tables=dynamodb.tables(ACCOUNT, self._regions),
            pauses=experiments.pauses(),
            scaling=tuple(scaling.targets(self._regions)),
            schedules=tuple(schedules.schedules(self._regions)),
            backup_rules=tuple(backups.rules(self._regions)),
            recovery_points=tuple(backups.points(self._regions)),
            rotations=tuple(secret_rotation.due(self._regions)),
        )

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, from any thread, after every request that may have changed something."""
        WIRING.listeners.append(changed)

    def serve_with(
        self,
        *,
        invoker: world.Invoker,
        health: world.HealthReader,
        writes: world.WriteListener,
        alarms: AlarmListener | None = None,
    ) -> None:
        """Connect the physics that answer for the control plane."""
        WIRING.invoker, WIRING.health, WIRING.writes, WIRING.alarms = invoker, health, writes, alarms

    def set_cluster_status(self, region: str, cluster_id: str, status: str) -> None:
        """Show ``status`` for a cluster and its instances in the Describe calls."""
        database_reports.set_status(region, cluster_id, status)
        WIRING.changed()

    def follow_databases(self) -> None:
        """Have clusters wait for reports from now on: what is asked of one takes its time."""
        database_reports.follow()

    def report_database(self, report: world.DatabaseReport) -> None:
        """Take note of what a cluster's database is now."""
        database_reports.heard(report)
        WIRING.changed()

    def report_snapshot(self, report: world.SnapshotReport) -> None:
        """Take note of how far a cluster's snapshot is."""
        database_reports.heard_of_snapshot(report)
        WIRING.changed()

    def report_task(self, task_id: str, state: str, problem: str = "") -> int:
        """Take note of a task of the databases: ``promoted``, or ``done`` with what went wrong, if that."""
        shown_ns = database_reports.heard_of_task(task_id, state, problem)
        WIRING.changed()
        return shown_ns

    def rotate_due(self, region: str, arn: str) -> None:
        """Rotate a secret that is due, to the end; one that is not is left alone."""
        secret_rotation.rotate_due(region, arn)

    def provisioned_ready(self, region: str, function: str, version: str, ready: int) -> None:
        """Show how many provisioned processes of a version are warm."""
        functions.report_ready(region, function, version, ready)

    def role_permits(self, role_arn: str, call: TargetCall, region: str) -> bool:
        """Say whether a role's policies permit a call in a region, on the resources that it is about."""
        return permissions.role_permits(role_arn, call, region)

    def run_backup_rule(self, region: str, plan_id: str, rule_id: str) -> None:
        """Begin the backup jobs of a plan's rule that is due."""
        backups.run_rule(region, plan_id, rule_id)
        WIRING.changed()

    def expire_recovery_point(self, region: str, arn: str) -> None:
        """Delete a recovery point whose lifecycle has ended, with what it holds."""
        backups.expire(region, arn)
        WIRING.changed()

    def publish(self, metrics: Sequence[world.Metric]) -> None:
        """Take data points of now, as PutMetricData would; cheap, and may be called often."""
        published.publish(metrics)

    @property
    def metrics(self) -> MetricStore:
        """All data points that were published."""
        return WIRING.metrics

    def report_alarm(self, alarm: MetricAlarm, judgement: Judgement) -> None:
        """Take the state that an alarm's data come to; a new one sets off the alarm's actions."""
        alarms.report(alarm, judgement)

    def table_use(self) -> tuple[world.TableUse, ...]:
        """Return what was used of each table and each of its indexes so far."""
        return dynamodb.use(self._regions)

    def scale(self, target: world.ScalingTarget, units: int, cause: str) -> bool:
        """Ask for another capacity as Application Auto Scaling does; return whether it was accepted."""
        return scaling_activities.scale(target, units, cause)

    def apply_replica(
        self,
        region: str,
        table: str,
        key: Mapping[str, Mapping[str, object]],
        item: Mapping[str, Mapping[str, object]] | None,
        unless: Callable[[], bool],
    ) -> bool:
        """Write (or delete, with None) a replicated item unless that is asked not to be; tell no listener."""
        return table_replicas.apply_replica(ACCOUNT, region, table, key, item, unless=unless)
