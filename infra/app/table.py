"""Orders in the DynamoDB table of this region.

A conditional write whose answer was lost is not sent again: it would meet the first one's item
and could not tell whose it is. One that was throttled was certainly not done, and is sent again
as AWS's SDKs do. Reads are tried twice.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from infra.app.order import DYNAMODB, Order, StoreUnavailable

PENDING_INDEX = "pending"
# The value is of no meaning: the index is sparse and has only items with this attribute.
_PENDING = {"S": "aurora"}
_NOWHERE = {"customer": {"S": "_"}, "token": {"S": "_"}}
_THROTTLED = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
_SERVER_ERROR = 500
# As the SDKs' standard mode: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_TRIES = 3
_FIRST_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a write.

    Attributes:
        before: The order that was there already under this token; None if there was none.
        throttled: How often it was refused before it was taken.

    """

    before: Order | None
    throttled: int


class Table:
    """The table of orders; every method raises :class:`StoreUnavailable`."""

    def __init__(self, name: str, timeout_s: float) -> None:
        """Take the table's name and how long AWS may take to connect, and to answer."""
        self._name = name
        self._once = boto3.client("dynamodb", config=client_config(timeout_s, attempts=1))
        self._twice = boto3.client("dynamodb", config=client_config(timeout_s, attempts=2))

    def put(self, order: Order) -> Stored:
        """Store a new order as pending, unless its token was used before."""
        for throttled in range(_TRIES - 1):
            try:
                return Stored(self._put(order), throttled)
            except StoreUnavailable as problem:
                if not problem.throttled:
                    raise
            time.sleep(_FIRST_WAIT_S * 2**throttled * random.uniform(0.5, 1))
        try:
            return Stored(self._put(order), _TRIES - 1)
        except StoreUnavailable as problem:
            problem.throttled *= _TRIES
            raise

    def _put(self, order: Order) -> Order | None:
        try:
            self._once.put_item(
                TableName=self._name,
                Item=_item(order),
                ConditionExpression="attribute_not_exists(customer)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as problem:
            if isinstance(problem, ClientError) and _code(problem) == "ConditionalCheckFailedException":
                return _order(problem.response["Item"])
            raise _unavailable(problem) from problem
        return None

    def get(self, customer: str, token: str) -> Order | None:
        """Return one order, as the last write in this region left it."""
        key = {"customer": {"S": customer}, "token": {"S": token}}
        answer = self._read("get_item", Key=key, ConsistentRead=True)
        return _order(answer["Item"]) if "Item" in answer else None

    def page(self, customer: str, after: str, limit: int) -> tuple[list[Order], str | None]:
        """Return a customer's orders after a token, in order, and the token to go on after, if any."""
        condition = "customer = :customer"
        values = {":customer": {"S": customer}}
        names = {}
        if after:
            condition += " AND #token > :after"
            values[":after"] = {"S": after}
            names["#token"] = "token"
        answer = self._read(
            "query",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            Limit=limit,
            ConsistentRead=True,
            **({"ExpressionAttributeNames": names} if names else {}),
        )
        last = answer.get("LastEvaluatedKey")
        return [_order(item) for item in answer["Items"]], None if last is None else last["token"]["S"]

    def pending(self, limit: int) -> list[Order]:
        """Return the oldest orders, at most ``limit``, that are not known to be in Aurora."""
        answer = self._read(
            "query",
            IndexName=PENDING_INDEX,
            KeyConditionExpression="#pending = :pending",
            ExpressionAttributeNames={"#pending": "pending"},
            ExpressionAttributeValues={":pending": _PENDING},
            Limit=limit,
        )
        return [_order(item) for item in answer["Items"]]

    def every(self, after: Order | None, limit: int) -> tuple[list[Order], str | None]:
        """Return orders of all customers in the table's own order, and the id to go on after, if any.

        Args:
            after: Go on after this order's customer and token; None begins.
            limit: At most so many items; what is no order among them is left out.

        """
        start = {} if after is None else {"ExclusiveStartKey": _key(after)}
        answer = self._read("scan", Limit=limit, ConsistentRead=True, **start)
        last = answer.get("LastEvaluatedKey")
        following = None if last is None else f"{last['customer']['S']}.{last['token']['S']}"
        return [_order(item) for item in answer["Items"] if "nonce" in item], following

    def settle(self, order: Order) -> None:
        """Note that Aurora has an order; one that is gone is not made again."""
        try:
            self._once.update_item(
                TableName=self._name,
                Key=_key(order),
                UpdateExpression="REMOVE #pending",
                ConditionExpression="attribute_exists(customer)",
                ExpressionAttributeNames={"#pending": "pending"},
            )
        except (ClientError, BotoCoreError) as problem:
            raise _unavailable(problem) from problem

    def ping(self) -> None:
        """Read nothing from the table, to see whether it answers; a throttled one does."""
        try:
            self._once.get_item(TableName=self._name, Key=_NOWHERE)
        except (ClientError, BotoCoreError) as problem:
            if _code(problem) not in _THROTTLED:
                raise _unavailable(problem) from problem

    def close(self) -> None:
        """Close the connections to DynamoDB."""
        self._once.close()
        self._twice.close()

    def _read(self, operation: str, **request: object) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._twice, operation)(TableName=self._name, **request)
        except (ClientError, BotoCoreError) as problem:
            raise _unavailable(problem) from problem
        return answer


def client_config(timeout_s: float, attempts: int) -> Config:
    """Return what every client of AWS's API here is made with."""
    return Config(
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )


def _key(order: Order) -> Mapping[str, Mapping[str, str]]:
    return {"customer": {"S": order.customer}, "token": {"S": order.token}}


def _item(order: Order) -> Mapping[str, Mapping[str, str]]:
    return {
        "customer": {"S": order.customer},
        "token": {"S": order.token},
        "number": {"N": str(order.number)},
        "nonce": {"S": order.nonce},
        "region": {"S": order.region},
        **({"pending": _PENDING} if order.pending else {}),
    }


def _order(item: Mapping[str, Mapping[str, str]]) -> Order:
    return Order(
        customer=item["customer"]["S"],
        token=item["token"]["S"],
        number=int(item["number"]["N"]),
        nonce=item["nonce"]["S"],
        region=item["region"]["S"],
        pending="pending" in item,
    )


def _code(problem: Exception) -> str:
    return str(problem.response["Error"]["Code"]) if isinstance(problem, ClientError) else ""


def _unavailable(problem: Exception) -> StoreUnavailable:
    """Return what a failed call means: AWS said no, it never got there, or nobody knows."""
    if isinstance(problem, ClientError):
        status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _SERVER_ERROR)
        code = _code(problem)
        lost = status >= _SERVER_ERROR
        return StoreUnavailable(DYNAMODB, code, lost=lost, throttled=int(code in _THROTTLED))
    never_sent = isinstance(problem, ConnectTimeoutError | EndpointConnectionError)
    return StoreUnavailable(DYNAMODB, type(problem).__name__, lost=not never_sent)
