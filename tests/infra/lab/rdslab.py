"""A control plane whose databases really run, driven as a user drives AWS."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from drill.aws import Aws
from infra.lab import truth, world
from infra.lab.control_plane import ControlPlane
from infra.lab.databases import Databases
from infra.lab.profile import FAST
from tests.infra.lab import databaselab
from tests.infra.lab.planelab import EAST, WEST

DEADLINE_S = 60.0
PASSWORD = "first-one"


class RdsLab:
    """A control plane, its clients, and the databases that follow it in a thread of their own."""

    def __init__(self, state_dir: Path) -> None:
        """Make them; nothing runs before :meth:`running`."""
        self.plane = ControlPlane("127.0.0.1", 0, (EAST, WEST))
        self.aws = Aws(self.plane.endpoint_url, timeout_s=30, attempts=1)
        self.truth_path = state_dir / "truth.jsonl"
        self.metrics: list[world.Metric] = []
        self._state_dir = state_dir
        self._known = 0
        self._databases: Databases | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator["RdsLab"]:
        """Answer, and run databases, until the end of the context."""
        thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="databases")
        self.plane.publish = self._keep  # type: ignore[method-assign]  # instead of CloudWatch's
        with self.plane:
            thread.start()
            self._ready.wait(DEADLINE_S)
            try:
                if self._failure is not None:
                    raise self._failure
                yield self
            finally:
                if self._loop is not None and self._ended is not None:
                    self._loop.call_soon_threadsafe(self._ended.set)
                thread.join(DEADLINE_S)
                assert not thread.is_alive()

    async def _live(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        log = truth.TruthLog(self.truth_path)
        self._databases = Databases(self.plane, FAST, log, self._state_dir)
        changed = asyncio.Event()
        loop = self._loop

        def notice() -> None:
            loop.call_soon_threadsafe(changed.set)

        self.plane.on_change(notice)
        try:
            await self._databases.start()
            self._ready.set()
            while not self._ended.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), 0.05)
                changed.clear()
                self._databases.reconcile(self.plane.snapshot())
        except BaseException as problem:
            self._failure = problem
            raise
        finally:
            await self._databases.close()
            log.close()
            self._ready.set()

    def alone(self) -> Iterator["RdsLab"]:
        """Give the lab to one test, and leave nothing of it to the next one."""
        self.metrics.clear()
        self._known = len(truth.read(self.truth_path))
        yield self
        self._wipe()

    def _wipe(self) -> None:
        for group in self.rds().describe_global_clusters()["GlobalClusters"]:
            self._dissolve(group)
        for region in (EAST, WEST):
            rds = self.rds(region)
            for snapshot in rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]:
                self.taken(snapshot["DBClusterSnapshotIdentifier"], region)
                rds.delete_db_cluster_snapshot(
                    DBClusterSnapshotIdentifier=snapshot["DBClusterSnapshotIdentifier"]
                )
            for instance in rds.describe_db_instances()["DBInstances"]:
                rds.delete_db_instance(
                    DBInstanceIdentifier=instance["DBInstanceIdentifier"], SkipFinalSnapshot=True
                )
            for cluster in rds.describe_db_clusters()["DBClusters"]:
                rds.delete_db_cluster(
                    DBClusterIdentifier=cluster["DBClusterIdentifier"], SkipFinalSnapshot=True
                )
        until(lambda: not self.plane.snapshot().clusters)

    def _dissolve(self, group: dict[str, Any]) -> None:
        named = {"GlobalClusterIdentifier": group["GlobalClusterIdentifier"]}
        for member in sorted(group["GlobalClusterMembers"], key=lambda one: bool(one["IsWriter"])):
            arn = member["DBClusterArn"]
            self.settled(arn.split(":")[6], arn.split(":")[3])
            self.rds().remove_from_global_cluster(**named, DbClusterIdentifier=arn)
            self.settled(arn.split(":")[6], arn.split(":")[3])
        self.rds().delete_global_cluster(**named)

    def _keep(self, metrics: Sequence[world.Metric]) -> None:
        self.metrics += metrics

    def rds(self, region: str = EAST) -> Any:
        """Return a boto3 client of RDS."""
        return self.aws.client("rds", region)

    def cluster(self, name: str = "orders", region: str = EAST) -> dict[str, Any]:
        """Return a cluster as the Describe call shows it."""
        (found,) = self.rds(region).describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
        return dict(found)

    def snapshot(self, name: str, region: str = EAST) -> dict[str, Any]:
        """Return a cluster's snapshot as the Describe call shows it."""
        answer = self.rds(region).describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
        (found,) = answer["DBClusterSnapshots"]
        return dict(found)

    def make(self, name: str = "orders", region: str = EAST, **options: Any) -> dict[str, Any]:
        """Make a cluster with one instance, and wait for both."""
        wanted = {
            "Engine": "aurora-postgresql",
            "EngineVersion": "16.6",
            "MasterUsername": "keeper",
            "MasterUserPassword": PASSWORD,
            "DatabaseName": "shop",
            **options,
        }
        given = {key: value for key, value in wanted.items() if value is not None}
        self.rds(region).create_db_cluster(DBClusterIdentifier=name, **given)
        self.settled(name, region)
        return self.add_instance(name, region)

    def add_instance(self, name: str = "orders", region: str = EAST, instance: str = "") -> dict[str, Any]:
        """Add an instance to a cluster and wait for it; returns the cluster."""
        instance = instance or f"{name}-1"
        self.rds(region).create_db_instance(
            DBInstanceIdentifier=instance,
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )
        until(lambda: self.instance(instance, region)["DBInstanceStatus"] == "available")
        return self.cluster(name, region)

    def instance(self, name: str, region: str = EAST) -> dict[str, Any]:
        """Return an instance as the Describe call shows it."""
        (found,) = self.rds(region).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        return dict(found)

    def settled(self, name: str = "orders", region: str = EAST) -> dict[str, Any]:
        """Wait until a cluster is available, and return it."""
        until(lambda: self.cluster(name, region)["Status"] == "available")
        return self.cluster(name, region)

    def taken(self, name: str, region: str = EAST) -> dict[str, Any]:
        """Wait until a snapshot is available, and return it."""
        until(lambda: self.snapshot(name, region)["Status"] == "available")
        return self.snapshot(name, region)

    def ask(self, statement: str, name: str = "orders", region: str = EAST, **options: Any) -> Any:
        """Run one statement as a cluster's master user, in its database."""
        given = {"password": PASSWORD, **options}
        return databaselab.query(self.socket(name, region), statement, **given)

    def refusal(self, statement: str, name: str = "orders", region: str = EAST, **options: Any) -> str:
        """Return the code of the error that a statement meets; empty if it meets none."""
        given = {"password": PASSWORD, **options}
        return databaselab.refusal(self.socket(name, region), statement, **given)

    def socket(self, name: str = "orders", region: str = EAST) -> Path:
        """Return where a cluster's server accepts connections, as soon as it does."""
        assert self._databases is not None
        databases = self._databases
        until(lambda: databases.socket_path(region, name) is not None)
        path = databases.socket_path(region, name)
        assert path is not None
        return path

    def serves(self, name: str = "orders", region: str = EAST) -> bool:
        """Say whether a cluster's server accepts connections now."""
        assert self._databases is not None
        return self._databases.socket_path(region, name) is not None

    def events(self, kind: str) -> list[dict[str, object]]:
        """Return what the truth log holds of a kind since the test began."""
        return [event for event in truth.read(self.truth_path)[self._known :] if event["kind"] == kind]


def until(holds: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Wait until ``holds``."""
    give_up_at = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > give_up_at:
            pytest.fail("it never came to hold")
        time.sleep(0.02)
