"""The request of DynamoDB's API that a thread answers, and the error of one that finds no capacity.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing-workflow.html
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models.table import Table

from infra.lab.control_plane.table_settings import ON_DEMAND

READ, WRITE = "Read", "Write"
_PREFIX = "com.amazonaws.dynamodb.v20120810#"


class ThroughputExceeded(JsonRESTError):
    """A request that is refused because a table, or an index of it, has no capacity left."""

    def __init__(self, table: Table, index: str, kind: str, wait_s: float) -> None:
        """Name what has none left, and say how long until it has some."""
        error, message, limit, member = self._words(index)
        super().__init__(_PREFIX + error, message)
        self.index, self.kind, self.wait_s = index, kind, wait_s
        reason = {
            "reason": f"{'Index' if index else 'Table'}{kind}{limit}",
            "resource": f"{table.table_arn}/index/{index}" if index else table.table_arn,
        }
        self.description = json.dumps({"__type": self.error_type, "message": message, member: [reason]})

    def __str__(self) -> str:
        """Return the message: a cancelled transaction gives it as the reason of its item."""
        return str(self.message)

    def _words(self, index: str) -> tuple[str, str, str, str]:
        """Return the error's code and message, the exceeded limit, and where its reasons are."""
        raise NotImplementedError


# A cancelled transaction shows the names of these two classes as codes of its reasons:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
class ProvisionedThroughputExceeded(ThroughputExceeded):
    """Provisioned capacity is used up."""

    def _words(self, index: str) -> tuple[str, str, str, str]:
        what = "one or more global secondary indexes of the table" if index else "the table"
        where = "the under-provisioned global secondary indexes" if index else "your table"
        message = (
            f"The level of configured provisioned throughput for {what} was exceeded. "
            f"Consider increasing your provisioning level for {where} with the UpdateTable API."
        )
        error = "ProvisionedThroughputExceededException"
        return error, message, "ProvisionedThroughputExceeded", "ThrottlingReasons"


class ThrottlingError(ThroughputExceeded):
    """An on-demand maximum is reached."""

    def _words(self, _index: str) -> tuple[str, str, str, str]:
        message = (
            "Throughput exceeds the maximum OnDemandThroughput configured on table or index. "
            "Consider increasing the maximum with the UpdateTable API."
        )
        return "ThrottlingException", message, "MaxOnDemandThroughputExceeded", "throttlingReasons"


def exceeded(table: Table, index: str, kind: str, wait_s: float) -> ThroughputExceeded:
    """Return the error of a request that finds no capacity, by the table's capacity mode."""
    error = ThrottlingError if table.billing_mode == ON_DEMAND else ProvisionedThroughputExceeded
    return error(table, index, kind, wait_s)


@dataclass(slots=True)
class Call:
    """One request of the API while it runs.

    Attributes:
        operation: As the API names it.
        reads: Whether it reads single items.
        consistent: The tables whose reads are strongly consistent; None stands for all.
        factor: What each unit counts; 2 in a transaction.
        batch: Whether what is throttled stays unprocessed instead of failing all of it.
        item: The attributes that tell which single item it is about, and maybe more; empty if many.
        refused: What was throttled of a batch: table, key or item.
        refusal: The last refusal.
        units: What it took so far: table, index (empty: the table's own), ``Read`` or ``Write``.

    """

    operation: str
    reads: bool = False
    consistent: frozenset[str] | None = frozenset()
    factor: int = 1
    batch: bool = False
    item: Mapping[str, Any] = field(default_factory=dict)
    refused: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    refusal: ThroughputExceeded | None = None
    units: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def put_off(self, table: Table, what: Mapping[str, Any], refusal: ThroughputExceeded) -> None:
        """Leave a part of a batch unprocessed.

        Raises:
            ThroughputExceeded: It is no batch.

        """
        if not self.batch:
            raise refusal
        self.refused.append((table.name, what))
        self.refusal = refusal


class _Running(threading.local):
    call: Call | None = None


_running = _Running()


def running() -> Call | None:
    """Return the request that this thread answers, if any."""
    return _running.call


def begin(call: Call | None) -> None:
    """Note the request that this thread answers from now on; None when it is done."""
    _running.call = call
