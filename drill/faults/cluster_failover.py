"""Makes a reader of an Aurora cluster its writer, as Aurora does when a writer fails.

Connections break and the cluster's endpoint moves. Which reader takes over is Aurora's choice, by
promotion tier. Nothing is lost: the instances of a cluster share their storage.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_FailoverDBCluster.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults.cluster_description import ClusterDescription, described
from drill.faults.contract import OPTED_IN, Call, Fault, Intent, Resource
from drill.faults.reads import all_agree
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

# Another change is under way, or the instance is not ready to take over yet.
_NOT_NOW = frozenset({"InvalidDBClusterStateFault", "InvalidDBInstanceState"})
# An undo waits for a failover that is under way, then for its own.
_MOVES = 3


@dataclass(frozen=True, slots=True)
class ClusterFailover(Fault):
    """Fails one cluster over within its region.

    Attributes:
        region: Where it is.
        cluster_arn: The cluster.
        wait_s: How long a failover may take to show.

    """

    region: str
    cluster_arn: str
    wait_s: float = 120.0

    kind = "cluster-failover"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Read and failover of this one cluster."""
        on = (self.cluster_arn,)
        return (
            Call("capture", "rds", "DescribeDBClusters", on),
            Call("inject", "rds", "FailoverDBCluster", on, OPTED_IN),
            Call("inject", "rds", "DescribeDBClusters", on),
            Call("undo", "rds", "DescribeDBClusters", on),
            Call("undo", "rds", "FailoverDBCluster", on, OPTED_IN),
            Call("undone", "rds", "DescribeDBClusters", on),
        )

    @property
    def undo_within_s(self) -> float:
        """How long the way back may take: one failover after another."""
        return _MOVES * self.wait_s

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            "none: with the roles of its instances exchanged the cluster serves as before, and to exchange "
            "them again breaks connections, which is left to a person (drill recover)"
        )

    def describe(self) -> str:
        """Say what is changed."""
        return f"a reader of cluster {self._name} in {self.region} becomes its writer; connections break"

    def touches(self) -> tuple[Resource, ...]:
        """Return the cluster."""
        return (Resource("cluster", "rds", self.region, self.cluster_arn),)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return which instance is the writer.

        Raises:
            DrillError: There is no such cluster, it is being changed, or it has no reader.

        """
        now = described(aws, self.region, self._name)
        if now is None:
            msg = f"there is no cluster {self._name} in {self.region}; see: drill target check"
            raise DrillError(msg)
        if now.status != "available" or not now.writer or not now.readers:
            msg = (
                f"cluster {self._name} is {now.status}, with {now.writer or 'no'} writer and "
                f"{len(now.readers)} readers; it can't fail over: {self._see}"
            )
            raise DrillError(msg)
        return {"writer": now.writer}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Begin the failover, and return when AWS has taken it: how it goes is what is measured."""
        try:
            aws.client("rds", self.region).failover_db_cluster(DBClusterIdentifier=self._name)
        except ClientError as problem:
            # Its first answer may have been lost, and it was sent again: then it goes on already.
            if problem.response["Error"]["Code"] not in _NOT_NOW or not self._moves(aws, before):
                raise

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Make the captured writer the writer again, unless it is.

        While the cluster is being changed nothing is done: :meth:`undone` says no then, and it is
        tried again.
        """
        now = described(aws, self.region, self._name)
        if now is None:
            return (f"cluster {self._name} was deleted by somebody else; see: {self._see}",)
        if before["writer"] not in now.members:
            return (f"instance {before['writer']} of {self._name} is gone; see: {self._see}",)
        if now.status != "available" or now.writer == before["writer"]:
            return ()
        try:
            aws.client("rds", self.region).failover_db_cluster(
                DBClusterIdentifier=self._name, TargetDBInstanceIdentifier=before["writer"]
            )
        except ClientError as problem:
            if problem.response["Error"]["Code"] not in _NOT_NOW:
                raise
        return ()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether the captured writer is the writer and no failover is under way."""
        return all_agree(lambda: self._is_back(described(aws, self.region, self._name), before))

    @property
    def _name(self) -> str:
        return self.cluster_arn.rpartition(":")[2]

    @property
    def _see(self) -> str:
        return f"aws rds describe-db-clusters --region {self.region} --db-cluster-identifier {self._name}"

    @staticmethod
    def _is_back(now: ClusterDescription | None, before: Mapping[str, Json]) -> bool:
        if now is None or before["writer"] not in now.members:
            return True
        return now.status == "available" and now.writer == before["writer"]

    def _moves(self, aws: "Aws", before: Mapping[str, Json]) -> bool:
        now = described(aws, self.region, self._name)
        return now is not None and (now.status == "failing-over" or now.writer != before["writer"])
