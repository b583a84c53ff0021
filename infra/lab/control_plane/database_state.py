"""What the lab knows of Aurora clusters besides moto's own objects, and what is asked of the physics.

Everything here is read and changed with :data:`WIRING.databases` held.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBCluster, DBClusterSnapshot, RDSBackend, rds_backends

from infra.lab import world
from infra.lab.control_plane.mending import ACCOUNT

Done = Callable[[str], None]


@dataclass(slots=True)
class ClusterState:
    """A cluster's state beyond moto's.

    Attributes:
        origin: Resource of the snapshot or cluster whose data it begins with.
        primary: Resource of the cluster that it follows; empty if it takes writes.
        revision: Grows with each change that the database must obey.
        applied: The last revision that is in force.

    """

    origin: str = ""
    primary: str = ""
    revision: int = 0
    applied: int = 0


@dataclass(slots=True)
class SnapshotState:
    """A snapshot's state beyond moto's; as in :class:`infra.lab.world.ClusterSnapshot`."""

    resource: str
    cluster: str = ""
    source: str = ""
    done: Done = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that the physics are to do.

    Attributes:
        task: As they see it.
        done: Called at its end, with what went wrong if anything did.
        promoted: Called when a database takes writes that did not before.

    """

    task: world.DatabaseTask
    done: Done
    promoted: Callable[[], None]


@dataclass(slots=True)
class Book:
    """Everything that is under way.

    Attributes:
        follows: Whether physics report what databases do; without them everything is done at once.
        tasks: By id.

    """

    follows: bool = False
    tasks: dict[str, Asked] = field(default_factory=dict)

    def clear(self) -> None:
        """Begin anew."""
        self.follows = False
        self.tasks.clear()


BOOK = Book()


def state_of(cluster: DBCluster) -> ClusterState:
    """Return a cluster's state."""
    found: ClusterState = cluster.__dict__.setdefault("_lab_state", ClusterState())
    return found


def snapshot_state_of(snapshot: DBClusterSnapshot) -> SnapshotState:
    """Return a snapshot's state."""
    made = SnapshotState(resource=f"snapshot-{uuid.uuid4().hex}")
    found: SnapshotState = snapshot.__dict__.setdefault("_lab_state", made)
    return found


def backends() -> Iterator[RDSBackend]:
    """Return every region's RDS."""
    yield from list(rds_backends[ACCOUNT].values())


def cluster_with(resource: str) -> DBCluster | None:
    """Return the cluster of a resource id; None if it is gone."""
    for backend in backends() if resource else ():
        for cluster in list(backend.clusters.values()):
            if cluster.db_cluster_resource_id == resource:
                return cluster
    return None


def snapshot_with(resource: str) -> DBClusterSnapshot | None:
    """Return the snapshot of a resource id; None if it is gone."""
    for backend in backends():
        for snapshot in list(backend.cluster_snapshots.values()):
            if snapshot_state_of(snapshot).resource == resource:
                return snapshot
    return None


def password(cluster: DBCluster) -> str:
    """Return the master password in force; a cluster that follows another has that one's."""
    primary = cluster_with(state_of(cluster).primary)
    return str(getattr(primary or cluster, "_master_user_password", ""))


def ask(
    kind: str,
    cluster: DBCluster,
    done: Done,
    promoted: Callable[[], None] = lambda: None,
    former: DBCluster | None = None,
) -> None:
    """Have the physics do something once; without physics it is done at once.

    Args:
        kind: As in :class:`infra.lab.world.DatabaseTask`.
        cluster: The cluster that changes.
        done: Called at its end, with what went wrong if anything did.
        promoted: Called when the cluster takes writes that did not before.
        former: The cluster that takes them until then.

    """
    if not BOOK.follows:
        promoted()
        done("")
        return
    former_resource = "" if former is None else former.db_cluster_resource_id
    task = world.DatabaseTask(uuid.uuid4().hex, kind, cluster.db_cluster_resource_id, former_resource)
    BOOK.tasks[task.id] = Asked(task, done, promoted)


def refuse(code: str, text: str) -> NoReturn:
    """Answer a request with an error, as RDS answers it.

    Raises:
        ServiceException: Always.

    """
    raise RDSClientError(code, text)


def cluster_named(backend: RDSBackend, cluster_id: str) -> DBCluster:
    """Return a cluster by id or ARN.

    Raises:
        ServiceException: There is none.

    """
    name = cluster_id.rpartition(":")[2]
    cluster = backend.clusters.get(name)
    if cluster is None or (":" in cluster_id and cluster.arn != cluster_id):
        refuse("DBClusterNotFoundFault", f"DBCluster {cluster_id} not found.")
    return cluster


def cluster_of_arn(arn: str) -> DBCluster:
    """Return a cluster of any region by its ARN.

    Raises:
        ServiceException: There is none, or the text is no ARN.

    """
    parts = arn.split(":")
    if len(parts) < 7 or parts[2] != "rds":
        refuse("InvalidParameterValue", f"Malformed db cluster arn {arn}")
    return cluster_named(rds_backends[ACCOUNT][parts[3]], arn)


def require_status(cluster: DBCluster, *wanted: str) -> None:
    """Refuse a request unless a cluster shows one of some statuses.

    Raises:
        ServiceException: It shows another one.

    """
    if cluster._status not in wanted:
        refuse(
            "InvalidDBClusterStateFault",
            f"DbCluster {cluster.db_cluster_identifier} is in {cluster._status} state"
            f" but expected it to be one of {','.join(wanted)}.",
        )
