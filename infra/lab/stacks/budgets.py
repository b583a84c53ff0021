"""``AWS::Budgets::Budget``: a budget and whom it tells.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-budgets-budget.html
"""

from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType
from infra.lab.stacks.typed import call_for


def _budget(request: Request) -> Made:
    budgets, wanted = request.client("budgets"), request.properties
    name = wanted["Budget"].get("BudgetName") or request.name(100)
    call: dict[str, Any] = {
        "AccountId": request.account,
        "Budget": {**wanted["Budget"], "BudgetName": name},
        "NotificationsWithSubscribers": wanted.get("NotificationsWithSubscribers", []),
        "ResourceTags": request.tag_list("ResourceTags"),
    }
    budgets.create_budget(**call_for(budgets, "CreateBudget", call))
    return Made(name, {"Id": name})


def _update_budget(request: Request, made: Made) -> Made | None:
    renamed = request.before["Budget"].get("BudgetName") != request.properties["Budget"].get("BudgetName")
    if renamed or "NotificationsWithSubscribers" in request.changed():
        return None
    budgets, name = request.client("budgets"), made.physical_resource_id
    call = {"AccountId": request.account, "NewBudget": {**request.properties["Budget"], "BudgetName": name}}
    budgets.update_budget(**call_for(budgets, "UpdateBudget", call))
    arn = f"arn:aws:budgets::{request.account}:budget/{name}"
    if gone := request.tags_gone("ResourceTags"):
        budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=gone)
    if tags := request.tag_list("ResourceTags"):
        budgets.tag_resource(ResourceARN=arn, ResourceTags=tags)
    return made


def _delete_budget(request: Request, made: Made) -> None:
    request.client("budgets").delete_budget(AccountId=request.account, BudgetName=made.physical_resource_id)


TYPES = (
    ResourceType(
        "AWS::Budgets::Budget",
        _budget,
        _delete_budget,
        _update_budget,
        attributes=frozenset({"Id"}),
    ),
)
