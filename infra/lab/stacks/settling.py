"""Waiting for what a service does in its own time: until something is available, or gone."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

WITHIN_S = 120.0
_POLL_S = 0.05
_HOPELESS = {"failed", "incompatible-restore"}


def unless_gone(act: Callable[[], Any]) -> bool:
    """Do something to a resource; returns False, and raises nothing, if the resource is not there."""
    try:
        act()
    except ClientError as problem:
        if "NotFound" in problem.response["Error"]["Code"]:
            return False
        raise
    return True


def gone(what: str, look: Callable[[], Any]) -> None:
    """Wait until looking at a resource says that there is none.

    Raises:
        TimeoutError: It is there still.

    """
    settled(what, lambda: ("there" if unless_gone(look) else "available", {}))


def settled(what: str, status: Callable[[], tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Wait until a resource is available, and return it.

    Args:
        what: Its kind and name, for the error.
        status: Returns its status of now, and itself.

    Raises:
        TimeoutError: It is not, or will never be.

    """
    deadline = time.monotonic() + WITHIN_S
    while True:
        shown, found = status()
        if shown == "available":
            return found
        if shown in _HOPELESS or time.monotonic() > deadline:
            msg = f"{what} is {shown}, waited {WITHIN_S:.0f} s at most; look at: drill lab status"
            raise TimeoutError(msg)
        time.sleep(_POLL_S)
