"""Doing something with several stacks at the same time."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from infra.stack_events import Watch
from infra.stack_model import StackFailed

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
        raise _as_one(failures)
    return [each.result() for each in pending]


def _as_one(failures: Sequence[BaseException]) -> BaseException:
    """Return the first failure; if stacks failed besides it, its text names them."""
    first, others = failures[0], [each for each in failures[1:] if isinstance(each, StackFailed)]
    if not isinstance(first, StackFailed) or not others:
        return first
    named = ", ".join(each.what for each in others)
    return StackFailed(first.what, f"{first} (besides, {named} failed)")
