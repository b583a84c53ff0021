"""AWS FIS experiments in the control plane: one action, really run by the clock.

moto stores templates and experiments and lets them stand. Here a template is checked, and
an experiment with the action that pauses a global table's replication goes through
``initiating``, ``running`` and ``completed`` in its own time, or through ``stopping`` to
``stopped``. What the physics need of it is :func:`pauses`. Other actions are refused: an
experiment that does nothing would prove nothing.
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import dynamodb_backends
from moto.fis import models
from moto.fis.models import Experiment, FISBackend, fis_backends
from moto.iam.models import iam_backends

from infra.lab import world
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.table_settings import regions_of
from infra.lab.control_plane.table_writes import wrap

PAUSE = "aws:dynamodb:global-table-pause-replication"
TABLE_TYPE = "aws:dynamodb:global-table"
TABLES = "Tables"
SHORTEST_S, LONGEST_S = 60, 12 * 3600

_TABLE_ARN = re.compile(
    r"arn:aws[\w-]*:dynamodb:(?P<region>[\w-]+):(?P<account>\d{12}):table/(?P<name>[\w.-]+)"
)
_ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::(?P<account>\d{12}):role/(?:[\w+=,.@/-]*/)?(?P<name>[\w+=,.@-]+)")
_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(slots=True)
class _Setting:
    """How long starting and stopping take, and who hears of a change of state."""

    start_s: float = 0.0
    changed: Callable[[], None] = lambda: None


_setting = _Setting()


def install(start_s: float, changed: Callable[[], None]) -> None:
    """Have moto's experiments run by the clock. Safe to call again: the last setting holds.

    Args:
        start_s: An experiment shows ``initiating`` this long, and ``stopping`` too.
        changed: Called from a thread of its own whenever an experiment's state has moved.

    """
    _setting.start_s, _setting.changed = start_s, changed
    models.Experiment = _RunningExperiment
    wrap(FISBackend, "create_experiment_template", _creating)
    wrap(FISBackend, "update_experiment_template", _changing)


def pauses() -> tuple[world.ReplicationPause, ...]:
    """Return every pause of a table's replication that is in force now."""
    return tuple(
        world.ReplicationPause(experiment.id, region, name)
        for region, backend in list(fis_backends[ACCOUNT].items())
        for experiment in list(backend.experiments.values())
        if experiment.in_force
        for name in experiment.tables
    )


def is_paused(region: str, table: str) -> bool:
    """Say whether the replication of a region's table is paused now."""
    return any((pause.region, pause.table) == (region, table) for pause in pauses())


def duration_s(text: str) -> float:
    """Return the seconds of an ISO 8601 duration of hours, minutes and seconds; 0 if it is none."""
    match = _DURATION.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    return float(hours * 3600 + minutes * 60 + seconds)


class _RunningExperiment(Experiment):
    """An experiment whose state follows the clock, and which ends by itself after its action's duration."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        (action,) = self.actions.values()
        arns = self.targets[action["targets"][TABLES]]["resourceArns"]
        self.tables = tuple(arn.rpartition("/")[2] for arn in arns)
        self._runs_at = time.monotonic() + _setting.start_s
        self._completes_at = self._runs_at + duration_s(action["parameters"]["duration"])
        self._stops_at: float | None = None
        self._failure = _why_not(self)
        self.STATUS_REASONS = {**Experiment.STATUS_REASONS, "failed": self._failure}
        self._completion = _announce(self._runs_at), _announce(self._completes_at)

    @property
    def status(self) -> str:
        now = time.monotonic()
        if now < self._runs_at and self._stops_at is None:
            return "initiating"
        if self._failure:
            return "failed"
        if self._stops_at is not None:
            return "stopped" if now >= self._stops_at else "stopping"
        return "completed" if now >= self._completes_at else "running"

    @status.setter
    def status(self, value: str) -> None:
        # moto asks for one change only: StopExperiment, of an experiment that has not ended.
        if value == "stopping" and self._stops_at is None:
            for timer in self._completion:
                timer.cancel()
            now = time.monotonic()
            if now < self._runs_at:
                self._runs_at = math.inf
            self._stops_at = now + _setting.start_s
            _announce(self._stops_at)

    @property
    def in_force(self) -> bool:
        """Whether its action has begun and has not ended; stopping takes its time too."""
        return time.monotonic() >= self._runs_at and self.status in {"running", "stopping"}


def _announce(at: float) -> threading.Timer:
    timer = threading.Timer(max(0.0, at - time.monotonic()), _setting.changed)
    timer.daemon = True
    timer.start()
    return timer


def _creating(original: Callable[..., Any], backend: FISBackend, *args: Any, **kwargs: Any) -> Any:
    _require_sound(kwargs, backend)
    return original(backend, *args, **kwargs)


def _changing(original: Callable[..., Any], backend: FISBackend, *args: Any, **kwargs: Any) -> Any:
    template = backend.experiment_templates.get(kwargs.get("id"))
    if template is not None:
        _require_sound({name: value or getattr(template, name) for name, value in kwargs.items()}, backend)
    return original(backend, *args, **kwargs)


def _require_sound(template: Mapping[str, Any], backend: FISBackend) -> None:
    """Refuse a template as AWS FIS does: with a ValidationException that names the first fault."""
    for problem in _problems(template, backend):
        code = "ValidationException"
        raise JsonRESTError(code, problem)


def _problems(template: Mapping[str, Any], backend: FISBackend) -> Iterator[str]:
    if _ROLE_ARN.fullmatch(template["role_arn"] or "") is None:
        yield f"The role ARN {template['role_arn']!r} is not valid."
    if not template["stop_conditions"]:
        yield "An experiment template needs a stop condition; its source may be none."
    for condition in template["stop_conditions"] or ():
        if condition.get("source") not in {"none", "aws:cloudwatch:alarm"}:
            yield f"The stop condition's source {condition.get('source')!r} is not valid."
    actions = template["actions"] or {}
    if len(actions) != 1:
        yield f"The lab runs experiments of one action; this template has {len(actions)}."
    for name, action in actions.items():
        yield from _problems_of_action(name, action, template["targets"] or {}, backend)


def _problems_of_action(
    name: str, action: Mapping[str, Any], targets: Mapping[str, Any], backend: FISBackend
) -> Iterator[str]:
    if action.get("actionId") != PAUSE:
        yield f"The lab has no action {action.get('actionId')!r}; it has {PAUSE}."
    duration = (action.get("parameters") or {}).get("duration") or ""
    if not SHORTEST_S <= duration_s(duration) <= LONGEST_S:
        yield f"The duration {duration!r} of the action {name!r} must be from PT1M to PT12H."
    aim = (action.get("targets") or {}).get(TABLES)
    target = targets.get(aim or "")
    if target is None:
        yield f"The action {name!r} needs a target {TABLES!r} that the template defines."
        return
    if target.get("resourceType") != TABLE_TYPE:
        yield f"The target {aim!r} must be of the type {TABLE_TYPE}, not {target.get('resourceType')!r}."
    if target.get("selectionMode") != "ALL" or not target.get("resourceArns"):
        yield f"The target {aim!r} must name its resourceArns, with the selection mode ALL."
    for arn in target["resourceArns"]:
        match = _TABLE_ARN.fullmatch(arn)
        if match is None or (match["region"], match["account"]) != (backend.region_name, backend.account_id):
            yield f"The target {aim!r} names {arn!r}, which is no table of this account and region."


def _why_not(experiment: Any) -> str:
    """Say why an experiment can't run; AWS finds this out when it starts, not when it is written."""
    role = _ROLE_ARN.fullmatch(experiment.role_arn)
    known = iam_backends[experiment.account_id]["aws"].roles.values()
    if role is None or role["name"] not in {one.name for one in known}:
        return f"Unable to assume role {experiment.role_arn}."
    backend = dynamodb_backends[experiment.account_id][experiment.region_name]
    for name in experiment.tables:
        table = backend.tables.get(name)
        if table is None or len(regions_of(table)) == 1:
            return f"Target resolution returned empty set: {name} is no global table."
    return ""
