"""Application Auto Scaling in the control plane: what moto's lacks, and what it asks of DynamoDB.

Targets and policies are kept as AWS keeps them; the alarms behind a target-tracking policy are
not made, since the physics look at the consumed capacity itself. What was done, or could not be
done, is told by DescribeScalingActivities.
https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
    applicationautoscaling_backends,
)
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import dynamodb_backends

from infra.lab import world
from infra.lab.control_plane.mending import ACCOUNT, replace
from infra.lab.control_plane.table_writes import wrap

DYNAMODB = "dynamodb"
FLAGS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_ROLE = (
    "arn:aws:iam::{}:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
)
_KINDS = {"ReadCapacityUnits": "Read", "WriteCapacityUnits": "Write"}


def install() -> None:
    """Mend moto's Application Auto Scaling; safe to call again."""
    wrap(ApplicationAutoscalingBackend, "register_scalable_target", _registering)
    wrap(ApplicationAutoscalingBackend, "deregister_scalable_target", _deregistering)
    wrap(ApplicationAutoscalingBackend, "put_scaling_policy", _putting_policy)
    wrap(ApplicationAutoscalingBackend, "delete_scaling_policy", _deleting_policy)
    replace(ApplicationAutoscalingBackend, "describe_scaling_policies", lambda _: _policies)
    wrap(FakeApplicationAutoscalingPolicy, "create_alarms", _making_alarms)


def targets(regions: Sequence[str]) -> Iterator[world.ScalingTarget]:
    """Yield the capacities of tables that are scaled, each with its target-tracking policies."""
    for region in regions:
        backend = applicationautoscaling_backends[ACCOUNT][region]
        policies = list(backend.policies.values())
        for found in [one for by_id in list(backend.targets.values()) for one in list(by_id.values())]:
            if found.service_namespace == DYNAMODB:
                yield target_of(region, found, [one for one in policies if _scales(one, found)])


def _scales(policy: FakeApplicationAutoscalingPolicy, target: FakeScalableTarget) -> bool:
    return (policy.service_namespace, policy.resource_id, policy.scalable_dimension) == (
        target.service_namespace,
        target.resource_id,
        target.scalable_dimension,
    )


def target_of(
    region: str, target: FakeScalableTarget, policies: Sequence[FakeApplicationAutoscalingPolicy] = ()
) -> world.ScalingTarget:
    """Return a scalable target as the lab's physics know it, with those of its policies that are given."""
    table, index = names(target.resource_id)
    suspended: Mapping[str, bool] = _suspended(target)
    tracked = [(one, one.target_tracking_scaling_policy_configuration) for one in policies]
    return world.ScalingTarget(
        region=region,
        table=table,
        index=index,
        kind=_KINDS[target.scalable_dimension.rpartition(":")[2]],
        minimum=int(target.min_capacity or 0),
        maximum=int(target.max_capacity or 0),
        in_suspended=suspended[FLAGS[0]],
        out_suspended=suspended[FLAGS[1]],
        policies=tuple(_policy(one, config) for one, config in tracked if config is not None),
    )


def _policy(policy: FakeApplicationAutoscalingPolicy, config: Mapping[str, Any]) -> world.ScalingPolicy:
    return world.ScalingPolicy(
        name=policy.policy_name,
        target=float(config["TargetValue"]),
        out_cooldown_s=float(config.get("ScaleOutCooldown") or 0),
        in_cooldown_s=float(config.get("ScaleInCooldown") or 0),
        in_disabled=bool(config.get("DisableScaleIn")),
    )


def names(resource_id: str) -> tuple[str, str]:
    """Return the table and the index (or nothing) that a resource id of DynamoDB names."""
    table, _, index = resource_id.removeprefix("table/").partition("/index/")
    return table, index


def _suspended(target: FakeScalableTarget) -> dict[str, bool]:
    given: Any = target.suspended_state
    return {name: bool((given or {}).get(name, False)) for name in FLAGS}


def refuse(code: str, message: str) -> NoReturn:
    """Raise an error of Application Auto Scaling.

    Raises:
        JsonRESTError: Always.

    """
    raise JsonRESTError(code, message)


_PLACE = ("service_namespace", "resource_id", "scalable_dimension")
_REGISTER = ("namespace", "r_id", "dimension", "min_capacity", "max_capacity", "role_arn", "suspended_state")


def _registering(
    original: Callable[..., Any], backend: ApplicationAutoscalingBackend, *args: Any, **kwargs: Any
) -> FakeScalableTarget:
    given = dict(zip(_REGISTER, args, strict=False)) | kwargs
    known: Any = backend.targets.get(given["dimension"], {}).get(given["r_id"])
    _require_capacities(given, known)
    if given["namespace"] == DYNAMODB:
        _require_resource(backend, given["r_id"])
    before = dict.fromkeys(FLAGS, False) if known is None else _suspended(known)
    given["suspended_state"] = {**before, **(given.get("suspended_state") or {})}
    if known is None and not given.get("role_arn"):
        given["role_arn"] = _ROLE.format(backend.account_id)
    target: FakeScalableTarget = original(backend, **given)
    return target


def _require_capacities(given: Mapping[str, Any], known: FakeScalableTarget | None) -> None:
    least = given.get("min_capacity")
    most = given.get("max_capacity")
    if known is None and (least is None or most is None):
        refuse(
            "ValidationException",
            "MinCapacity and MaxCapacity are required when a scalable target is registered",
        )
    least = known.min_capacity if known is not None and least is None else least
    most = known.max_capacity if known is not None and most is None else most
    if int(least or 0) > int(most or 0):
        refuse("ValidationException", "Maximum capacity cannot be less than minimum capacity")


def _require_resource(backend: ApplicationAutoscalingBackend, resource_id: str) -> None:
    table, index = names(resource_id)
    found = dynamodb_backends[backend.account_id][backend.region_name].tables.get(table)
    if found is None:
        refuse("ValidationException", f"DynamoDB table does not exist: {resource_id}")
    elif index and index not in {one.name for one in found.global_indexes}:
        refuse("ValidationException", f"DynamoDB index does not exist: {resource_id}")


def _place(namespace: str, resource_id: str, dimension: str) -> str:
    return f"service namespace: {namespace}, resource ID: {resource_id}, scalable dimension: {dimension}"


def _deregistering(
    original: Callable[..., Any],
    backend: ApplicationAutoscalingBackend,
    namespace: str,
    r_id: str,
    dimension: str,
) -> None:
    """Deregister a target; its policies and scheduled actions go with it."""
    if r_id not in backend.targets.get(dimension, {}):
        refuse(
            "ObjectNotFoundException", f"No scalable target found for {_place(namespace, r_id, dimension)}"
        )
    original(backend, namespace, r_id, dimension)
    backend.policies = {
        key: one
        for key, one in backend.policies.items()
        if (one.resource_id, one.scalable_dimension) != (r_id, dimension)
    }
    backend.scheduled_actions = [
        one
        for one in backend.scheduled_actions
        if (one.resource_id, one.scalable_dimension) != (r_id, dimension)
    ]


def _putting_policy(
    original: Callable[..., Any], backend: ApplicationAutoscalingBackend, **kwargs: Any
) -> FakeApplicationAutoscalingPolicy:
    namespace, r_id = kwargs["service_namespace"], kwargs["resource_id"]
    dimension = kwargs["scalable_dimension"]
    if r_id not in backend.targets.get(dimension, {}):
        refuse(
            "ObjectNotFoundException",
            f"No scalable target registered for {_place(namespace, r_id, dimension)}",
        )
    key = FakeApplicationAutoscalingPolicy.formulate_key(namespace, r_id, dimension, kwargs["policy_name"])
    before = backend.policies.get(key)
    policy: FakeApplicationAutoscalingPolicy = original(backend, **kwargs)
    if before is not None:
        # moto makes another one; on AWS it stays the same policy.
        policy.policy_arn, policy.creation_time = before.policy_arn, before.creation_time
    return policy


def _deleting_policy(
    original: Callable[..., Any], backend: ApplicationAutoscalingBackend, *args: Any, **kwargs: Any
) -> None:
    given = dict(zip(("policy_name", *_PLACE), args, strict=False)) | kwargs
    namespace, r_id = given["service_namespace"], given["resource_id"]
    dimension, name = given["scalable_dimension"], given["policy_name"]
    key = FakeApplicationAutoscalingPolicy.formulate_key(namespace, r_id, dimension, name)
    if key not in backend.policies:
        where = _place(namespace, r_id, dimension)
        refuse("ObjectNotFoundException", f"No scaling policy found for {where}, policy name: {name}")
    original(backend, **given)


def _policies(backend: ApplicationAutoscalingBackend, **asked: Any) -> tuple[str | None, list[Any]]:
    """Return policies; moto takes those too whose resource id is only a part of the one asked for."""
    found = [
        one
        for one in backend.policies.values()
        if all(asked[name] in {None, "", getattr(one, name)} for name in _PLACE)
    ]
    begin = int(asked["next_token"] or 0)
    end = begin + (asked["max_results"] or len(found))
    return (str(end) if end < len(found) else None), found[begin:end]


def _making_alarms(original: Callable[..., Any], policy: FakeApplicationAutoscalingPolicy) -> None:
    if policy.service_namespace != DYNAMODB:
        original(policy)
