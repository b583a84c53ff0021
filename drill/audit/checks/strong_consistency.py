"""DX04: alarms on a lag that a strongly consistent global table never publishes."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import alarms, tables
from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity


class StrongConsistency(Check):
    """Looks for lag alarms on a table of multi-Region strong consistency."""

    id: ClassVar = "DX04"
    title: ClassVar = "An alarm waits for a metric that never comes"
    why: ClassVar = (
        "A global table with strong consistency publishes no ReplicationLatency. The alarm on it is quiet "
        "for ever, and a dashboard with it is empty."
    )
    severity: ClassVar = Severity.NOTE
    mend: ClassVar = "Take the alarm away, and watch the table's errors instead: its recovery point is zero"
    source: ClassVar = (
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-CoreConcepts.html",
    )
    calls: ClassVar = (*alarms.CALLS, "dynamodb:DescribeTable")

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the table."""
        yield Part(f"table {system.target.table.name}", partial(_look, system))


def _look(system: System) -> Iterator[Found]:
    if not tables.strongly_consistent(system):
        return
    name = system.target.table.name
    for region, peer in system.pairs:
        of = {"TableName": name, "ReceivingRegion": peer.name}
        for alarm in alarms.all_of(system, region):
            if alarms.on(alarm, "AWS/DynamoDB", {"ReplicationLatency"}, of):
                yield Found(f"alarm {alarm['AlarmName']} in {region.name}", f"table {name} publishes no lag")
