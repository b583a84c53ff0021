"""Suspends the auto scaling of a DynamoDB table and its indexes in one region.

Reads are suspended too: an update of a table names reads and writes together, so that what AWS
itself undoes at the drill's deadline must still fit. Without suspension auto scaling would put
back what a drill lowers. https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drill.faults.contract import ApiCall, Call, DeadMan, Fault, Intent, Resource
from drill.faults.reads import all_agree
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

SERVICE = "application-autoscaling"
_NAMESPACE = "dynamodb"
FLAGS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_SUSPENDED: Mapping[str, Json] = dict.fromkeys(FLAGS, True)
_OF_TABLES = {"StringEquals": {"application-autoscaling:service-namespace": _NAMESPACE}}

_Key = tuple[str, str]
"""A scalable target: its resource and its dimension."""


@dataclass(frozen=True, slots=True)
class ScalingSuspension(Fault):
    """Sets the suspended state of a table's scalable targets.

    Attributes:
        region: Where they are registered; each region of a global table has its own.
        table_arn: The table in that region.

    """

    region: str
    table_arn: str

    kind = "scaling-suspension"
    plain_undo = True

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of all scalable targets, and writes of those of tables."""
        on = (f"arn:{{partition}}:{SERVICE}:{self.region}:{{account}}:scalable-target/*",)
        return (
            Call("capture", SERVICE, "DescribeScalableTargets"),
            Call("inject", SERVICE, "RegisterScalableTarget", on, _OF_TABLES),
            Call("undo", SERVICE, "DescribeScalableTargets"),
            Call("undo", SERVICE, "RegisterScalableTarget", on, _OF_TABLES),
            Call("undone", SERVICE, "DescribeScalableTargets"),
        )

    @property
    def dead_man_note(self) -> str:
        """Say what the calls do."""
        return f"auto scaling of table {self._name} in {self.region} is resumed, each target by a call"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return a call for each target, which sets its state as it was."""
        calls = tuple(
            ApiCall(SERVICE, self.region, "RegisterScalableTarget", _request(key, state))
            for key, state in _states(before).items()
            if state != _SUSPENDED
        )
        return DeadMan(calls, self.dead_man_note)

    def describe(self) -> str:
        """Say what is changed."""
        return f"auto scaling of table {self._name} and its indexes in {self.region} is suspended"

    def touches(self) -> tuple[Resource, ...]:
        """Return the table: what scales it carries no tags of its own."""
        return (Resource("table", "dynamodb", self.region, self.table_arn),)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return the state of each scalable target of the table; none where nothing scales it."""
        targets: list[Json] = [
            {"resource": resource, "dimension": dimension, "state": state}
            for (resource, dimension), state in sorted(self._read(aws).items())
        ]
        return {"targets": targets}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Suspend each that is not."""
        for key, state in _states(before).items():
            if state != _SUSPENDED:
                self._set(aws, key, _SUSPENDED)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Resume each that is suspended as this fault suspends it; what others have set stays."""
        now = self._read(aws)
        drift = []
        for key, state in _states(before).items():
            if key not in now:
                drift.append(f"{' '.join(key)} is scaled no more; see: {self._see}")
            elif now[key] == _SUSPENDED != state:
                self._set(aws, key, state)
            elif now[key] != state:
                drift.append(f"{' '.join(key)} is suspended in another way than before; see: {self._see}")
        return tuple(drift)

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether none is suspended as this fault suspends it, unless it was before."""
        return all_agree(lambda: not self._left(aws, before))

    @property
    def _name(self) -> str:
        return self.table_arn.rpartition("/")[2]

    @property
    def _see(self) -> str:
        return (
            f"aws application-autoscaling describe-scalable-targets --region {self.region} "
            f"--service-namespace {_NAMESPACE}"
        )

    def _left(self, aws: "Aws", before: Mapping[str, Json]) -> list[_Key]:
        now = self._read(aws)
        return [key for key, state in _states(before).items() if now.get(key) == _SUSPENDED != state]

    def _read(self, aws: "Aws") -> dict[_Key, Mapping[str, Json]]:
        return dict(scalable_targets(aws, self.region, self._name))

    def _set(self, aws: "Aws", key: _Key, state: Mapping[str, Json]) -> None:
        aws.client(SERVICE, self.region).register_scalable_target(**_request(key, state))


def scalable_targets(aws: "Aws", region: str, table: str) -> Iterator[tuple[_Key, Mapping[str, Json]]]:
    """Yield what is scaled of a table and its indexes, with its suspended state."""
    pages = aws.client(SERVICE, region).get_paginator("describe_scalable_targets")
    for page in pages.paginate(ServiceNamespace=_NAMESPACE):
        for one in page["ScalableTargets"]:
            resource = one["ResourceId"]
            if resource == f"table/{table}" or resource.startswith(f"table/{table}/index/"):
                state = one.get("SuspendedState", {})
                yield (resource, one["ScalableDimension"]), {name: bool(state.get(name)) for name in FLAGS}


def _states(before: Mapping[str, Json]) -> dict[_Key, Mapping[str, Json]]:
    targets: Any = before["targets"]
    return {(one["resource"], one["dimension"]): one["state"] for one in targets}


def _request(key: _Key, state: Mapping[str, Json]) -> dict[str, Any]:
    """Return a request that changes the state and, as AWS has it, nothing that it does not name."""
    resource, dimension = key
    return {
        "ServiceNamespace": _NAMESPACE,
        "ResourceId": resource,
        "ScalableDimension": dimension,
        "SuspendedState": dict(state),
    }
