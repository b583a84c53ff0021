"""What a system's stacks leave behind when they are deleted.

CloudFormation keeps the events of deleted stacks for 90 days, see
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html. What a
stack retained is there as ``DELETE_SKIPPED``; a cluster leaves its final snapshot. What is older
is found by its names and tags.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra import leftovers, stack_events
from infra.deploy_config import DeployConfig
from infra.deploy_stacks import waves
from infra.kept import CLUSTER, SNAPSHOT, Kept
from infra.stack_events import StackEvent
from infra.stack_states import ClientFactory

# By what the data stack calls it, in both regions; see infra/stacks/data.yaml.
_CLUSTER = "Cluster"
_ROLES = ("primary", "standby")


def left_behind(client_of: ClientFactory, config: DeployConfig) -> tuple[Kept, ...]:
    """Return what the system's stacks left behind, in a fixed order; some of it may be gone since.

    Cluster snapshots that CloudFormation did not take are among them, marked as foreign.
    """
    found: dict[tuple[str, str, str], Kept] = {}
    finals = {f"{config.name}-{role}": {_final(f"{config.name}-data", _CLUSTER)} for role in _ROLES}
    for region in config.regions:
        for stack, event in _events(client_of("cloudformation", region), _names(config, region)):
            if event.resource_type == CLUSTER and event.physical_id:
                finals.setdefault(event.physical_id, set()).add(_final(stack, event.logical_id))
            if event.status == stack_events.SKIPPED and event.physical_id:
                item = Kept(region, event.resource_type, event.physical_id)
                found[item.region, item.resource_type, item.physical_id] = item
    besides = [*leftovers.in_the_way(client_of, config), *leftovers.keys(client_of, config)]
    for region in config.regions:
        besides += _snapshots(client_of("rds", region), region, finals)
    for item in besides:
        found.setdefault((item.region, item.resource_type, item.physical_id), item)
    return tuple(sorted(found.values()))


def _final(stack: str, logical_id: str) -> str:
    """Return the pattern of the names that CloudFormation gives to a cluster's final snapshots.

    Stack and logical id, then twelve letters and digits; RDS makes them small. It is written in the
    resource type itself, ``DeleteHandler`` of ``AWS::RDS::DBCluster`` in
    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds
    """
    return rf"{re.escape(stack)}-snapshot-{re.escape(logical_id)}-[a-z0-9]{{8,16}}".lower()


def _names(config: DeployConfig, region: str) -> set[str]:
    parts = [part for wave in waves(config) for part in wave]
    return {part.stack_name(config.name) for part in parts if part.region == region}


def _events(client: Any, names: set[str]) -> Iterator[tuple[str, StackEvent]]:  # noqa: ANN401 (boto3 clients have no static type)
    """Yield the events of every stack of these names, deleted ones too, each with its stack's name."""
    for page in client.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            if stack["StackName"] in names:
                for event in stack_events.since(client, stack["StackId"], ""):
                    yield stack["StackName"], event


def _snapshots(rds: Any, region: str, finals: Mapping[str, set[str]]) -> Iterator[Kept]:  # noqa: ANN401
    """Yield the snapshots of clusters that somebody took, and those that CloudFormation took at their end.

    Args:
        rds: A client.
        region: Where it looks.
        finals: By cluster, the patterns of the names of CloudFormation's own.

    """
    pages = rds.get_paginator("describe_db_cluster_snapshots").paginate(SnapshotType="manual")
    for page in pages:
        for snapshot in page["DBClusterSnapshots"]:
            name, cluster = snapshot["DBClusterSnapshotIdentifier"], snapshot["DBClusterIdentifier"]
            if cluster in finals:
                ours = any(re.fullmatch(pattern, name) for pattern in finals[cluster])
                foreign = "" if ours else "CloudFormation did not take it; somebody did, and may want it"
                yield Kept(region, SNAPSHOT, name, foreign)
