"""DR07: alarms on the replication lag, in both directions."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import alarms, tables
from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region


class LagAlarms(Check):
    """Looks for an alarm that tells somebody, for each pair of replicas."""

    id: ClassVar = "DR07"
    title: ClassVar = "Nobody is told when replication falls behind"
    why: ClassVar = (
        "Orders that have not arrived in the other region are lost with this one. A replica that fell behind "
        "looks like any other until the failover."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "An alarm on ReplicationLatency in each region, for the other as ReceivingRegion "
        "(observability.yaml: Lag; DatabaseLag for a global database): drill infra deploy"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
    )
    calls: ClassVar = (*alarms.CALLS, "dynamodb:DescribeTable")
    seed: ClassVar = (7,)
    explains: ClassVar = ("reported_lag",)

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each direction."""
        for region, peer in system.pairs:
            yield Part(f"alarms in {region.name}", partial(_table, system, region, peer))
            if system.target.database.replication == "global" and system.role(region) == "standby":
                yield Part(f"alarms of the database in {region.name}", partial(_database, system, region))


def _table(system: System, region: Region, peer: Region) -> Iterator[Found]:
    if tables.strongly_consistent(system):
        return  # it has no lag, and publishes none
    name = system.target.table.name
    wrong = alarms.watched(
        system,
        region,
        "AWS/DynamoDB",
        {"ReplicationLatency"},
        {"TableName": name, "ReceivingRegion": peer.name},
    )
    if wrong:
        yield Found(f"ReplicationLatency of {name}, {region.name} to {peer.name}", wrong)


def _database(system: System, region: Region) -> Iterator[Found]:
    if region.cluster_id is None:
        return
    wrong = alarms.watched(
        system,
        region,
        "AWS/RDS",
        {"AuroraGlobalDBReplicationLag"},
        {"DBClusterIdentifier": region.cluster_id},
    )
    if wrong:
        yield Found(f"AuroraGlobalDBReplicationLag of {region.cluster_id} in {region.name}", wrong)
