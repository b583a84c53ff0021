"""Contributor Insights of DynamoDB's tables: on or off, which moto does not keep.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/contributorinsights_HowItWorks.html
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from infra.lab.control_plane.mending import add
from infra.lab.control_plane.table_settings import settings_of

DEFAULT_MODE = "ACCESSED_AND_THROTTLED_KEYS"


def install() -> None:
    """Give moto's DynamoDB the actions of Contributor Insights."""
    add(DynamoHandler, "update_contributor_insights", _update)
    add(DynamoHandler, "describe_contributor_insights", _describe)
    add(DynamoHandler, "list_contributor_insights", _list)


def _update(handler: DynamoHandler) -> ActionResult:
    table, index = _asked(handler)
    on = settings_of(table).insights
    if handler.body["ContributorInsightsAction"] == "ENABLE":
        on[index] = handler.body.get("ContributorInsightsMode") or DEFAULT_MODE
    else:
        on.pop(index, None)
    return ActionResult(_shown(table, index))


def _describe(handler: DynamoHandler) -> ActionResult:
    return ActionResult(_shown(*_asked(handler)))


def _list(handler: DynamoHandler) -> ActionResult:
    name = handler.body.get("TableName")
    backend = handler.dynamodb_backend
    tables = [backend.get_table(name)] if name else list(backend.tables.values())
    summaries = [_shown(table, index) for table in tables for index in settings_of(table).insights]
    return ActionResult({"ContributorInsightsSummaries": summaries})


def _asked(handler: DynamoHandler) -> tuple[Table, str]:
    table = handler.dynamodb_backend.get_table(handler.body["TableName"])
    index = handler.body.get("IndexName") or ""
    if index:
        table.get_index(index, error_if_not=True)
    return table, index


def _shown(table: Table, index: str) -> dict[str, Any]:
    mode = settings_of(table).insights.get(index)
    shown = {"TableName": table.name, "ContributorInsightsStatus": "DISABLED" if mode is None else "ENABLED"}
    return {
        **shown,
        **({"IndexName": index} if index else {}),
        **({"ContributorInsightsMode": mode} if mode else {}),
    }
