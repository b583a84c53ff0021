"""CloudWatch's dashboards: refused where the console could not draw them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.exceptions import DashboardInvalidInputError
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from infra.lab.control_plane.mending import Function, replace

_KINDS = frozenset({"metric", "text", "log", "alarm", "explorer", "custom"})
_NEEDED = {"metric": ("region",), "text": ("markdown",), "log": ("query", "region"), "alarm": ("alarms",)}


def install() -> None:
    """Mend moto's dashboards."""
    replace(CloudWatchResponse, "put_dashboard", _put)
    replace(CloudWatchBackend, "delete_dashboards", _delete)
    replace(CloudWatchBackend, "tag_resource", _tag)


def _put(original: Function) -> Function:
    def put(response: CloudWatchResponse) -> ActionResult:
        try:
            body = json.loads(response._get_param("DashboardBody"))
        except ValueError as problem:
            msg = "The field DashboardBody must be a valid JSON object"
            raise DashboardInvalidInputError(msg) from problem
        wrong = list(_problems(body))
        if wrong:
            listed = json.dumps(wrong)
            msg = f"The dashboard body is invalid, there are {len(wrong)} validation errors: {listed}"
            raise DashboardInvalidInputError(msg)
        backend, name = response.cloudwatch_backend, response._get_param("DashboardName")
        is_new = name not in backend.dashboards
        answer: ActionResult = original(response)
        # Those of a dashboard that is there already change by TagResource alone.
        tags = response._get_param("Tags")
        if tags and is_new:
            backend.tagger.tag_resource(backend.dashboards[name].arn, tags)
        return answer

    return put


def _delete(original: Function) -> Function:
    def delete(backend: CloudWatchBackend, dashboards: list[str]) -> str | None:
        arns = [backend.dashboards[name].arn for name in dashboards if name in backend.dashboards]
        refused: str | None = original(backend, dashboards)
        if refused is None:
            for arn in arns:
                backend.tagger.delete_all_tags_for_resource(arn)
        return refused

    return delete


def _tag(original: Function) -> Function:
    def tag(backend: CloudWatchBackend, arn: str, tags: dict[str, str]) -> None:
        if any(dashboard.arn == arn for dashboard in backend.dashboards.values()):
            backend.tagger.tag_resource(arn, backend.tagger.convert_dict_to_tags_input(tags))
        else:
            original(backend, arn, tags)

    return tag


def _problems(body: Any) -> Iterator[dict[str, str]]:
    if not isinstance(body, dict) or not isinstance(body.get("widgets", []), list):
        yield {"dataPath": "", "message": "Should be an object with an array of widgets"}
        return
    for number, widget in enumerate(body.get("widgets", [])):
        path = f"/widgets/{number}"
        properties = widget.get("properties")
        if widget.get("type") not in _KINDS:
            yield {"dataPath": f"{path}/type", "message": "Should be one of the allowed values"}
        elif not isinstance(properties, dict):
            yield {"dataPath": path, "message": "Should have required property 'properties'"}
        else:
            for name in _NEEDED.get(widget["type"], ()):
                if name not in properties:
                    yield {
                        "dataPath": f"{path}/properties",
                        "message": f"Should have required property '{name}'",
                    }
