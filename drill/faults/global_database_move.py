"""Has the other cluster of an Aurora global database take the writes.

A switchover waits until both hold the same and loses nothing; a failover with data loss allowed takes
what has arrived, as in an outage, and Aurora makes the former primary a copy of the new one.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults.cluster_description import GlobalDescription, global_described
from drill.faults.contract import Call, Fault, Intent, Resource
from drill.faults.reads import all_agree
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

_NOT_NOW = frozenset({"InvalidDBClusterStateFault", "InvalidGlobalClusterStateFault"})
_MOVES = 5


@dataclass(frozen=True, slots=True)
class GlobalDatabaseMove(Fault):
    """Moves the writes of a global database from one of its clusters to another.

    Attributes:
        global_cluster_id: The global database.
        writer_arn: The cluster that takes the writes.
        target_arn: The cluster that is to take them.
        allow_data_loss: Fail over with what has arrived, instead of switching over.
        wait_s: How long a move may take to show.

    """

    global_cluster_id: str
    writer_arn: str
    target_arn: str
    allow_data_loss: bool = False
    wait_s: float = 120.0

    kind = "global-database-move"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads and moves of this one global database and its two clusters."""
        whole = f"arn:{{partition}}:rds::{{account}}:global-cluster:{self.global_cluster_id}"
        on = (whole, self.writer_arn, self.target_arn)
        move = "FailoverGlobalCluster" if self.allow_data_loss else "SwitchoverGlobalCluster"
        return (
            Call("capture", "rds", "DescribeGlobalClusters", (whole,)),
            Call("inject", "rds", "DescribeGlobalClusters", (whole,)),
            Call("inject", "rds", move, on),
            Call("undo", "rds", "DescribeGlobalClusters", (whole,)),
            Call("undo", "rds", "SwitchoverGlobalCluster", on),
            Call("undone", "rds", "DescribeGlobalClusters", (whole,)),
        )

    @property
    def undo_within_s(self) -> float:
        """How long the way back may take: the former primary may first have to be copied anew."""
        return _MOVES * self.wait_s

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            "none: a switchover is refused until the move is over and both clusters are in step again, "
            "which nobody knows beforehand; drill recover switches back"
        )

    def describe(self) -> str:
        """Say what is changed."""
        how = "fails over, which may lose writes," if self.allow_data_loss else "switches over"
        return f"global database {self.global_cluster_id} {how} to {_name(self.target_arn)}"

    def touches(self) -> tuple[Resource, ...]:
        """Return both clusters; the global database has the tags of its own, and no region."""
        return tuple(
            Resource("cluster", "rds", _region(arn), arn) for arn in (self.writer_arn, self.target_arn)
        )

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return which cluster takes the writes.

        Raises:
            DrillError: It is not there, not as the target file says, or being changed.

        """
        now = self._read(aws)
        if now is None or {self.writer_arn, self.target_arn} - set(now.members):
            msg = f"global database {self.global_cluster_id} has other clusters; see: drill target check"
            raise DrillError(msg)
        if now.status != "available" or now.writer != self.writer_arn:
            msg = (
                f"global database {self.global_cluster_id} is {now.status} and is written in "
                f"{_region(now.writer) or 'no region'}; mend that first: {self._see}"
            )
            raise DrillError(msg)
        return {"writer": now.writer}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Begin the move, and return when AWS has taken it: how it goes is what is measured."""
        request: dict[str, Any] = {
            "GlobalClusterIdentifier": self.global_cluster_id,
            "TargetDbClusterIdentifier": self.target_arn,
        }
        try:
            if self.allow_data_loss:
                # Asked of the region that stays, as in an outage.
                client = aws.client("rds", _region(self.target_arn))
                client.failover_global_cluster(**request, AllowDataLoss=True)
            else:
                aws.client("rds", _region(self.writer_arn)).switchover_global_cluster(**request)
        except ClientError as problem:
            # Its first answer may have been lost, and it was sent again: then it goes on already.
            if problem.response["Error"]["Code"] not in _NOT_NOW or self._is_back(self._read(aws), before):
                raise

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Switch back to the captured cluster, unless it takes the writes already.

        While the global database is being changed nothing is done: :meth:`undone` says no then, and
        it is tried again.
        """
        now, writer = self._read(aws), str(before["writer"])
        if now is None or writer not in now.members:
            return (f"{_name(writer)} is no more in {self.global_cluster_id}; see: {self._see}",)
        if now.status != "available" or now.writer == writer or not now.writer:
            return ()
        try:
            aws.client("rds", _region(now.writer)).switchover_global_cluster(
                GlobalClusterIdentifier=self.global_cluster_id, TargetDbClusterIdentifier=writer
            )
        except ClientError as problem:
            if problem.response["Error"]["Code"] not in _NOT_NOW:
                raise
        return ()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether the captured cluster takes the writes and no move is under way."""
        return all_agree(lambda: self._is_back(self._read(aws), before))

    @property
    def _see(self) -> str:
        return f"aws rds describe-global-clusters --global-cluster-identifier {self.global_cluster_id}"

    def _read(self, aws: "Aws") -> GlobalDescription | None:
        return global_described(aws, _region(self.target_arn), self.global_cluster_id)

    @staticmethod
    def _is_back(now: GlobalDescription | None, before: Mapping[str, Json]) -> bool:
        if now is None or before["writer"] not in now.members:
            return True
        return now.status == "available" and now.writer == before["writer"]


def _region(arn: str) -> str:
    return arn.split(":")[3] if arn else ""


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
