"""Kind ``table``: reads, or writes, one item of a DynamoDB table directly, SDK retries off.

Good is an answer, whether the item is there or not; a write is good when it was done.

Options:
    table: The table's name.
    region: Where it is asked.
    key: The item's key in DynamoDB JSON (default: an order that nobody places; of a write, one of
        this run's own).
    write: Put the item, with its key alone, instead of reading it.

Detail: ``error`` (AWS's code, timeout, unreachable) and ``status``, as far as there are values.
"""

from typing import Any, ClassVar

from drill.faults.contract import Call
from drill.model import Goodness, ProbeSpec
from drill.probes import options
from drill.probes.calls import call, clients
from drill.probes.contract import Context, Probe, Seen, told

ABSENT_ORDER = {"customer": {"S": "drill-probe"}, "token": {"S": "0"}}


def on_table(action: str, region: str, table: str) -> Call:
    """Return a call on a table in a region."""
    arn = f"arn:{{partition}}:dynamodb:{region}:{{account}}:table/{table}"
    return Call("capture", "dynamodb", action, (arn,))


class TableProbe(Probe):
    """Calls GetItem, or PutItem, on each attempt."""

    kind: ClassVar[str] = "table"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._table = options.text(spec, "table")
        self._region = options.text(spec, "region")
        self._write = options.flag(spec, "write")
        own = {**ABSENT_ORDER, "customer": {"S": f"drill-probe#{context.run_id}"}}
        self._key = options.mapping(spec, "key") or (own if self._write else ABSENT_ORDER)
        self._client: Any = None

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:
        """Return one read, or write, of the table."""
        action = "PutItem" if options.flag(spec, "write") else "GetItem"
        return (on_table(action, options.text(spec, "region"), options.text(spec, "table")),)

    async def open(self) -> None:
        """Make the client."""
        self._client = clients(self.context.endpoint_url, self.spec.timeout_s, self.context.role).client(
            "dynamodb", self._region
        )

    async def attempt(self, number: int) -> Seen:
        """Ask once."""
        named: dict[str, Any] = {"TableName": self._table}
        if self._write:
            reply = await call(self._client.put_item, self.spec.timeout_s, **named, Item=self._key)
        else:
            asked = {**named, "Key": self._key, "ConsistentRead": True}
            reply = await call(self._client.get_item, self.spec.timeout_s, **asked)
        status = reply.document.get("ResponseMetadata", {}).get("HTTPStatusCode")
        answered_by = self._region if not reply.error or reply.refused else None
        goodness = Goodness.BAD if reply.error else Goodness.GOOD
        return Seen(goodness, answered_by, told(status=status, error=reply.error), reply.done_ns)
