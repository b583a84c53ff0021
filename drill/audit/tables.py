"""The global table, as the checks of it read it."""

from drill.audit.reads import Document
from drill.audit.system import System
from drill.target import Region

ON_DEMAND = "PAY_PER_REQUEST"


def described(system: System, region: Region) -> Document:
    """Return the table as a region tells it."""
    found: Document = system.reads.one(
        "dynamodb", region.name, "describe_table", TableName=system.target.table.name
    )["Table"]
    return found


def billing(table: Document) -> str:
    """Return how a table is paid; one that never said is provisioned."""
    return str(table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))


def strongly_consistent(system: System) -> bool:
    """Say whether all regions see each write at once, and none of them publishes a lag.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-CoreConcepts.html
    """
    return described(system, system.target.primary).get("MultiRegionConsistency") == "STRONG"
