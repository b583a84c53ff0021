"""What Application Auto Scaling did to the capacity of tables, and the actions that moto lacks.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalingActivities.html
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeScalableTarget,
    applicationautoscaling_backends,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import dynamodb_backends

from infra.lab import world
from infra.lab.control_plane.dynamodb import update_table
from infra.lab.control_plane.mending import ACCOUNT, add
from infra.lab.control_plane.scaling import DYNAMODB, refuse, target_of
from infra.lab.control_plane.table_settings import ACTIVE, ON_DEMAND, regions_of, settings_of, throughputs
from infra.lab.control_plane.table_writes import wrap

_KEPT = 500


def install() -> None:
    """Give moto's Application Auto Scaling the actions that it lacks; safe to call again."""
    wrap(ApplicationAutoScalingResponse, "register_scalable_target", _registering)
    wrap(ApplicationAutoScalingResponse, "describe_scaling_policies", _describing_policies)
    add(ApplicationAutoScalingResponse, "describe_scaling_activities", _describe)
    add(ApplicationAutoScalingResponse, "list_tags_for_resource", _list_tags)
    add(ApplicationAutoScalingResponse, "tag_resource", _tag)
    add(ApplicationAutoScalingResponse, "untag_resource", _untag)


def scale(target: world.ScalingTarget, units: int, cause: str) -> bool:
    """Ask DynamoDB for another capacity, and keep an activity of it.

    Returns:
        Whether it was accepted; the new capacity is in force when the table is active again.

    """
    description = f"Setting {target.kind.lower()} capacity units to {units}."
    backend = dynamodb_backends[ACCOUNT]
    region, request = _request(target, units)
    problem = ""
    try:
        update_table(backend[region], request)
    except JsonRESTError as refusal:
        problem = str(refusal.message)
    _keep(target, description, cause, problem)
    return not problem


def _request(target: world.ScalingTarget, units: int) -> tuple[str, dict[str, Any]]:
    """Return in which region UpdateTable is called, and with what.

    Reads of one replica are set for it alone, which only another replica's region can do;
    else those of all replicas would change.
    """
    table = dynamodb_backends[ACCOUNT][target.region].get_table(target.table)
    others = [region for region in regions_of(table) if region != target.region]
    if target.kind == "Read" and others:
        return others[0], {
            "TableName": target.table,
            "ReplicaUpdates": [{"Update": _override(target, units)}],
        }
    whole = (
        table if not target.index else next(one for one in table.global_indexes if one.name == target.index)
    )
    now: Mapping[str, int] = whole.throughput
    throughput = {
        "ReadCapacityUnits": units if target.kind == "Read" else now["ReadCapacityUnits"],
        "WriteCapacityUnits": units if target.kind == "Write" else now["WriteCapacityUnits"],
    }
    request: dict[str, Any] = {"TableName": target.table, "ProvisionedThroughput": throughput}
    if target.index:
        update = {"IndexName": target.index, "ProvisionedThroughput": throughput}
        request = {"TableName": target.table, "GlobalSecondaryIndexUpdates": [{"Update": update}]}
    return target.region, request


def _override(target: world.ScalingTarget, units: int) -> dict[str, Any]:
    reads = {"ProvisionedThroughputOverride": {"ReadCapacityUnits": units}}
    if not target.index:
        return {"RegionName": target.region, **reads}
    return {
        "RegionName": target.region,
        "GlobalSecondaryIndexes": [{"IndexName": target.index, **reads}],
    }


def _activities(backend: ApplicationAutoscalingBackend) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = backend.__dict__.setdefault("activities", [])
    return found


def _keep(target: world.ScalingTarget, description: str, cause: str, problem: str) -> None:
    kind = "index" if target.index else "table"
    index = f"/index/{target.index}" if target.index else ""
    at = time.time()
    activity = {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": DYNAMODB,
        "ResourceId": f"table/{target.table}{index}",
        "ScalableDimension": f"dynamodb:{kind}:{target.kind}CapacityUnits",
        "Description": description,
        "Cause": cause,
        "StartTime": at,
    }
    if problem:
        wanted = description.removeprefix("Setting ").removesuffix(".")
        activity |= {
            "EndTime": at,
            "StatusCode": "Failed",
            "StatusMessage": f"Failed to set {wanted}. Reason: {problem}",
        }
    kept = _activities(applicationautoscaling_backends[ACCOUNT][target.region])
    kept.append(activity)
    del kept[:-_KEPT]


def _finished(activity: dict[str, Any], region: str) -> dict[str, Any]:
    """Return an activity as it is now: under way until the table is active again."""
    if "StatusCode" in activity:
        return activity
    name = activity["ResourceId"].split("/")[1]
    table = dynamodb_backends[ACCOUNT][region].tables.get(name)
    if table is not None and settings_of(table).status != ACTIVE:
        return {**activity, "StatusCode": "InProgress"}
    wanted = activity["Description"].removeprefix("Setting ").removesuffix(".")
    activity |= {
        "EndTime": time.time(),
        "StatusCode": "Successful",
        "StatusMessage": f"Successfully set {wanted}. Change successfully fulfilled by dynamodb.",
    }
    return activity


def _describe(response: ApplicationAutoScalingResponse) -> str:
    backend = response.applicationautoscaling_backend
    asked = {
        name: response._get_param(name) for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")
    }
    found = [
        _finished(one, backend.region_name)
        for one in reversed(_activities(backend))
        if all(value in {None, one[name]} for name, value in asked.items())
    ]
    begin = int(response._get_param("NextToken") or 0)
    end = begin + int(response._get_param("MaxResults") or 50)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return json.dumps({"ScalingActivities": found[begin:end], **more})


def _registering(original: Callable[..., str], response: ApplicationAutoScalingResponse) -> str:
    answer = original(response)
    arn = json.loads(answer)["ScalableTargetARN"]
    target = _target_of(response, arn)
    _tags(target).update(response._get_param("Tags") or {})
    if target.service_namespace == DYNAMODB:
        _bring_inside(response.applicationautoscaling_backend.region_name, target)
    return answer


def _bring_inside(region: str, target: FakeScalableTarget) -> None:
    """Change a capacity that is outside of a target's bounds when that is registered, unless it is changing.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    """
    wanted = target_of(region, target)
    table = dynamodb_backends[ACCOUNT][region].get_table(wanted.table)
    if table.billing_mode == ON_DEMAND or settings_of(table).status != ACTIVE:
        return
    now = int(dict(throughputs(table))[wanted.index][f"{wanted.kind}CapacityUnits"])
    for bound, units in (("minimum", wanted.minimum), ("maximum", wanted.maximum)):
        if now < units if bound == "minimum" else now > units:
            scale(wanted, units, f"{bound} capacity was set to {units}")


def _describing_policies(original: Callable[..., str], response: ApplicationAutoScalingResponse) -> str:
    answer, names = json.loads(original(response)), response._get_param("PolicyNames")
    if names:
        answer["ScalingPolicies"] = [one for one in answer["ScalingPolicies"] if one["PolicyName"] in names]
    return json.dumps(answer)


def _target_of(response: ApplicationAutoScalingResponse, arn: str = "") -> FakeScalableTarget:
    arn = arn or response._get_param("ResourceARN")
    by_dimension = response.applicationautoscaling_backend.targets.values()
    found = [target for by_id in by_dimension for target in by_id.values() if target.arn == arn]
    if not found:
        refuse("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")
    return found[0]


def _tags(target: FakeScalableTarget) -> dict[str, str]:
    found: dict[str, str] = target.__dict__.setdefault("tags", {})
    return found


def _list_tags(response: ApplicationAutoScalingResponse) -> str:
    return json.dumps({"Tags": _tags(_target_of(response))})


def _tag(response: ApplicationAutoScalingResponse) -> str:
    _tags(_target_of(response)).update(response._get_param("Tags") or {})
    return "{}"


def _untag(response: ApplicationAutoScalingResponse) -> str:
    tags = _tags(_target_of(response))
    for key in response._get_param("TagKeys") or ():
        tags.pop(key, None)
    return "{}"
