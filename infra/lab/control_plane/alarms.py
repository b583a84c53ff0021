"""CloudWatch's alarms: what was asked for, the state that each shows, and its history.

The physics (:mod:`infra.lab.alarms`) judge the data and report states here; each change is
written down and sets off the alarm's actions.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidFormat, ResourceNotFound, ValidationError
from moto.cloudwatch.models import cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from infra.lab.alarm_rules import ALARM, INSUFFICIENT, OK
from infra.lab.control_plane import alarm_actions, alarm_messages, alarm_settings
from infra.lab.control_plane.alarm_history import HISTORY
from infra.lab.control_plane.mending import ACCOUNT, Function, add, replace
from infra.lab.control_plane.wiring import WIRING
from infra.lab.watching import Judgement, MetricAlarm

_LOCK = threading.RLock()
_REVISIONS = itertools.count(1)
_STATES = (OK, ALARM, INSUFFICIENT)
_PAGE = 100


@dataclass
class Alarm:
    """An alarm in moto's backend, which reads the first two attributes.

    Attributes:
        settings: The members of the call that made it, without tags.

    """

    name: str
    alarm_arn: str
    region: str
    settings: dict[str, Any]
    revision: int
    configured_at: datetime
    state: str = INSUFFICIENT
    reason: str = "Unchecked: Initial alarm creation"
    reason_document: str = ""
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    transitioned_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def composite(self) -> bool:
        """Whether it watches other alarms."""
        return "AlarmRule" in self.settings

    def shown(self) -> dict[str, Any]:
        """Return it as DescribeAlarms shows it."""
        lists: dict[str, Any] = {
            name: [] for name in ("OKActions", "AlarmActions", "InsufficientDataActions")
        }
        shown = {
            **lists,
            "ActionsEnabled": True,
            **({} if self.composite else {"Dimensions": []}),
            **self.settings,
            "AlarmArn": self.alarm_arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured_at,
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateUpdatedTimestamp": self.updated_at,
            "StateTransitionedTimestamp": self.transitioned_at,
        }
        return {**shown, "StateReasonData": self.reason_document} if self.reason_document else shown


def install() -> None:
    """Mend moto's alarms; forget the history of an earlier control plane."""
    HISTORY.clear()
    alarm_actions.install()
    for name, action in (
        ("put_metric_alarm", _put_metric_alarm),
        ("describe_alarms", _describe_alarms),
        ("describe_alarms_for_metric", _describe_alarms_for_metric),
        ("delete_alarms", _delete_alarms),
        ("set_alarm_state", _set_alarm_state),
        ("enable_alarm_actions", _enable_alarm_actions),
        ("disable_alarm_actions", _disable_alarm_actions),
    ):
        replace(CloudWatchResponse, name, _always(action))
    add(CloudWatchResponse, "put_composite_alarm", _put_composite_alarm)
    add(CloudWatchResponse, "describe_alarm_history", _describe_alarm_history)


def _always(action: Function) -> Function:
    return lambda _original: action


def _held(region: str) -> dict[str, Alarm]:
    found: dict[str, Alarm] = cloudwatch_backends[ACCOUNT][region].alarms
    return found


def find(region: str, name: str) -> Alarm | None:
    """Return an alarm, if there is one of that name."""
    return _held(region).get(name)


def alarms(regions: Sequence[str]) -> Iterator[MetricAlarm]:
    """Return every alarm of these regions as the physics see it."""
    for region in regions:
        for alarm in list(_held(region).values()):
            yield alarm_settings.watched(region, alarm.settings, revision=alarm.revision, state=alarm.state)


def report(seen: MetricAlarm, judgement: Judgement) -> None:
    """Take the state that an alarm's data come to; nothing happens if it shows that already."""
    with _LOCK:
        alarm = find(seen.region, seen.name)
        if alarm is None or alarm.revision != seen.revision or alarm.state == judgement.state:
            return
        at = datetime.now(UTC)
        if seen.rule is None:
            reason, document = f"The alarm rule evaluates to {judgement.state}", ""
        else:
            reason = alarm_messages.reason(seen.rule, judgement, alarm.state)
            document = alarm_messages.reason_document(alarm.settings, judgement, at)
        _change(alarm, judgement.state, reason, document)


def _change(alarm: Alarm, state: str, reason: str, document: str) -> None:
    """Have an alarm show a state; a new one sets off the actions."""
    before, at = alarm.state, datetime.now(UTC)
    former = {"stateValue": alarm.state, "stateReason": alarm.reason}
    alarm.state, alarm.reason, alarm.reason_document, alarm.updated_at = state, reason, document, at
    if before == state:
        return
    alarm.transitioned_at = at
    told: dict[str, Any] = {
        "version": "1.0",
        "oldState": former,
        "newState": {"stateValue": state, "stateReason": reason},
    }
    if document:
        told["newState"]["stateReasonData"] = json.loads(document)
    HISTORY.note(alarm, "StateUpdate", f"Alarm updated from {before} to {state}", told)
    if WIRING.alarms is not None:
        WIRING.alarms.alarm_changed(alarm.region, alarm.name, before, state)
    alarm_actions.set_off(alarm, before)


def _put_metric_alarm(response: CloudWatchResponse) -> EmptyResult:
    settings = alarm_settings.checked(_given(response))
    _put(response, settings)
    return EmptyResult()


def _put_composite_alarm(response: CloudWatchResponse) -> EmptyResult:
    settings = alarm_settings.checked_composite(_given(response), response.region)
    _put(response, settings)
    return EmptyResult()


def _given(response: CloudWatchResponse) -> dict[str, Any]:
    return dict(response._get_params())


def _put(response: CloudWatchResponse, settings: dict[str, Any]) -> None:
    backend, name = response.cloudwatch_backend, settings["AlarmName"]
    tags = settings.pop("Tags", None)
    with _LOCK:
        alarm = find(response.region, name)
        if alarm is not None:
            alarm.settings, alarm.configured_at = settings, datetime.now(UTC)
            alarm.revision = next(_REVISIONS)
            HISTORY.configured(alarm, "Update")
            return
        arn = f"arn:aws:cloudwatch:{response.region}:{ACCOUNT}:alarm:{name}"
        alarm = Alarm(name, arn, response.region, settings, next(_REVISIONS), datetime.now(UTC))
        _held(response.region)[name] = alarm
        if tags:
            backend.tagger.tag_resource(arn, tags)
        HISTORY.configured(alarm, "Create")


def _describe_alarms(response: CloudWatchResponse) -> ActionResult:
    asked = _given(response)
    # Only metric alarms are shown to those who do not say what they want:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    kinds = asked.get("AlarmTypes") or ["MetricAlarm"]
    first, most = int(asked.get("NextToken") or 0), asked.get("MaxRecords") or _PAGE
    with _LOCK:  # a change is shown whole: with its log line and its history
        found = [
            alarm
            for alarm in sorted(_held(response.region).values(), key=lambda one: one.name)
            if ("CompositeAlarm" if alarm.composite else "MetricAlarm") in kinds and _is_asked(alarm, asked)
        ]
        page = found[first : first + most]
        shown: dict[str, Any] = {
            "MetricAlarms": [alarm.shown() for alarm in page if not alarm.composite],
            "CompositeAlarms": [alarm.shown() for alarm in page if alarm.composite],
        }
    if len(found) > first + most:
        shown["NextToken"] = str(first + most)
    return ActionResult(shown)


def _is_asked(alarm: Alarm, asked: dict[str, Any]) -> bool:
    if asked.get("AlarmNames") and alarm.name not in asked["AlarmNames"]:
        return False
    if not alarm.name.startswith(asked.get("AlarmNamePrefix") or ""):
        return False
    if asked.get("StateValue") not in {None, alarm.state}:
        return False
    prefix = asked.get("ActionPrefix")
    shown = alarm.shown()
    actions = [*shown["OKActions"], *shown["AlarmActions"], *shown["InsufficientDataActions"]]
    return not prefix or any(action.startswith(prefix) for action in actions)


def _describe_alarms_for_metric(response: CloudWatchResponse) -> ActionResult:
    asked = _given(response)
    dimensions = sorted((one["Name"], one["Value"]) for one in asked.get("Dimensions") or ())
    found = [
        alarm.shown()
        for alarm in _held(response.region).values()
        if (alarm.settings.get("Namespace"), alarm.settings.get("MetricName"))
        == (asked["Namespace"], asked["MetricName"])
        and sorted((one["Name"], one["Value"]) for one in alarm.settings.get("Dimensions") or ())
        == dimensions
    ]
    return ActionResult({"MetricAlarms": found})


def _delete_alarms(response: CloudWatchResponse) -> EmptyResult:
    backend = response.cloudwatch_backend
    with _LOCK:
        for name in response._get_param("AlarmNames", []):
            alarm = _held(response.region).pop(name, None)
            if alarm is not None:
                backend.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
                HISTORY.configured(alarm, "Delete")
    return EmptyResult()


def _set_alarm_state(response: CloudWatchResponse) -> EmptyResult:
    asked = _given(response)
    state, document = asked["StateValue"], asked.get("StateReasonData") or ""
    try:
        json.loads(document or "{}")
    except ValueError as problem:
        raise InvalidFormat("StateReasonData must be JSON") from problem  # noqa: EM101, TRY003 (as AWS says it)
    if state not in _STATES:
        msg = (
            f"1 validation error detected: Value '{state}' at 'stateValue' failed to satisfy constraint:"
            " Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
        )
        raise ValidationError(msg)
    with _LOCK:
        alarm = find(response.region, asked["AlarmName"])
        if alarm is None:
            raise ResourceNotFound
        _change(alarm, state, asked["StateReason"], document)
    return EmptyResult()


def _enable_alarm_actions(response: CloudWatchResponse) -> EmptyResult:
    return _enable(response, enabled=True)


def _disable_alarm_actions(response: CloudWatchResponse) -> EmptyResult:
    return _enable(response, enabled=False)


def _enable(response: CloudWatchResponse, *, enabled: bool) -> EmptyResult:
    with _LOCK:
        for name in response._get_param("AlarmNames", []):
            alarm = find(response.region, name)
            if alarm is not None:
                alarm.settings = {**alarm.settings, "ActionsEnabled": enabled}
                alarm.configured_at = datetime.now(UTC)
                HISTORY.configured(alarm, "Update")
    return EmptyResult()


def _describe_alarm_history(response: CloudWatchResponse) -> ActionResult:
    return ActionResult(HISTORY.shown(response.region, _given(response)))
