"""The lease of a target across machines: one item of a DynamoDB table, changed under conditions.

The item (key ``target``) carries ``fence``, ``run_id``, ``holder``, ``beat`` (raised with each
renewal), ``lease_s`` and ``steps``: the undo of every step that is still to be undone, so that
another machine can put back what a lost one broke.

Nobody compares the clocks of two machines: a holder counts as dead when its beat has stood
still for ``lease_s`` on the watcher's own clock; a holder trusts its lease for ``lease_s`` from
when it *sent* its last successful renewal, on a clock that also runs while it is suspended.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill import clock
from drill.aws import Aws
from drill.errors import DrillError, LeaseLost, Refused
from drill.model import Json
from drill.target import Target

# Renewed so often within one lease; a stop is asked for when so many have failed.
_RENEWALS = 4
_FAILED = 2


@dataclass(frozen=True, slots=True)
class Item:
    """What stands in the table.

    Attributes:
        fence: The number of the last holder.
        run_id: Its drill.
        holder: Who it is; empty when it has let go.
        beat: How often it was renewed.
        lease_s: How long it may stand still.
        steps: By step, what its undo needs: ``fault args captured``.

    """

    fence: int
    run_id: str
    holder: str
    beat: int
    lease_s: float
    steps: Mapping[str, Mapping[str, Json]]


class TableLease:
    """A held item, renewed by a thread of its own."""

    def __init__(self, table: "_Table", item: Item, sent_ns: int) -> None:
        """Take over an item that was just written; use :func:`taken`."""
        self._table = table
        self._run_id = item.run_id
        self._lease_ns = round(item.lease_s * 1e9)
        self._until_ns = sent_ns + self._lease_ns
        self._taken_over = ""
        self._failed = ""
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.fence = item.fence
        self.steps = item.steps
        self._thread = threading.Thread(target=self._renew_always, name="lease", daemon=True)
        self._thread.start()

    def lost(self) -> str:
        """Return why the drill must stop; empty if all is well. Asks nobody."""
        if self._taken_over:
            return f"the lease on the target was lost: {self._taken_over}"
        left_ns = self._until_ns - clock.since_boot_ns()
        if left_ns < self._lease_ns * (1 - _FAILED / _RENEWALS):
            return (
                f"the lease on the target can't be renewed: {self._failed or 'no renewal came back in time'}"
            )
        return ""

    def check(self) -> None:
        """Return if nobody else can hold it; one that has run out is renewed first.

        Raises:
            LeaseLost: Another has taken it.
            DrillError: It has run out and can't be renewed.

        """
        if clock.since_boot_ns() >= self._until_ns:
            self._renew()
        if self._taken_over:
            raise LeaseLost(self._taken_over)
        if clock.since_boot_ns() >= self._until_ns:
            msg = f"the lease on {self._table.target} has run out and can't be renewed: {self._failed}"
            raise DrillError(msg)

    def remember(self, step: str, undo: Mapping[str, Json]) -> None:
        """Keep what the undo of a step needs where another machine finds it.

        Raises:
            DrillError: It could not be written.

        """
        self._write("SET steps.#step = :undo", {"#step": step}, {":undo": {"S": json.dumps(undo)}})

    def forget(self, step: str) -> None:
        """Take the undo of a step out again: it is done.

        Raises:
            DrillError: It could not be written.

        """
        self._write("REMOVE steps.#step", {"#step": step}, {})

    def release(self) -> None:
        """End the renewals and let go; what is still to be undone stays in the item."""
        self._ended.set()
        self._thread.join()
        if not self._taken_over:
            try:
                self._table.update(self.fence, "SET holder = :nobody", {}, {":nobody": {"S": ""}})
            except (BotoCoreError, ClientError, LeaseLost):
                return  # it runs out by itself

    def _write(self, change: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        try:
            self._table.update(self.fence, change, names, values)
        except (BotoCoreError, ClientError) as problem:
            msg = f"the lease on {self._table.target} could not be written: {problem}; try again later"
            raise DrillError(msg) from problem

    def _renew_always(self) -> None:
        while not self._ended.wait(self._lease_ns / 1e9 / _RENEWALS):
            self._renew()

    def _renew(self) -> None:
        with self._lock:
            sent_ns = clock.since_boot_ns()
            try:
                self._table.update(self.fence, "ADD beat :one", {}, {":one": {"N": "1"}})
            except LeaseLost as problem:
                self._taken_over = str(problem)
            except (BotoCoreError, ClientError) as problem:
                self._failed = str(problem)
            else:
                self._failed = ""
                self._until_ns = sent_ns + self._lease_ns


class _Table:
    """The item of one target."""

    def __init__(self, aws: Aws, target: Target) -> None:
        self._client = aws.client("dynamodb", target.standby.name)
        self._name = target.drills.lease_table
        self.target = target.name

    def read(self) -> Item | None:
        answer = self._client.get_item(TableName=self._name, Key=self._key(), ConsistentRead=True)
        return _item(answer["Item"]) if "Item" in answer else None

    def take(self, before: Item | None, run_id: str, holder: str, lease_s: float) -> Item:
        """Write this holder into the item, if it is still as it was read.

        Raises:
            LeaseLost: Another was faster.

        """
        steps = before.steps if before else {}
        item = Item(before.fence + 1 if before else 1, run_id, holder, 0, lease_s, steps)
        condition = "fence = :before" if before else "attribute_not_exists(target)"
        values = {"ExpressionAttributeValues": {":before": {"N": str(before.fence)}}} if before else {}
        with _conditional(self.target):
            self._client.put_item(
                TableName=self._name,
                Item={**self._key(), **_attributes(item)},
                ConditionExpression=condition,
                **values,
            )
        return item

    def update(self, fence: int, change: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        """Change the item if its fence is still this one.

        Raises:
            LeaseLost: It is not.

        """
        more = {"ExpressionAttributeNames": dict(names)} if names else {}
        with _conditional(self.target):
            self._client.update_item(
                TableName=self._name,
                Key=self._key(),
                UpdateExpression=change,
                ConditionExpression="fence = :fence",
                ExpressionAttributeValues={":fence": {"N": str(fence)}, **values},
                **more,
            )

    def _key(self) -> dict[str, Any]:
        return {"target": {"S": self.target}}


@contextmanager
def taken(aws: Aws, target: Target, run_id: str, holder: str, dead_fence: int | None) -> Iterator[TableLease]:
    """Hold the item of a target for as long as the block runs.

    Args:
        aws: Where the table is.
        target: Whose.
        run_id: The drill; one that goes on with a run's undo names that run.
        holder: Who takes it, for people.
        dead_fence: The fence of a holder that is known to be dead.

    Raises:
        Refused: Another drill holds it, or left something broken.
        DrillError: The table can't be reached.

    """
    table = _Table(aws, target)
    try:
        lease = _take(table, run_id, holder, dead_fence, target.timing.lease_s)
    except (BotoCoreError, ClientError) as problem:
        msg = (
            f"lease table {target.drills.lease_table} in {target.standby.name} can't be used: {problem}; "
            "check with: drill target check"
        )
        raise DrillError(msg) from problem
    try:
        yield lease
    finally:
        lease.release()


def left(aws: Aws, target: Target) -> Item | None:
    """Return what stands in the table for a target; None if nothing does."""
    return _Table(aws, target).read()


def _take(table: _Table, run_id: str, holder: str, dead_fence: int | None, lease_s: float) -> TableLease:
    before = table.read()
    if before is not None and before.holder and before.fence != dead_fence:
        _await_silence(table, before)
    if before is not None and before.steps and before.run_id != run_id:
        msg = (
            f"run {before.run_id} left {', '.join(sorted(before.steps))} broken; put it back first: "
            f"drill recover {before.run_id}, on a machine that has its folder"
        )
        raise Refused(msg)
    sent_ns = clock.since_boot_ns()
    try:
        return TableLease(table, table.take(before, run_id, holder, lease_s), sent_ns)
    except LeaseLost as problem:
        msg = f"another drill on {table.target} began at the same time; see: drill runs"
        raise Refused(msg) from problem


def _await_silence(table: _Table, seen: Item) -> None:
    """Return when a holder has been silent for a whole lease; refuse as soon as it shows life."""
    until_ns = clock.monotonic_ns() + round(seen.lease_s * 1e9)
    while clock.monotonic_ns() < until_ns:
        clock.sleep(seen.lease_s / _RENEWALS / 2)
        now = table.read()
        if now is None or (now.fence, now.beat, now.holder) != (seen.fence, seen.beat, seen.holder):
            msg = f"another drill is running on {table.target}: {seen.run_id} by {seen.holder}"
            raise Refused(msg)


@contextmanager
def _conditional(target: str) -> Iterator[None]:
    """Turn a condition that did not hold into a lost lease."""
    try:
        yield
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        msg = f"another process took {target} over"
        raise LeaseLost(msg) from problem


def _attributes(item: Item) -> dict[str, Any]:
    return {
        "fence": {"N": str(item.fence)},
        "run_id": {"S": item.run_id},
        "holder": {"S": item.holder},
        "beat": {"N": str(item.beat)},
        "lease_s": {"N": str(item.lease_s)},
        "steps": {"M": {name: {"S": json.dumps(undo)} for name, undo in item.steps.items()}},
    }


def _item(found: Mapping[str, Any]) -> Item:
    return Item(
        fence=int(found["fence"]["N"]),
        run_id=found["run_id"]["S"],
        holder=found["holder"]["S"],
        beat=int(found["beat"]["N"]),
        lease_s=float(found["lease_s"]["N"]),
        steps={name: json.loads(undo["S"]) for name, undo in found["steps"]["M"].items()},
    )
