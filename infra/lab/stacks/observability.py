"""``AWS::CloudWatch::*`` and ``AWS::Logs::LogGroup``: what is measured, and when somebody must hear of it."""

import json
from collections.abc import Callable
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, number
from infra.lab.stacks.typed import call_for

# What the lab's own evaluation of alarms obeys; the rest can be read back.
_ALARM_PHYSICS = frozenset(
    {
        "ActionsEnabled",
        "AlarmActions",
        "AlarmName",
        "ComparisonOperator",
        "DatapointsToAlarm",
        "Dimensions",
        "EvaluateLowSampleCountPercentile",
        "EvaluationPeriods",
        "ExtendedStatistic",
        "InsufficientDataActions",
        "MetricName",
        "Metrics",
        "Namespace",
        "OKActions",
        "Period",
        "Statistic",
        "Threshold",
        "TreatMissingData",
        "Unit",
    }
)
_COMPOSITE_PHYSICS = frozenset(
    {"ActionsEnabled", "AlarmActions", "AlarmName", "AlarmRule", "InsufficientDataActions", "OKActions"}
)


def _put_alarm(operation: str) -> Callable[[Request], Made]:
    def put(request: Request) -> Made:
        return _alarm(request, request.properties.get("AlarmName") or request.name(255), operation)

    return put


def _alarm(request: Request, name: str, operation: str) -> Made:
    alarms = request.client("cloudwatch")
    call = {key: value for key, value in dict(request.properties).items() if key != "Tags"}
    typed = call_for(alarms, operation, {**call, "AlarmName": name})
    put = alarms.put_metric_alarm if operation == "PutMetricAlarm" else alarms.put_composite_alarm
    put(**typed, Tags=request.tag_list())
    arn = f"arn:aws:cloudwatch:{request.region}:{request.account}:alarm:{name}"
    return Made(name, {"Arn": arn})


def _update_alarm(operation: str) -> Callable[[Request, Made], Made | None]:
    def update(request: Request, made: Made) -> Made | None:
        if "AlarmName" in request.changed():
            return None
        changed = _alarm(request, made.physical_resource_id, operation)
        _retag(request, changed.attributes["Arn"])
        return changed

    return update


def _retag(request: Request, arn: str) -> None:
    """Make tags those that the template wants: a second Put call leaves them as they are."""
    alarms = request.client("cloudwatch")
    if request.tags_gone():
        alarms.untag_resource(ResourceARN=arn, TagKeys=request.tags_gone())
    if request.tag_list():
        alarms.tag_resource(ResourceARN=arn, Tags=request.tag_list())


def _delete_alarm(request: Request, made: Made) -> None:
    request.client("cloudwatch").delete_alarms(AlarmNames=[made.physical_resource_id])


def _dashboard(request: Request) -> Made:
    name = request.properties.get("DashboardName") or request.name(255)
    return _put_dashboard(request, name)


def _put_dashboard(request: Request, name: str) -> Made:
    body = request.properties["DashboardBody"]
    text = body if isinstance(body, str) else json.dumps(body)
    request.client("cloudwatch").put_dashboard(
        DashboardName=name, DashboardBody=text, Tags=request.tag_list()
    )
    return Made(name)


def _update_dashboard(request: Request, made: Made) -> Made | None:
    if "DashboardName" in request.changed():
        return None
    changed = _put_dashboard(request, made.physical_resource_id)
    _retag(request, f"arn:aws:cloudwatch::{request.account}:dashboard/{made.physical_resource_id}")
    return changed


def _delete_dashboard(request: Request, made: Made) -> None:
    request.client("cloudwatch").delete_dashboards(DashboardNames=[made.physical_resource_id])


def _log_group(request: Request) -> Made:
    logs, wanted = request.client("logs"), request.properties
    name = wanted.get("LogGroupName") or request.name(512)
    call: dict[str, Any] = {"logGroupName": name, "tags": request.tag_map()}
    if "KmsKeyId" in wanted:
        call["kmsKeyId"] = wanted["KmsKeyId"]
    if "LogGroupClass" in wanted:
        call["logGroupClass"] = wanted["LogGroupClass"]
    logs.create_log_group(**call)
    _retain(request, name)
    return Made(name, {"Arn": _group_arn(request, name) + ":*"})


def _group_arn(request: Request, name: str) -> str:
    return f"arn:aws:logs:{request.region}:{request.account}:log-group:{name}"


def _retain(request: Request, name: str) -> None:
    logs, days = request.client("logs"), request.properties.get("RetentionInDays")
    if days is not None:
        logs.put_retention_policy(logGroupName=name, retentionInDays=number(days))
    elif "RetentionInDays" in request.before:
        logs.delete_retention_policy(logGroupName=name)


def _update_log_group(request: Request, made: Made) -> Made | None:
    changed, name = request.changed(), made.physical_resource_id
    if changed - {"RetentionInDays", "KmsKeyId", "Tags"}:
        return None
    logs, wanted = request.client("logs"), request.properties
    if "KmsKeyId" in changed and "KmsKeyId" in wanted:
        logs.associate_kms_key(logGroupName=name, kmsKeyId=wanted["KmsKeyId"])
    elif "KmsKeyId" in changed:
        logs.disassociate_kms_key(logGroupName=name)
    _retain(request, name)
    arn = _group_arn(request, name)
    if request.tags_gone():
        logs.untag_resource(resourceArn=arn, tagKeys=request.tags_gone())
    if request.tag_map():
        logs.tag_resource(resourceArn=arn, tags=request.tag_map())
    return made


def _delete_log_group(request: Request, made: Made) -> None:
    request.client("logs").delete_log_group(logGroupName=made.physical_resource_id)


TYPES = (
    ResourceType(
        "AWS::CloudWatch::Alarm",
        _put_alarm("PutMetricAlarm"),
        _delete_alarm,
        _update_alarm("PutMetricAlarm"),
        frozenset({"Arn"}),
        _ALARM_PHYSICS,
    ),
    ResourceType(
        "AWS::CloudWatch::CompositeAlarm",
        _put_alarm("PutCompositeAlarm"),
        _delete_alarm,
        _update_alarm("PutCompositeAlarm"),
        frozenset({"Arn"}),
        _COMPOSITE_PHYSICS,
    ),
    ResourceType("AWS::CloudWatch::Dashboard", _dashboard, _delete_dashboard, _update_dashboard),
    ResourceType("AWS::Logs::LogGroup", _log_group, _delete_log_group, _update_log_group, frozenset({"Arn"})),
)
