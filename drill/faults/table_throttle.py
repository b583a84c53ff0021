"""Lowers what a DynamoDB table and its indexes may write, so that a load above it is throttled.

Provisioned capacity is decreased; of an on-demand table the maximum throughput is set. Write
capacity of a global table is one setting of all its replicas: every region is throttled.
Unused capacity of up to 300 seconds may be used up first, and replication takes some of what is left.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-CoreConcepts.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults.contract import OPTED_IN, ApiCall, Call, DeadMan, Fault, Intent, Resource
from drill.faults.reads import all_agree, shown
from drill.faults.table_description import NO_MAXIMUM, TableDescription, described
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

_IN_USE, _INVALID = "ResourceInUseException", "ValidationException"
# An undo waits for an update that is under way, its own included, for so many times as long as one may take.
_UPDATES = 3


@dataclass(frozen=True, slots=True)
class TableThrottle(Fault):
    """Sets the write capacity of a table and of its global secondary indexes.

    Attributes:
        region: Where it is called.
        table_arn: The table in that region.
        write_units: Write units a second that are left to each of them, at least 1.
        wait_s: How long an update may take to be in force.
        poll_s: How often it is looked at meanwhile.
        replica_arns: The same table in other regions, which shares the capacity.

    """

    region: str
    table_arn: str
    write_units: int
    wait_s: float = 120.0
    poll_s: float = 0.5
    replica_arns: tuple[str, ...] = ()

    kind = "table-throttle"
    plain_undo = True

    @property
    def calls(self) -> tuple[Call, ...]:
        """Read and update of this one table."""
        on = (self.table_arn,)
        return (
            Call("capture", "dynamodb", "DescribeTable", on),
            Call("inject", "dynamodb", "DescribeTable", on),
            Call("inject", "dynamodb", "UpdateTable", on, OPTED_IN),
            Call("undo", "dynamodb", "DescribeTable", on),
            Call("undo", "dynamodb", "UpdateTable", on, OPTED_IN),
            Call("undone", "dynamodb", "DescribeTable", on),
        )

    @property
    def undo_within_s(self) -> float:
        """How long putting back may take: AWS takes no update while another is under way."""
        return _UPDATES * self.wait_s

    @property
    def dead_man_note(self) -> str:
        """Say what the call does."""
        return f"write capacity of table {self._name} and its indexes is set as it was, by one call"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return the one update that puts everything back; an increase is never refused by a quota."""
        request = self._request(_modes(before), _parts(before))
        return DeadMan((ApiCall("dynamodb", self.region, "UpdateTable", request),), self.dead_man_note)

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"write capacity of table {self._name} and its indexes is lowered to {self.write_units} a second "
            f"each, from {self.region}; all replicas of a global table share it"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the table in every region: what one writes, all write."""
        every = (self.table_arn, *self.replica_arns)
        return tuple(Resource("table", "dynamodb", arn.split(":")[3], arn) for arn in every)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return the capacity of every part that is going to be lowered.

        Raises:
            DrillError: There is no such table, it is being changed, or it has no more than that.

        """
        now = described(aws, self.region, self._name)
        if now is None:
            msg = f"there is no table {self._name} in {self.region}; see: drill target check"
            raise DrillError(msg)
        if not now.active:
            msg = f"table {self._name} is being changed; wait for that: {self._see}"
            raise DrillError(msg)
        lowered = now.above(self.write_units)
        if not lowered:
            msg = (
                f"table {self._name} has {now.parts[''].writes} write units a second, which is not more than "
                f"{self.write_units}; choose a smaller --capacity"
            )
            raise DrillError(msg)
        parts: dict[str, Json] = {
            name: {"reads": part.reads, "writes": part.writes} for name, part in lowered.items()
        }
        return {"on_demand": now.on_demand, "parts": parts}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Lower them in one call, and return when that is in force.

        Raises:
            DrillError: It was accepted and not in force in time, or the table is no more as captured.

        """
        now = described(aws, self.region, self._name)
        if now is None or now.on_demand != _modes(before) or not _parts(before).keys() <= now.parts.keys():
            msg = f"table {self._name} was changed by somebody else since this drill read it: {self._see}"
            raise DrillError(msg)
        wanted = {name: (now.parts[name].reads, self.write_units) for name in _parts(before)}
        try:
            self._update(aws, self._request(now.on_demand, wanted))
        except ClientError as problem:
            # Its first answer may have been lost, and it was sent again: the update is this very one.
            if not _is_error(problem, _IN_USE, _INVALID) or not self._lowered(aws, before):
                raise
            return
        if not self._lowered(aws, before):
            msg = f"AWS accepted it, and it was not in force after {self.wait_s:g} s: {self._see}"
            raise DrillError(msg)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Raise what is still lowered; what others have raised beyond, or lowered further, stays theirs.

        While the table is being changed AWS takes nothing, and nothing is done: :meth:`undone` says
        no then, and it is tried again.
        """
        now = described(aws, self.region, self._name)
        if now is None:
            return (f"table {self._name} was deleted by somebody else; see: {self._see}",)
        drift = self._drift(now, before)
        lowered = self._left(now, before)
        if not now.active or not lowered:
            return drift
        wanted = {name: (now.parts[name].reads, writes) for name, (_, writes) in lowered.items()}
        try:
            self._update(aws, self._request(now.on_demand, wanted))
        except ClientError as problem:
            if not _is_error(problem, _IN_USE):
                raise
        return drift

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether no part is lowered any more, and no update is under way."""
        return all_agree(lambda: self._is_back(aws, before))

    @property
    def _name(self) -> str:
        return self.table_arn.rpartition("/")[2]

    @property
    def _see(self) -> str:
        return f"aws dynamodb describe-table --region {self.region} --table-name {self._name}"

    def _is_back(self, aws: "Aws", before: Mapping[str, Json]) -> bool:
        now = described(aws, self.region, self._name)
        return now is None or (now.active and not self._left(now, before))

    def _lowered(self, aws: "Aws", before: Mapping[str, Json]) -> bool:
        """Wait until every part is lowered and the table takes updates again."""

        def is_lowered() -> bool:
            now = described(aws, self.region, self._name)
            return (
                now is not None
                and now.active
                and all(now.parts[name].writes == self.write_units for name in _parts(before))
            )

        return shown(is_lowered, self.wait_s, self.poll_s)

    def _left(self, now: TableDescription, before: Mapping[str, Json]) -> dict[str, tuple[int, int]]:
        """Return the parts that still have less than before, with what they had.

        Between what was set and what was there, whoever raised it began from what this fault had set.
        """
        if now.on_demand != _modes(before):
            return {}
        return {
            name: had
            for name, had in _parts(before).items()
            if name in now.parts and self._is_between(now.parts[name].writes, had[1])
        }

    def _is_between(self, writes: int, had: int) -> bool:
        if had == NO_MAXIMUM:
            return writes == self.write_units
        return self.write_units <= writes < had

    def _drift(self, now: TableDescription, before: Mapping[str, Json]) -> tuple[str, ...]:
        if now.on_demand != _modes(before):
            return (f"table {self._name} has another capacity mode; see: {self._see}",)
        found = []
        for name, (_, had) in _parts(before).items():
            what = f"index {name} of table {self._name}" if name else f"table {self._name}"
            part = now.parts.get(name)
            if part is None:
                found.append(f"{what} was deleted by somebody else; see: {self._see}")
            elif part.writes != had and not self._is_between(part.writes, had):
                found.append(f"{what} has {part.writes} write units, not {had}; see: {self._see}")
        return tuple(found)

    def _update(self, aws: "Aws", request: Mapping[str, Any]) -> None:
        aws.client("dynamodb", self.region).update_table(**request)

    def _request(self, on_demand: bool, wanted: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
        """Return the update that gives each part these reads and writes."""

        def throughput(units: tuple[int, int]) -> dict[str, Any]:
            reads, writes = units
            if on_demand:
                return {"OnDemandThroughput": {"MaxWriteRequestUnits": writes}}
            return {"ProvisionedThroughput": {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}}

        request: dict[str, Any] = {"TableName": self._name}
        if "" in wanted:
            request |= throughput(wanted[""])
        indexes = [
            {"Update": {"IndexName": name, **throughput(units)}} for name, units in wanted.items() if name
        ]
        return {**request, "GlobalSecondaryIndexUpdates": indexes} if indexes else request


def _modes(before: Mapping[str, Json]) -> bool:
    return before["on_demand"] is True


def _parts(before: Mapping[str, Json]) -> dict[str, tuple[int, int]]:
    """Return reads and writes of each captured part."""
    parts: Any = before["parts"]
    return {name: (int(one["reads"]), int(one["writes"])) for name, one in parts.items()}


def _is_error(problem: ClientError, *codes: str) -> bool:
    return problem.response["Error"]["Code"] in codes
