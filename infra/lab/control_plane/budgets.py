"""AWS Budgets in the control plane: what moto lacks to change a budget and to read all of it back.

The lab spends nothing: every budget shows an actual and a forecast spend of 0, and its
notifications stay ``OK``.
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Budgets.html
"""

import json
from collections.abc import Mapping
from typing import Any

from moto.budgets.exceptions import DuplicateRecordException, NotFoundException
from moto.budgets.models import Budget, BudgetsBackend, Notification
from moto.budgets.responses import BudgetsResponse
from moto.core.utils import unix_time

from infra.lab.control_plane.mending import Function, add, replace

_DEFAULTS = {"ThresholdType": "PERCENTAGE"}


def install() -> None:
    """Mend moto's budgets, and add what they lack."""
    replace(BudgetsResponse, "create_budget", _creating)
    replace(BudgetsBackend, "describe_notifications_for_budget", lambda _: _notifications)
    add(BudgetsResponse, "update_budget", _update)
    add(BudgetsResponse, "describe_subscribers_for_notification", _subscribers)
    add(BudgetsResponse, "create_subscriber", _subscribe)
    add(BudgetsResponse, "delete_subscriber", _unsubscribe)
    add(BudgetsResponse, "list_tags_for_resource", _list_tags)
    add(BudgetsResponse, "tag_resource", _tag)
    add(BudgetsResponse, "untag_resource", _untag)


def _budget(backend: BudgetsBackend, account: str, name: str) -> Budget:
    found = backend.budgets[account].get(name)
    if found is None:
        msg = f"Unable to get budget: {name} - the budget doesn't exist."
        raise NotFoundException(msg)
    return found


def _named(response: BudgetsResponse) -> tuple[Budget, dict[str, Any]]:
    asked = json.loads(response.body)
    return _budget(response.backend, asked["AccountId"], asked["BudgetName"]), asked


def _creating(original: Function) -> Function:
    def create(response: BudgetsResponse) -> str:
        answer: str = original(response)
        asked = json.loads(response.body)
        budget = _budget(response.backend, asked["AccountId"], asked["Budget"]["BudgetName"])
        budget.tags = {tag["Key"]: tag["Value"] for tag in asked.get("ResourceTags") or ()}
        return answer

    return create


def _update(response: BudgetsResponse) -> str:
    """Replace a budget's document; its notifications, subscribers and tags stay."""
    asked = json.loads(response.body)
    budget = _budget(response.backend, asked["AccountId"], asked["NewBudget"]["BudgetName"])
    kept = {name: budget.budget[name] for name in ("TimePeriod",) if name in budget.budget}
    budget.budget = {**kept, **asked["NewBudget"], "LastUpdatedTime": unix_time()}
    return "{}"


def _notifications(backend: BudgetsBackend, account_id: str, budget_name: str) -> list[dict[str, Any]]:
    budget = _budget(backend, account_id, budget_name)
    return [{**_DEFAULTS, **item.details, "NotificationState": "OK"} for item in budget.notifications]


def _notification(budget: Budget, wanted: Mapping[str, Any]) -> Notification:
    for item in budget.notifications:
        if _key(item.details) == _key(wanted):
            return item
    msg = "Unable to find the notification - it doesn't exist."
    raise NotFoundException(msg)


def _key(details: Mapping[str, Any]) -> tuple[str, str, float, str]:
    whole = {**_DEFAULTS, **details}
    kinds = whole["NotificationType"], whole["ComparisonOperator"]
    return *kinds, float(whole["Threshold"]), whole["ThresholdType"]


def _subscribers(response: BudgetsResponse) -> str:
    budget, asked = _named(response)
    return json.dumps({"Subscribers": _notification(budget, asked["Notification"]).subscribers})


def _subscribe(response: BudgetsResponse) -> str:
    budget, asked = _named(response)
    notification = _notification(budget, asked["Notification"])
    if asked["Subscriber"] in notification.subscribers:
        kind = "subscriber"
        raise DuplicateRecordException(kind, asked["Subscriber"]["Address"])
    notification.subscribers.append(asked["Subscriber"])
    return "{}"


def _unsubscribe(response: BudgetsResponse) -> str:
    budget, asked = _named(response)
    notification = _notification(budget, asked["Notification"])
    if asked["Subscriber"] not in notification.subscribers:
        msg = "Unable to delete subscriber - the subscriber doesn't exist."
        raise NotFoundException(msg)
    notification.subscribers.remove(asked["Subscriber"])
    return "{}"


def _tagged(response: BudgetsResponse) -> tuple[dict[str, str], dict[str, Any]]:
    asked = json.loads(response.body)
    account, name = asked["ResourceARN"].split(":")[4], asked["ResourceARN"].partition(":budget/")[2]
    tags: dict[str, str] = _budget(response.backend, account, name).__dict__.setdefault("tags", {})
    return tags, asked


def _list_tags(response: BudgetsResponse) -> str:
    tags, _ = _tagged(response)
    return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def _tag(response: BudgetsResponse) -> str:
    tags, asked = _tagged(response)
    tags.update({tag["Key"]: tag["Value"] for tag in asked["ResourceTags"]})
    return "{}"


def _untag(response: BudgetsResponse) -> str:
    tags, asked = _tagged(response)
    for key in asked["ResourceTagKeys"]:
        tags.pop(key, None)
    return "{}"
