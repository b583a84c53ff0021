"""What physics and control plane may ask of each other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from infra.lab.metric_store import MetricStore
from infra.lab.schedule_targets import TargetCall
from infra.lab.watching import AlarmListener, Judgement, MetricAlarm
from infra.lab.world.databases import DatabaseReport, SnapshotReport
from infra.lab.world.functions import Invocation
from infra.lab.world.metrics import Metric
from infra.lab.world.names import CheckerReport
from infra.lab.world.snapshot import Snapshot
from infra.lab.world.tables import ItemWrite, ScalingTarget, TableUse


class Invoker(Protocol):
    """Runs functions; called from the control plane's threads and from the edge."""

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Run one invocation to its end (blocking, thread-safe).

        ``status`` 429 means throttled, 404 no such function or qualifier.
        """


class HealthReader(Protocol):
    """Tells what the checkers see; called from the control plane's threads."""

    def reports(self, health_check_id: str) -> Sequence[CheckerReport]:
        """Return every checker's last report of an endpoint check."""


class WriteListener(Protocol):
    """Hears of writes; called from the control plane's threads, must not block."""

    def written(self, write: ItemWrite) -> None:
        """Take note of a write that a table accepted; the region's tables are still locked."""

    def throttled(self, region: str, table: str, index: str, key: Mapping[str, object]) -> None:
        """Take note of a write that was refused for want of capacity, of the table or of an index.

        ``key`` is the item's, in DynamoDB's own form; empty where the call was about several.
        """


class ControlPlane(Protocol):
    """What physics may ask of the control plane, and report to it. Thread-safe."""

    def snapshot(self) -> Snapshot:
        """Return everything drillable now."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, from any thread, after every request that may have changed something."""

    def set_cluster_status(self, region: str, cluster_id: str, status: str) -> None:
        """Show ``status`` for a cluster and its instances in the Describe calls."""

    def follow_databases(self) -> None:
        """Have clusters wait for reports from now on: what is asked of one takes its time."""

    def report_database(self, report: DatabaseReport) -> None:
        """Take note of what a cluster's database is now."""

    def report_snapshot(self, report: SnapshotReport) -> None:
        """Take note of how far a cluster's snapshot is."""

    def report_task(self, task_id: str, state: str, problem: str = "") -> int:
        """Take note of a task of the databases: ``promoted``, or ``done`` with what went wrong, if that.

        Returns:
            From when on the API shows it (monotonic, nanoseconds).

        """

    def provisioned_ready(self, region: str, function: str, version: str, ready: int) -> None:
        """Show how many provisioned processes of a version are warm."""

    def apply_replica(
        self,
        region: str,
        table: str,
        key: Mapping[str, Mapping[str, object]],
        item: Mapping[str, Mapping[str, object]] | None,
        unless: Callable[[], bool],
    ) -> bool:
        """Write (or delete, with None) a replicated item; no listener hears of it.

        ``unless`` is asked with the region's tables locked, so that no client's write comes
        between the question and the write; if it says True the table is left alone. Returns
        whether the table was written.

        Raises:
            ReplicaThrottled: The table, or an index that the item touches, has no capacity now.

        """

    def table_use(self) -> tuple[TableUse, ...]:
        """Return what was used of each table and each of its indexes so far."""

    def scale(self, target: ScalingTarget, units: int, cause: str) -> bool:
        """Ask for another capacity as Application Auto Scaling does, by UpdateTable.

        Returns whether it was accepted; that it was asked for, and why it was refused, is
        told by DescribeScalingActivities.
        """

    def role_permits(self, role_arn: str, call: TargetCall, region: str) -> bool:
        """Say whether a role's policies permit a call in a region, on what it is about."""

    def run_backup_rule(self, region: str, plan_id: str, rule_id: str) -> None:
        """Begin the backup jobs of a plan's rule that is due."""

    def expire_recovery_point(self, region: str, arn: str) -> None:
        """Delete a recovery point whose lifecycle has ended, with what it holds."""

    def publish(self, metrics: Sequence[Metric]) -> None:
        """Take data points of now, as PutMetricData would; cheap, and may be called often."""

    @property
    def metrics(self) -> MetricStore:
        """All data points that were published."""

    def report_alarm(self, alarm: MetricAlarm, judgement: Judgement) -> None:
        """Take the state that an alarm's data come to; a new one sets off the alarm's actions."""

    def rotate_due(self, region: str, arn: str) -> None:
        """Rotate a secret that is due, to the end (blocking); one that is not is left alone."""

    def serve_with(
        self,
        *,
        invoker: Invoker,
        health: HealthReader,
        writes: WriteListener,
        alarms: AlarmListener | None = None,
    ) -> None:
        """Connect the physics that answer for the control plane."""
