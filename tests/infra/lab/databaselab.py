"""Databases over a control plane that only notes what they report."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pg8000.native

from infra.lab import databases, truth, world
from infra.lab.profile import FAST
from tests.infra.lab.processes import until

WRONG_PASSWORD = "28P01"
NO_SUCH_TABLE = "42P01"

CLUSTER = world.Cluster(
    id="orders",
    region="us-east-1",
    status="creating",
    endpoint="orders.cluster-abc.us-east-1.rds.amazonaws.com",
    reader_endpoint="orders.cluster-ro-abc.us-east-1.rds.amazonaws.com",
    port=5432,
    database="shop",
    username="keeper",
    password="first",
    subnet_ids=("subnet-1",),
    vpc_id="vpc-1",
    instances=("orders-1",),
    resource="cluster-ONE",
)


class Control:
    """Notes what the databases report."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.reports: list[world.DatabaseReport] = []
        self.followed = False

    @property
    def states(self) -> list[str]:
        """The states that were reported."""
        return [report.state for report in self.reports]

    def follow_databases(self) -> None:
        """Note that reports will come."""
        self.followed = True

    def report_database(self, report: world.DatabaseReport) -> None:
        """Note one."""
        self.reports.append(report)

    def report_snapshot(self, report: world.SnapshotReport) -> None:
        """Drop one."""

    def publish(self, metrics: Sequence[world.Metric]) -> None:
        """Drop what is published."""


class Lab:
    """Databases over a control plane that only notes."""

    def __init__(self, state_dir: Path) -> None:
        """Make them in ``state_dir``."""
        self.control = Control()
        self.cluster = CLUSTER
        self.truth_path = state_dir / "truth.jsonl"
        self.truth = truth.TruthLog(self.truth_path)
        self.databases = databases.Databases(
            self.control,  # type: ignore[arg-type]  # the reports are all that these databases need
            FAST,
            self.truth,
            state_dir,
        )

    async def up(self, cluster: world.Cluster) -> Path:
        """Return the socket of a cluster as soon as it is there."""
        await until(lambda: self.databases.socket_path(cluster.region, cluster.id) is not None)
        path = self.databases.socket_path(cluster.region, cluster.id)
        assert path is not None
        return path

    async def change_password(self, password: str) -> None:
        """Give the cluster another master password and wait until it is in force."""
        self.cluster = dataclasses.replace(self.cluster, password=password)
        self.databases.reconcile(world.Snapshot(clusters=(self.cluster,)))
        socket = await self.up(self.cluster)
        await until(lambda: refusal(socket, "SELECT 1", password=password) == "")

    def events(self) -> list[str]:
        """Return the kinds of what the truth log holds."""
        return [str(event["kind"]) for event in truth.read(self.truth_path)]


def query(socket: Path, statement: str, **changed: Any) -> Any:
    """Run one statement as the cluster's master user."""
    options = {"user": "keeper", "password": "first", "database": "shop", "timeout": 10, **changed}
    connection = pg8000.native.Connection(unix_sock=str(socket), ssl_context=False, **options)
    try:
        return connection.run(statement)
    finally:
        connection.close()


def refusal(socket: Path, statement: str, **changed: Any) -> str:
    """Return the code of the error that a statement meets; empty if it meets none."""
    try:
        query(socket, statement, **changed)
    except pg8000.native.Error as problem:
        # Where the server hangs up first, pg8000 hides what it said behind "network error".
        said: BaseException | None = problem
        while said is not None and not isinstance(said, pg8000.native.DatabaseError):
            said = said.__cause__ or said.__context__
        return str(said.args[0]["C"]) if said is not None else "?"
    return ""


def server_pid(socket: Path) -> int:
    """Return the process id of the server behind a socket."""
    return int((socket.parent / "data" / "postmaster.pid").read_text().splitlines()[0])


@contextlib.asynccontextmanager
async def running(state_dir: Path) -> AsyncIterator[Lab]:
    """Give databases that are started, and close them."""
    lab = Lab(state_dir)
    try:
        await lab.databases.start()
        yield lab
    finally:
        await lab.databases.close()
        lab.truth.close()
