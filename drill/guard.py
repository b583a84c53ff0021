"""Preconditions: all of them, asked at once. They read, and only read.

A guard that can't be evaluated refuses. Each is in a file of its own in ``drill.guards``.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from drill.aws import Aws
from drill.errors import DrillError
from drill.guards.consent import confirmed, nothing_unfinished
from drill.guards.contract import Asked, Guard
from drill.guards.declared import guard_of
from drill.guards.free import free
from drill.guards.limits import fit_for_production, within_limits
from drill.guards.no_go import outside_no_go
from drill.guards.opt_in import opted_in
from drill.guards.pace import holdable
from drill.guards.place import account, regions
from drill.guards.stopping import alarms_calm, stoppable
from drill.guards.unarmed import unarmed
from drill.guards.window import in_window
from drill.permission_guard import permitted
from drill.plan import Plan

__all__ = ["Asked", "Evaluated", "Refusal", "check", "evaluate"]

State: TypeAlias = Literal["ok", "refused", "could not be evaluated"]

# Calls at once: guards wait for AWS, each for itself.
_AT_ONCE = 8

EVERY: tuple[tuple[str, Guard], ...] = (
    ("confirmed", confirmed),
    ("lease", free),
    ("unfinished", nothing_unfinished),
    ("schedules", unarmed),
    ("account", account),
    ("regions", regions),
    ("opt-in", opted_in),
    ("window", in_window),
    ("no-go", outside_no_go),
    ("limits", within_limits),
    ("pace", holdable),
    ("production", fit_for_production),
    ("alarms", alarms_calm),
    ("stop-conditions", stoppable),
    ("permissions", permitted),
)
"""The guards of every drill, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one guard said.

    Attributes:
        guard: Which precondition.
        state: Whether the drill may begin as far as this guard is asked.
        why: One line, with what to do; empty if it is ok.

    """

    guard: str
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a drill may not begin.

    Attributes:
        guard: Which precondition.
        why: One line, with what to do.

    """

    guard: str
    why: str


def check(asked: Asked, aws: Aws) -> tuple[Refusal, ...]:
    """Return every refusal; none means that the drill may begin."""
    return tuple(_refusals(evaluate(asked, aws)))


def evaluate(asked: Asked, aws: Aws) -> tuple[Evaluated, ...]:
    """Ask every guard, those of the scenario too, and return what each said, in order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(lambda one: _evaluated(one[0], one[1], asked, aws), _of(asked.plan)))


def _refusals(every: tuple[Evaluated, ...]) -> Iterator[Refusal]:
    for one in every:
        if one.state == "could not be evaluated":
            yield Refusal(one.guard, f"it could not be evaluated: {one.why}")
        elif one.state == "refused":
            yield Refusal(one.guard, one.why)


def _of(plan: Plan) -> list[tuple[str, Guard]]:
    """Return the guards of every drill, then the scenario's own."""
    return [*EVERY, *((spec.kind, guard_of(spec)) for spec in plan.guards)]


def _evaluated(name: str, guard: Guard, asked: Asked, aws: Aws) -> Evaluated:
    try:
        why = guard(asked, aws)
    except ClientError as problem:
        return Evaluated(name, "could not be evaluated", _answered(problem, asked.plan.scenario))
    except BotoCoreError as problem:
        said = " ".join(str(problem).split())
        why = f"{said}; look at the network, the credentials and the target file's endpoint_url"
        return Evaluated(name, "could not be evaluated", why)
    except DrillError as problem:
        return Evaluated(name, "could not be evaluated", str(problem))
    return Evaluated(name, "refused" if why else "ok", why)


def _answered(problem: ClientError, scenario: str) -> str:
    """Return AWS's own words, and what to do about them."""
    code: str = problem.response["Error"]["Code"]
    said = " ".join(str(problem).split())
    if "AccessDenied" in code or "Unauthorized" in code or "NotAuthorized" in code:
        return f"{said}; the policy that is needed: drill iam-policy {scenario}"
    return f"{said}; prove the target file with: drill target check"
