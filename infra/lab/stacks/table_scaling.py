"""Scaling of capacity: ``AWS::ApplicationAutoScaling::*``, and what a global table registers of it.

A global table's writes are scaled in every region, since write capacity is the same
everywhere; reads are scaled by each replica.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.lab.stacks import table_template as template
from infra.lab.stacks.resource import Made, Properties, Request, ResourceType, chosen
from infra.lab.stacks.typed import call_for

_SERVICE = "application-autoscaling"
_NAMESPACE = {"ServiceNamespace": "dynamodb"}
_PREDEFINED = {
    "ReadCapacityUnits": "DynamoDBReadCapacityUtilization",
    "WriteCapacityUnits": "DynamoDBWriteCapacityUtilization",
}
_SAME = ("ServiceNamespace", "ResourceId", "ScalableDimension")


@dataclass(frozen=True, slots=True)
class _Scaled:
    """One capacity of a table, or of an index, that is scaled in a region."""

    region: str
    resource_id: str
    dimension: str
    settings: Mapping[str, Any]

    @property
    def target(self) -> dict[str, str]:
        """What names the scalable target."""
        return {**_NAMESPACE, "ResourceId": self.resource_id, "ScalableDimension": self.dimension}

    @property
    def policy(self) -> dict[str, Any]:
        """The target-tracking policy as PutScalingPolicy takes it."""
        metric = _PREDEFINED[self.dimension.rpartition(":")[2]]
        tracked = self.settings["TargetTrackingScalingPolicyConfiguration"]
        return {
            **self.target,
            "PolicyName": f"{metric}:{self.resource_id}",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                **tracked,
                "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            },
        }


def _wanted(properties: Mapping[str, Any], region: str, name: str) -> Iterator[_Scaled]:
    if template.billing_mode(properties) != template.PROVISIONED:
        return
    for place, replica in template.replicas(properties, region).items():
        for index, whole in {"": properties, **template.indexes(properties)}.items():
            own = template.of_index(replica, index) if index else replica
            kind = "index" if index else "table"
            resource_id = f"table/{name}/index/{index}" if index else f"table/{name}"
            found = {
                "ReadCapacityUnits": template.read_scaling(own, whole),
                "WriteCapacityUnits": template.write_scaling(whole),
            }
            for units, settings in found.items():
                if settings is not None:
                    yield _Scaled(place, resource_id, f"dynamodb:{kind}:{units}", settings)


def register(request: Request, name: str, only: str = "") -> None:
    """Register what a global table wants scaled, with a policy each; a second time changes them.

    Args:
        request: The table's.
        name: The table's name.
        only: Do it in this region alone.

    """
    for one in _wanted(request.properties, request.region, name):
        if only and one.region != only:
            continue
        client = request.client(_SERVICE, one.region)
        target = {**one.target, **chosen(one.settings, "MinCapacity", "MaxCapacity")}
        client.register_scalable_target(**call_for(client, "RegisterScalableTarget", target))
        client.put_scaling_policy(**call_for(client, "PutScalingPolicy", one.policy))


def deregister_unwanted(request: Request, name: str) -> None:
    """Deregister what was scaled before an update and is not afterwards."""
    keep = {
        (one.region, one.resource_id, one.dimension)
        for one in _wanted(request.properties, request.region, name)
    }
    _deregister(request, request.before, name, keep)


def deregister_all(request: Request, name: str) -> None:
    """Deregister everything of a table."""
    _deregister(request, request.properties, name, set())


def _deregister(
    request: Request, properties: Mapping[str, Any], name: str, keep: set[tuple[str, str, str]]
) -> None:
    for one in _wanted(properties, request.region, name):
        if (one.region, one.resource_id, one.dimension) in keep:
            continue
        try:
            request.client(_SERVICE, one.region).deregister_scalable_target(**one.target)
        except ClientError as problem:
            if problem.response["Error"]["Code"] not in {"ObjectNotFoundException", "ValidationException"}:
                raise


def _target(request: Request) -> Made:
    wanted, client = request.properties, request.client(_SERVICE)
    call = chosen(wanted, *_SAME, "MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState")
    call["Tags"] = request.tag_map()
    client.register_scalable_target(**call_for(client, "RegisterScalableTarget", call))
    actions = {one["ScheduledActionName"]: one for one in wanted.get("ScheduledActions") or ()}
    before = {one["ScheduledActionName"] for one in request.before.get("ScheduledActions") or ()}
    same = chosen(wanted, *_SAME)
    for gone in sorted(before - actions.keys()):
        client.delete_scheduled_action(ScheduledActionName=gone, **_without_text(same))
    for one in actions.values():
        client.put_scheduled_action(**call_for(client, "PutScheduledAction", {**same, **one}))
    physical = "|".join(str(wanted[name]) for name in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
    return Made(physical, {"Id": physical})


def _without_text(same: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in same.items()}


def _update_target(request: Request, _made: Made) -> Made | None:
    return None if request.changed() & set(_SAME) else _target(request)


def _delete_target(request: Request, _made: Made) -> None:
    same = chosen(request.properties, *_SAME)
    try:
        request.client(_SERVICE).deregister_scalable_target(**same)
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ObjectNotFoundException":
            raise


def _place(properties: Properties) -> dict[str, str]:
    """Return what a policy scales: named itself, or by the id of its target."""
    if "ScalingTargetId" in properties:
        resource_id, dimension, namespace = str(properties["ScalingTargetId"]).split("|")
        return {"ServiceNamespace": namespace, "ResourceId": resource_id, "ScalableDimension": dimension}
    return chosen(properties, *_SAME)


def _policy(request: Request) -> Made:
    wanted, client = request.properties, request.client(_SERVICE)
    call = _place(wanted) | chosen(
        wanted,
        "PolicyName",
        "PolicyType",
        "StepScalingPolicyConfiguration",
        "TargetTrackingScalingPolicyConfiguration",
    )
    made = client.put_scaling_policy(**call_for(client, "PutScalingPolicy", call))
    return Made(made["PolicyARN"], {"Arn": made["PolicyARN"]})


def _update_policy(request: Request, _made: Made) -> Made | None:
    if request.changed() & {*_SAME, "ScalingTargetId", "PolicyName"}:
        return None
    return _policy(request)


def _delete_policy(request: Request, _made: Made) -> None:
    call = {**_place(request.properties), "PolicyName": request.properties["PolicyName"]}
    try:
        request.client(_SERVICE).delete_scaling_policy(**call)
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ObjectNotFoundException":
            raise


TYPES = (
    ResourceType(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        _target,
        _delete_target,
        _update_target,
        frozenset({"Id"}),
        frozenset({*_SAME, "MinCapacity", "MaxCapacity", "SuspendedState"}),
    ),
    ResourceType(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        _policy,
        _delete_policy,
        _update_policy,
        frozenset({"Arn"}),
        frozenset(
            {
                *_SAME,
                "PolicyName",
                "PolicyType",
                "ScalingTargetId",
                "TargetTrackingScalingPolicyConfiguration",
            }
        ),
    ),
)
