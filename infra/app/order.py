"""An order, and what can go wrong with the stores that hold it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

AURORA = "aurora"
DYNAMODB = "dynamodb"

# Both sort bytewise in both stores, and neither has the dot that parts them in an id.
_CUSTOMER = re.compile(r"[0-9A-Za-z_-]{1,64}")
_TOKEN = _CUSTOMER
_NONCE = re.compile(r"[ -~]{1,128}")
_LARGEST = 2**63 - 1


class BadRequest(Exception):
    """The client asked for something that can't be: status 400 with this text."""


class StoreUnavailable(Exception):
    """A store did not do what was asked.

    Attributes:
        store: :data:`DYNAMODB` or :data:`AURORA`.
        lost: The answer was lost: it may have been done all the same.
        throttled: How often the store refused for want of capacity; 0 where it failed for another reason.

    """

    def __init__(self, store: str, reason: str, *, lost: bool, throttled: int = 0) -> None:
        """Say which store, why, and whether it may have been done."""
        super().__init__(f"{store}: {reason}")
        self.store = store
        self.lost = lost
        self.throttled = throttled


@dataclass(frozen=True, slots=True)
class Order:
    """One order.

    Attributes:
        customer: Whose order.
        token: The client's own name for it, so that it can be sent again; sorts in time.
        number: The client's number for it.
        nonce: What the client tells its own orders by.
        region: Where it was accepted.
        pending: It is not yet known to be in Aurora.

    """

    customer: str
    token: str
    number: int
    nonce: str
    region: str
    pending: bool

    @property
    def id(self) -> str:
        """The order's id."""
        return f"{self.customer}.{self.token}"


def order_from(document: Mapping[str, object], region: str) -> Order:
    """Return the order that a client sent.

    Raises:
        BadRequest: A field is missing or wrong.

    """
    number = document.get("number")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _LARGEST:
        msg = "number must be a whole number from 0 to 2^63 - 1"
        raise BadRequest(msg)
    return Order(
        customer=checked_customer(document.get("customer")),
        token=checked_token(document.get("token")),
        number=number,
        nonce=_checked("nonce", document.get("nonce"), _NONCE),
        region=region,
        pending=True,
    )


def checked_customer(text: object) -> str:
    """Return a customer's name, or raise :class:`BadRequest`."""
    return _checked("customer", text, _CUSTOMER)


def checked_token(text: object) -> str:
    """Return a token, or raise :class:`BadRequest`."""
    return _checked("token", text, _TOKEN)


def _checked(name: str, text: object, form: re.Pattern[str]) -> str:
    if not isinstance(text, str) or not form.fullmatch(text):
        msg = f"{name} must match {form.pattern}"
        raise BadRequest(msg)
    return text
