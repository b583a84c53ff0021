"""DX05: how many more times the table's capacity may be lowered today."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import ClassVar

from drill.audit import tables
from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_AT_ONCE = 4
_A_DAY = 27


class Decreases(Check):
    """Reads how often the table and its indexes were decreased today."""

    id: ClassVar = "DX05"
    title: ClassVar = "The table's capacity can't be lowered now"
    why: ClassVar = (
        "DynamoDB takes four decreases in the first hour of a UTC day, then one an hour, 27 in all. Until "
        "the next one auto scaling can't scale in, and a throttling drill is refused."
    )
    severity: ClassVar = Severity.NOTE
    mend: ClassVar = "Wait for the next hour, or for midnight UTC; raising is always taken"
    source: ClassVar = (
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-capacity-units-provisioned-throughput",
    )
    calls: ClassVar = ("dynamodb:DescribeTable",)

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the table of each region."""
        for region in system.regions:
            yield Part(f"table {system.target.table.name} in {region.name}", partial(_look, system, region))


def _look(system: System, region: Region) -> Iterator[Found]:
    table = tables.described(system, region)
    for where, settings in (
        (f"table {table['TableName']} in {region.name}", table.get("ProvisionedThroughput", {})),
        *(
            (f"index {one['IndexName']} in {region.name}", one.get("ProvisionedThroughput", {}))
            for one in table.get("GlobalSecondaryIndexes", [])
        ),
    ):
        made, last = settings.get("NumberOfDecreasesToday", 0), settings.get("LastDecreaseDateTime")
        lately = last is not None and system.at - last < timedelta(hours=1)
        if made >= _A_DAY or (made >= _AT_ONCE and lately):
            yield Found(where, f"it was decreased {made} times today, the last time within the hour")
