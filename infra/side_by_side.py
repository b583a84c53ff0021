"""Doing something with several stacks at the same time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from drill.errors import DrillError
from infra.stack_events import Watch

_Given = TypeVar("_Given")
_Taken = TypeVar("_Taken")


def side_by_side(
    act: Callable[[_Given], _Taken], items: Iterable[_Given], watch: Watch | None = None
) -> list[_Taken]:
    """Do something with each item at the same time; all come to an end before the first failure is raised.

    Args:
        act: What to do.
        items: With what; the answers come in their order.
        watch: Ends the waits when somebody interrupts.

    """
    with ThreadPoolExecutor() as pool:
        pending = [pool.submit(act, item) for item in items]
        try:
            failures = [problem for problem in (each.exception() for each in pending) if problem is not None]
        except BaseException:  # an interrupt: whoever waits for a stack must not keep this process
            if watch is not None:
                watch.interrupt()
            raise
    if failures:
        others = "".join(f"; besides, {problem}" for problem in failures[1:])
        if others and isinstance(failures[0], DrillError):
            msg = f"{failures[0]}{others}"
            raise DrillError(msg) from failures[0]
        raise failures[0]
    return [each.result() for each in pending]
