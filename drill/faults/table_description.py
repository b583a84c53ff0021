"""A DynamoDB table as DescribeTable shows it: how much it may write, and whether that can be changed.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from drill.aws import Aws

ACTIVE = "ACTIVE"
ON_DEMAND = "PAY_PER_REQUEST"
NO_MAXIMUM = -1
"""What AWS calls an on-demand maximum that is not set."""


@dataclass(frozen=True, slots=True)
class Part:
    """The capacity of a table, or of one of its global secondary indexes.

    Attributes:
        reads: Provisioned units a second; 0 on demand.
        writes: Provisioned units a second; on demand the most units a second, :data:`NO_MAXIMUM`
            where there is no such limit.
        decreases: How often it was decreased on this UTC day.
        decreased_at: When it was last decreased.

    """

    reads: int
    writes: int
    decreases: int = 0
    decreased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table in one region.

    Attributes:
        name: Its name.
        active: No change of it is under way.
        on_demand: It is paid by the request and has no provisioned capacity.
        parts: The table by an empty name, its indexes by theirs.
        regions: Where its replicas are, its own region too.

    """

    name: str
    active: bool
    on_demand: bool
    parts: Mapping[str, Part]
    regions: tuple[str, ...]

    def above(self, units: int) -> dict[str, Part]:
        """Return the parts that may write more than so many units a second."""
        return {
            name: part
            for name, part in self.parts.items()
            if part.writes > units or (self.on_demand and part.writes == NO_MAXIMUM)
        }


def described(aws: "Aws", region: str, name: str) -> TableDescription | None:
    """Return a table; None if it is not there."""
    try:
        shown = aws.client("dynamodb", region).describe_table(TableName=name)["Table"]
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    on_demand = shown.get("BillingModeSummary", {}).get("BillingMode") == ON_DEMAND
    indexes = {one["IndexName"]: one for one in shown.get("GlobalSecondaryIndexes", ())}
    statuses = [shown["TableStatus"], *(one["IndexStatus"] for one in indexes.values())]
    return TableDescription(
        name=name,
        active=all(status == ACTIVE for status in statuses),
        on_demand=on_demand,
        parts={key: _part(one, on_demand=on_demand) for key, one in {"": shown, **indexes}.items()},
        regions=(region, *sorted(one["RegionName"] for one in shown.get("Replicas", ()))),
    )


def _part(shown: Mapping[str, Any], *, on_demand: bool) -> Part:
    if on_demand:
        return Part(0, shown.get("OnDemandThroughput", {}).get("MaxWriteRequestUnits", NO_MAXIMUM))
    units = shown["ProvisionedThroughput"]
    return Part(
        units["ReadCapacityUnits"],
        units["WriteCapacityUnits"],
        units.get("NumberOfDecreasesToday", 0),
        units.get("LastDecreaseDateTime"),
    )
