"""Tables with provisioned capacity on a control plane of a fast clock, for the tests of capacity."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.dynamodb.models import dynamodb_backends
from moto.fis.models import fis_backends

from drill.aws import Aws
from infra.lab.control_plane import ControlPlane
from infra.lab.control_plane.mending import ACCOUNT
from tests.infra.lab.planelab import EAST, WEST, Lab

CLOCK_SCALE = 0.004
TABLE, INDEX = "orders", "pending"
CODE = "ProvisionedThroughputExceededException"


@contextmanager
def capacity_lab(clock_scale: float = CLOCK_SCALE) -> Iterator[Lab]:
    """Yield an empty control plane whose clock is fast."""
    with ControlPlane("127.0.0.1", 0, (EAST, WEST), clock_scale=clock_scale) as plane:
        yield Lab(plane, Aws(plane.endpoint_url, timeout_s=30, attempts=1))


def emptied(lab: Lab) -> Lab:
    """Empty the account of tables, of their scaling and of experiments."""
    for backends in (dynamodb_backends, applicationautoscaling_backends, fis_backends):
        for backend in list(backends[ACCOUNT].values()):
            backend.reset()
    return lab


def units(reads: int, writes: int) -> dict[str, int]:
    """Return capacity as the API takes it."""
    return {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}


def make_table(
    lab: Lab,
    capacity: tuple[int, int] = (50, 50),
    index: tuple[int, int] | None = None,
    *,
    replica: bool = False,
    on_demand: bool = False,
    **more: Any,
) -> Any:
    """Make the table, with an index if that has capacity, and a replica if asked for; return the client."""
    client = lab.client("dynamodb")
    attributes = ["customer", "token", *([INDEX] if index else [])]
    mode: dict[str, Any] = (
        {"BillingMode": "PAY_PER_REQUEST"}
        if on_demand
        else {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": units(*capacity),
        }
    )
    if index:
        more["GlobalSecondaryIndexes"] = [
            {
                "IndexName": INDEX,
                "KeySchema": [
                    {"AttributeName": INDEX, "KeyType": "HASH"},
                    {"AttributeName": "token", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
                **({} if on_demand else {"ProvisionedThroughput": units(*index)}),
            }
        ]
    client.create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "customer", "KeyType": "HASH"},
            {"AttributeName": "token", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
        **mode,
        **more,
    )
    if replica:
        if not on_demand:
            scale(lab, "WriteCapacityUnits", 1, 1000)
        client.update_table(TableName=TABLE, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    return client


def scale(
    lab: Lab, dimension: str, least: int, most: int, region: str = EAST, index: str = "", **more: Any
) -> None:
    """Register a capacity as a scalable target."""
    lab.client("application-autoscaling", region).register_scalable_target(
        **target(dimension, index), MinCapacity=least, MaxCapacity=most, **more
    )


def target(dimension: str, index: str = "") -> dict[str, str]:
    """Return what names a scalable target."""
    kind, place = ("index", f"/index/{index}") if index else ("table", "")
    return {
        "ServiceNamespace": "dynamodb",
        "ResourceId": f"table/{TABLE}{place}",
        "ScalableDimension": f"dynamodb:{kind}:{dimension}",
    }


def item(token: str, size: int = 0, *, pending: bool = False) -> dict[str, Any]:
    """Return an item of about so many bytes, which the index has if it is pending."""
    whole = {"customer": {"S": "c"}, "token": {"S": token}}
    if size:
        whole["text"] = {"S": "x" * size}
    if pending:
        whole[INDEX] = {"S": "p"}
    return whole


def key(token: str) -> dict[str, Any]:
    """Return an item's key."""
    return {"customer": {"S": "c"}, "token": {"S": token}}


def described(lab: Lab, region: str = EAST) -> dict[str, Any]:
    """Return the table as a region describes it."""
    found: dict[str, Any] = lab.client("dynamodb", region).describe_table(TableName=TABLE)["Table"]
    return found


def capacity_of(lab: Lab, region: str = EAST, index: str = "") -> tuple[int, int]:
    """Return the reads and writes that are provisioned."""
    table = described(lab, region)
    if index:
        (table,) = [one for one in table["GlobalSecondaryIndexes"] if one["IndexName"] == index]
    shown = table["ProvisionedThroughput"]
    return shown["ReadCapacityUnits"], shown["WriteCapacityUnits"]


def settled(lab: Lab, *regions: str) -> None:
    """Wait until the table is active in each region."""
    for region in regions or (EAST,):
        until(partial(_is_active, lab, region))


def _is_active(lab: Lab, region: str) -> bool:
    return bool(described(lab, region)["TableStatus"] == "ACTIVE")


def until(holds: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Wait until something holds; the limit is far above what it takes."""
    ends = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < ends, "it never held"
        time.sleep(0.005)


def refusal(act: Callable[[], object]) -> dict[str, Any]:
    """Return the answer of a call that must be refused."""
    with pytest.raises(ClientError) as refused:
        act()
    answer: dict[str, Any] = refused.value.response
    return answer


def put_until_throttled(client: Any, *, most: int = 5000, **more: Any) -> tuple[int, float]:
    """Put items of one unit until one is throttled; return how many were accepted and for how long."""
    return until_throttled(
        lambda number: client.put_item(TableName=TABLE, Item=item(str(number), **more)), most
    )


def until_throttled(act: Callable[[int], object], most: int = 5000) -> tuple[int, float]:
    """Repeat a call until it is throttled; return how often it was accepted and for how long."""
    began_s = time.monotonic()
    for number in range(most):
        try:
            act(number)
        except ClientError as problem:
            if problem.response["Error"]["Code"] != CODE:
                raise
            return number, time.monotonic() - began_s
    pytest.fail(f"{most} calls and none was throttled")


def drain(client: Any, *, pending: bool = False) -> None:
    """Leave the table, and its index, so deep in debt that nothing is admitted for some time."""
    put_until_throttled(client, size=90_000, pending=pending)
