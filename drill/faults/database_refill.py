"""Has the application bring a relational database up to its table: as a step, or on the way back.

What a restored database lacks is in the table, and so is what the usual one lacks once it is back. The
application writes it there page by page, which may be repeated without harm.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from drill import clock
from drill.errors import DrillError
from drill.faults.contract import Call, Fault, Intent, Resource
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class DatabaseRefill(Fault):
    """Invokes the function's refill until the whole table was gone through.

    Attributes:
        region: Where the function is.
        function_arn: The function, without a version.
        alias: The alias that clients are led to.
        when: ``now``: as a step of a recovery; ``on-return``: when the step is undone, so that the usual
            database gets what another one took meanwhile.
        path: The function's path for it.
        finish_s: How long all of it may take when the step is undone: the database may be on its way back.
        poll_s: How long a page that failed is waited with, then.

    """

    region: str
    function_arn: str
    alias: str
    when: Literal["now", "on-return"]
    path: str = "/orders/refill"
    finish_s: float = 900.0
    poll_s: float = 0.5

    kind = "database-refill"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Invocations of the function's alias."""
        made: Literal["inject", "undo"] = "inject" if self.when == "now" else "undo"
        return (Call(made, "lambda", "Invoke", (f"{self.function_arn}:{self.alias}",)),)

    @property
    def undo_within_s(self) -> float:
        """What going through the whole table may take."""
        return self.finish_s if self.when == "on-return" else 0.0

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return "none is needed: nothing is broken; drill recover has the database brought up to the table"

    def describe(self) -> str:
        """Say what is written."""
        name = self.function_arn.rpartition(":")[2]
        if self.when == "now":
            return f"function {name} in {self.region} writes what the database lacks, from its table"
        return (
            f"nothing now; in the end function {name} in {self.region} writes to the usual database what "
            "another one took meanwhile"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return nothing: what is written is what clients have ordered."""
        return ()

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return nothing: there is nothing to put back."""
        return {}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Write what is missing, if it is a step.

        Raises:
            DrillError: A page could not be written.

        """
        if self.when == "now":
            self._refill(aws, clock.monotonic_ns())

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Write what is missing, if that is for the way back; all that was written before may be repeated.

        Raises:
            DrillError: A page could not be written.

        """
        if self.when == "on-return":
            self._refill(aws, clock.monotonic_ns() + round(self.finish_s * 1e9))
        return ()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say so: :meth:`undo` ends only when the whole table was gone through."""
        return True

    def _refill(self, aws: "Aws", until_ns: int) -> None:
        """Go through the whole table; a page that fails is tried again until an instant."""
        client = aws.client("lambda", self.region)
        following = ""
        while True:
            event = {"httpMethod": "POST", "path": self.path, "queryStringParameters": {"after": following}}
            answer = client.invoke(
                FunctionName=self.function_arn, Qualifier=self.alias, Payload=json.dumps(event).encode()
            )
            page = _page(answer["Payload"].read())
            if page is None and clock.monotonic_ns() < until_ns:
                clock.sleep(self.poll_s)
                continue
            if page is None:
                msg = (
                    f"function {self.function_arn.rpartition(':')[2]} in {self.region} could not write what "
                    "its database lacks; go on with: drill target refill"
                )
                raise DrillError(msg)
            if page["next"] is None:
                return
            following = str(page["next"])


def _page(payload: bytes) -> Mapping[str, Json] | None:
    """Return a page of a refill; None if the answer is none."""
    try:
        answer = json.loads(payload)
        body = json.loads(answer["body"])
    except (ValueError, KeyError, TypeError):
        return None
    whole = isinstance(body, dict) and answer.get("statusCode") == 200 and "next" in body
    return body if whole else None
