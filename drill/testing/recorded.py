"""AWS clients that tell which calls were made, and of which one write can fail.

https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ConnectionClosedError
from botocore.model import OperationModel

from drill import permissions
from drill.aws import Aws, reads
from drill.faults.contract import Call
from drill.target import Target


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made.

    Attributes:
        service: boto3's name of the service.
        action: The call.
        region: Where it was made.
        named: Every text in its parameters.

    """

    service: str
    action: str
    region: str
    named: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.service}:{self.action} in {self.region} with {', '.join(self.named) or 'nothing'}"


class Recorded(Aws):
    """The clients of another ``Aws``, with a record of their calls.

    Attributes:
        made: The calls, in order.
        writes: How many of them change something.
        broken: Whether the write that was to fail did.

    """

    def __init__(self, aws: Aws, breaks_at: int | None = None) -> None:
        """Take the clients; nothing is called.

        Args:
            aws: Whose calls.
            breaks_at: The number, from 0, of the write that is never sent: whoever makes it is told
                that the connection broke.

        """
        self.__dict__.update(aws.fenced(lambda: None).__dict__)
        self.made: list[Made] = []
        self.writes = 0
        self.broken = False
        self._breaks_at = breaks_at
        self._heard: set[tuple[str, str]] = set()
        self._hearing = threading.Lock()

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 (boto3 clients have no static type)
        """Return a client that tells."""
        made = super().client(service, region)
        with self._hearing:
            if (service, made.meta.region_name) not in self._heard:
                self._heard.add((service, made.meta.region_name))
                made.meta.events.register("before-parameter-build", self._hear(service, made))
        return made

    def _hear(self, service: str, client: Any) -> Any:  # noqa: ANN401 (boto3 clients have no static type)
        def heard(params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
            call = Made(service, str(model.name), str(client.meta.region_name), tuple(_texts(params)))
            with self._hearing:
                self.made.append(call)
                if reads(call.action):
                    return
                self.writes += 1
                self.broken = self.broken or self.writes - 1 == self._breaks_at
            # A line that is down stays down: whatever is written after it fails too.
            if self.broken:
                raise ConnectionClosedError(endpoint_url=str(client.meta.endpoint_url))

        return heard


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def undeclared(made: Made, declared: tuple[Call, ...], target: Target) -> bool:
    """Say whether none of the declared calls covers one that was made.

    The resource is compared by region and by the id at its end, which must be among the call's
    parameters unless it is a pattern. What IAM makes of the rest shows when a drill runs in its role.
    """
    return not any(
        (one.service, one.action) == (made.service, made.action)
        and any(_covers(arn, made) for arn in permissions.resources(one, target))
        for one in declared
    )


def _covers(arn: str, made: Made) -> bool:
    if arn == "*":
        return True
    parts = arn.split(":", 5)
    if parts[3] not in {"", "*", made.region}:
        return False
    name = arn if len(parts) < 6 else parts[5].rpartition("/")[2].rpartition(":")[2]
    return any(fnmatchcase(text, f"*{name}*") for text in made.named) or "*" in name
