"""A global table on the lab's control plane, for the tests of tables and experiments."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from drill.aws import Aws
from infra.lab import profile
from infra.lab.world import ItemWrite

EAST, WEST = "us-east-1", "us-west-2"
REGIONS = (EAST, WEST)
TABLE = "orders"
ROLE = "arn:aws:iam::123456789012:role/fis"
QUICK = replace(profile.FAST, replication_median_s=0.02, replication_sigma=0.5)


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.writes: list[ItemWrite] = []

    def throttled(self, region: str, table: str, index: str, key: Mapping[str, object]) -> None:
        """Hear of a refused write, which matters to nobody here."""

    def written(self, write: ItemWrite) -> None:
        """Keep a write."""
        self.writes.append(write)


def make_table(aws: Aws, name: str = TABLE, *, replica: bool = True) -> str:
    """Make a table like the application's, with a replica in the west; return its ARN in the east."""
    client = aws.client("dynamodb", EAST)
    made = client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "customer", "KeyType": "HASH"},
            {"AttributeName": "token", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("customer", "token", "pending")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "pending",
                "KeySchema": [
                    {"AttributeName": "pending", "KeyType": "HASH"},
                    {"AttributeName": "token", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    if replica:
        client.update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    return str(made["TableDescription"]["TableArn"])


def key(token: str, customer: str = "c") -> dict[str, Any]:
    """Return an item's key."""
    return {"customer": {"S": customer}, "token": {"S": token}}


def put(aws: Aws, token: str, nonce: str = "n", region: str = EAST, **more: Any) -> None:
    """Put an item."""
    item = {**key(token), "nonce": {"S": nonce}}
    aws.client("dynamodb", region).put_item(TableName=TABLE, Item=item, **more)


def get(aws: Aws, token: str, region: str = WEST) -> dict[str, Any] | None:
    """Return an item as a region has it, without its types; None if it has none."""
    found = aws.client("dynamodb", region).get_item(TableName=TABLE, Key=key(token)).get("Item")
    return None if found is None else {name: next(iter(value.values())) for name, value in found.items()}


def template(table_arn: str, **changes: Any) -> dict[str, Any]:
    """Return an experiment template that pauses a table's replication."""
    target = {
        "resourceType": "aws:dynamodb:global-table",
        "resourceArns": [table_arn],
        "selectionMode": "ALL",
    }
    action = {
        "actionId": "aws:dynamodb:global-table-pause-replication",
        "parameters": {"duration": "PT1M"},
        "targets": {"Tables": "table"},
    }
    whole = {
        "description": "pause",
        "stopConditions": [{"source": "none"}],
        "targets": {"table": target},
        "actions": {"pause": action},
        "roleArn": ROLE,
    }
    return {**whole, **changes}


async def until(holds: Callable[[], Awaitable[bool]], limit_s: float = 30.0) -> None:
    """Wait until something holds; the limit is far above what it takes."""
    ends = time.monotonic() + limit_s
    while not await holds():
        if time.monotonic() > ends:
            msg = "it never held"
            raise AssertionError(msg)
        await asyncio.sleep(0.01)
