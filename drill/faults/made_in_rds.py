"""What a run makes for itself in RDS: found again by the run's name, known by its tag, deleted in the end.

It breaks nothing: at worst it is left over, and drill recover removes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drill.faults import databases
from drill.faults.contract import Fault, Resource
from drill.faults.databases import Description
from drill.faults.made import name_of
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing.

    Attributes:
        word: What it is called, for messages.
        read: Returns the one of a name in a region; None if there is none.
        status: The key of its status.
        see: The command that shows one, up to its region and its name.
        named: That command's option for the name.
        delete: Has the one of a name deleted, by a client of RDS.
        suffix: What its name has behind the run's.

    """

    word: str
    read: Callable[["Aws", str, str], Description | None]
    status: str
    see: str
    named: str
    delete: Callable[[Any, str], object]
    suffix: str = ""

    def name(self, run_id: str) -> str:
        """Return what the one of a run is called."""
        return name_of(run_id) + self.suffix


CLUSTER = Kind(
    "cluster",
    databases.cluster,
    "Status",
    "describe-db-clusters",
    "--db-cluster-identifier",
    # Without a final snapshot, and with its automated backups; its instances are gone by then.
    lambda rds, name: rds.delete_db_cluster(
        DBClusterIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
    ),
)
INSTANCE = Kind(
    "instance",
    databases.instance,
    "DBInstanceStatus",
    "describe-db-instances",
    "--db-instance-identifier",
    # A cluster's last instance needs no final snapshot.
    lambda rds, name: rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True),
    suffix="-1",
)
SNAPSHOT = Kind(
    "snapshot",
    databases.snapshot,
    "Status",
    "describe-db-cluster-snapshots",
    "--db-cluster-snapshot-identifier",
    lambda rds, name: rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name),
)


class MadeInRds(Fault):
    """Makes one thing that is called like the run.

    Attributes:
        made: What kind of thing.
        region: Where it is made.
        delete_s: How long deleting it may take.

    """

    made: ClassVar[Kind]
    region: str
    delete_s: float

    @property
    def undo_within_s(self) -> float:
        """What deleting it may take."""
        return self.delete_s

    def touches(self) -> tuple[Resource, ...]:
        """Return nothing: what it makes is its own."""
        return ()

    def ready(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether it is available."""
        what = f"{self.made.word} {self.made.name(run_id)}"
        return databases.available(self._found(aws, run_id), self.made.status, what, self._see(run_id))

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Delete it; one of its name that does not carry the run's tag is left."""
        found, name = self._found(aws, run_id), self.made.name(run_id)
        if databases.foreign(found, run_id):
            return databases.drift(self.made.word, name, self._see(run_id))
        client = aws.client("rds", self.region)
        databases.delete(found, self.made.status, lambda: self.made.delete(client, name))
        return ()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether it is gone."""
        return databases.gone(lambda: self._found(aws, run_id), run_id)

    def _found(self, aws: "Aws", run_id: str) -> Description | None:
        return self.made.read(aws, self.region, self.made.name(run_id))

    def _see(self, run_id: str) -> str:
        return f"aws rds {self.made.see} --region {self.region} {self.made.named} {self.made.name(run_id)}"
