"""Runs the checks: side by side, within a time, and with a word on all that could not be looked at."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from drill.audit import judge
from drill.audit.contract import Check, Found, Part
from drill.audit.judge import Audited, Unevaluated
from drill.audit.reads import NotAnswered, asking, denied
from drill.audit.system import System
from drill.errors import DrillError

_LOG = structlog.get_logger()

# Calls at once: enough to be quick; the rate of each API is bounded for itself.
_AT_ONCE = 16


@dataclass(slots=True)
class _Task:
    """One part of a check, with what it told before it ended or failed."""

    check: Check
    part: Part
    found: list[Found]
    failed: str = ""


def run(checks: Sequence[Check], system: System, limit_s: float, *, active: bool = False) -> Audited:
    """Look at a system with some checks; nothing is changed unless they may write.

    Args:
        checks: Which.
        system: What is looked at.
        limit_s: When the rest is given up, and listed as not evaluated.
        active: Whether checks may write and read back, besides reading.

    """
    tasks = [task for check in checks for task in _tasks(check, partial(check.parts, system))]
    if active:
        tasks += [task for check in checks for task in _tasks(check, partial(check.writing, system))]
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="audit")
    try:
        futures = {pool.submit(_look, task): task for task in tasks if not task.failed}
        _, late = wait(futures, timeout=limit_s)
    finally:
        # Who still waits for AWS ends by its own time-out; nobody waits for that.
        pool.shutdown(wait=False, cancel_futures=True)
    for future in late:
        futures[future].failed = f"it was given up after {limit_s:g} s"
    return judge.audited(
        checks,
        [(task.check, found) for task in tasks for found in tuple(task.found)],
        [Unevaluated(task.check.id, task.part.where, task.failed) for task in tasks if task.failed],
    )


def _tasks(check: Check, parts: Callable[[], Iterator[Part]]) -> Iterator[_Task]:
    try:
        for part in parts():
            yield _Task(check, part, [])
    except Exception as problem:  # noqa: BLE001 (a check that can't say what it looks at stops no other)
        yield _Task(check, Part("what it looks at", tuple), [], _broken(check.id, "its parts", problem))


def _look(task: _Task) -> None:
    asking.set(task.check.id)
    try:
        for found in task.part.look():
            task.found.append(found)
    except ClientError as problem:
        task.failed = _answered(problem)
    except (BotoCoreError, DrillError, NotAnswered) as problem:
        task.failed = " ".join(str(problem).split())
    except Exception as problem:  # noqa: BLE001 (one broken check hides no other, and passes for nothing)
        task.failed = _broken(task.check.id, task.part.where, problem)


def _broken(check_id: str, where: str, problem: Exception) -> str:
    at = traceback.extract_tb(problem.__traceback__)[-1]
    _LOG.warning("audit", check=check_id, where=where, at=f"{at.filename}:{at.lineno}")
    return judge.itself_failed(problem)


def _answered(problem: ClientError) -> str:
    said = " ".join(str(problem).split())
    if denied(problem):
        return f"{said}; the policy that it needs: drill iam-policy audit"
    return said
