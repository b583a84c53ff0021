"""The policy that an audit needs: reads, and nothing else. Pure."""

from collections.abc import Iterable

from drill.audit.contract import Check
from drill.model import Json
from drill.permissions import Statement, policies

# Where a permission is called otherwise than boto3's service and operation, see
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_SERVICES = {"elbv2": "elasticloadbalancing"}
_ACTIONS = {
    "budgets:DescribeBudgets": "budgets:ViewBudget",
    "budgets:DescribeNotificationsForBudget": "budgets:ViewBudget",
}


def policy(checks: Iterable[Check]) -> Json:
    """Return the policy of some checks, as IAM takes it.

    The resources are any: what an audit looks for is also what it does not know of yet.
    """
    actions = tuple(sorted({action(call) for check in checks for call in check.calls}))
    (document,) = policies([Statement("Audit", actions, ("*",))])
    return document


def action(call: str) -> str:
    """Return the permission of a call as boto3 names it."""
    if call in _ACTIONS:
        return _ACTIONS[call]
    service, _, operation = call.partition(":")
    return f"{_SERVICES.get(service, service)}:{operation}"
