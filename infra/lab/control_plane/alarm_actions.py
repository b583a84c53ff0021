"""What an alarm does when it changes: it writes to topics, and runs functions.

Actions run one after the other in a thread of their own, in the order of the changes.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
"""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from infra.lab.alarm_rules import ALARM, INSUFFICIENT, OK
from infra.lab.control_plane import alarm_messages, notifications
from infra.lab.control_plane.alarm_history import HISTORY
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.service_access import Caller, function_parts, function_refuses
from infra.lab.control_plane.wiring import WIRING

PRINCIPAL = "cloudwatch.amazonaws.com"
_FUNCTION_PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com"
_MEMBERS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}


class _Alarm(Protocol):
    name: str
    alarm_arn: str
    region: str
    settings: dict[str, Any]
    state: str

    @property
    def composite(self) -> bool: ...

    def shown(self) -> dict[str, Any]: ...


class _Worker:
    def __init__(self) -> None:
        self.threads: ThreadPoolExecutor | None = None


_WORKER = _Worker()


def install() -> None:
    """Begin with nothing to do."""
    close()
    _WORKER.threads = ThreadPoolExecutor(1, thread_name_prefix="alarm-actions")


def close() -> None:
    """Do nothing more; what waits is dropped."""
    if _WORKER.threads is not None:
        _WORKER.threads.shutdown(wait=False, cancel_futures=True)
        _WORKER.threads = None


def set_off(alarm: _Alarm, before: str) -> None:
    """Have the actions for an alarm's new state run; returns at once."""
    shown = alarm.shown()
    if not shown["ActionsEnabled"] or _WORKER.threads is None:
        return
    for action in shown[_MEMBERS[alarm.state]]:
        _WORKER.threads.submit(_run, alarm, shown, action, before)


def _run(alarm: _Alarm, shown: dict[str, Any], action: str, before: str) -> None:
    service = action.split(":")[2]
    message = alarm_messages.message(shown, before, alarm.region)
    if service == "sns":
        problem = _notify(alarm, shown, action, message)
    elif service == "lambda":
        problem = _invoke(alarm, shown, action)
    else:
        problem = f"the lab has no alarm actions of {service}"
    told = {
        "actionState": "Failed" if problem else "Succeeded",
        "stateUpdateTimestamp": int(shown["StateUpdatedTimestamp"].timestamp() * 1000),
        "notificationResource": action,
        "publishedMessage": message if service == "sns" else None,
        "error": problem or None,
    }
    if problem:
        summary = f'Failed to execute action {action}. Received error: "{problem}"'
    else:
        summary = f"Successfully executed action {action}"
    HISTORY.note(alarm, "Action", summary, told)


def _notify(alarm: _Alarm, shown: dict[str, Any], topic: str, message: str) -> str:
    if topic.split(":")[3] != alarm.region:
        return "Invalid topic ARN: it is in another region than the alarm"
    subject = alarm_messages.subject(alarm.name, shown["StateValue"], alarm.region)
    # A topic that was given no policy lets the alarms of its own account write.
    caller = Caller(PRINCIPAL, alarm.alarm_arn, {"aws:sourceowner": ACCOUNT})
    return notifications.publish_as(caller, topic, message, subject)


def _invoke(alarm: _Alarm, shown: dict[str, Any], function: str) -> str:
    """Run a function with the event of the documentation.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    refused = function_refuses(function, Caller(_FUNCTION_PRINCIPAL, alarm.alarm_arn))
    if refused:
        return refused
    event = {
        "source": "aws.cloudwatch",
        "alarmArn": alarm.alarm_arn,
        "accountId": ACCOUNT,
        "time": alarm_messages.stamp(shown["StateUpdatedTimestamp"]),
        "region": alarm.region,
        "alarmData": {
            "alarmName": alarm.name,
            "state": {"value": shown["StateValue"], "reason": shown["StateReason"]},
            "configuration": {"description": shown.get("AlarmDescription", "")},
        },
    }
    if WIRING.invoker is None:
        return "no functions run in this lab yet"
    answer = WIRING.invoker.invoke(*function_parts(function), json.dumps(event).encode())
    return f"the function answered {answer.status}" if answer.status >= 400 else ""
