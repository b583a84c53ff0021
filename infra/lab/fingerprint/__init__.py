"""The fingerprint of everything drillable: equal before a drill and after its rollback.

It is read through the public AWS API alone, with Describe, Get and List calls, so that it
sees what a client of AWS sees. What is left out is published in :data:`IGNORED`, one reason
each; everything else changes the fingerprint.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from infra.lab.fingerprint import network, operations, stores
from infra.lab.fingerprint.ignored import IGNORED
from infra.lab.fingerprint.sections import Clients, Section, read

__all__ = ["GLOBAL", "IGNORED", "configuration", "fingerprint"]

GLOBAL = "global"
REGIONAL: tuple[Section, ...] = (*network.REGIONAL, *stores.REGIONAL, *operations.REGIONAL)
WITHOUT_REGION: tuple[Section, ...] = (
    *network.WITHOUT_REGION,
    *stores.WITHOUT_REGION,
    *operations.WITHOUT_REGION,
)
# Sections are read side by side: one waits for the API while another makes sense of its answer.
_AT_ONCE = 6
_STATUSES = {"TableStatus", "IndexStatus", "ReplicaStatus"}
_CAPACITY = {"ReadCapacityUnits", "WriteCapacityUnits"}


def fingerprint(clients: Clients, regions: Sequence[str]) -> str:
    """Return a digest of :func:`configuration`, the same for the same configuration."""
    return hashlib.sha256(json.dumps(configuration(clients, regions), sort_keys=True).encode()).hexdigest()


def configuration(clients: Clients, regions: Sequence[str]) -> dict[str, Any]:
    """Read everything drillable: by region, then by section, then by what names one.

    Args:
        clients: Gives boto3's client of a service in a region; called from several threads.
        regions: The regions to read; what has no region is read once, under ``global``.

    """
    asked = [(region, section, region) for region in regions for section in REGIONAL]
    asked += [(GLOBAL, section, regions[0]) for section in WITHOUT_REGION]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda one: read(one[1], clients, one[2]), asked)
    found: dict[str, Any] = {}
    for (place, section, _), answer in zip(asked, answers, strict=True):
        found.setdefault(place, {})[section.name] = answer
    for part in found.values():
        _without_scaled_capacity(part)
    whole: Any = _canonical(_named_by_ends(found), "")
    return dict(whole)


def _without_scaled_capacity(part: Mapping[str, Any]) -> None:
    """Say of a capacity that auto scaling moves only whether it is within its bounds, moving or not."""
    for target in part.get("scalable_targets", {}).values():
        _, table, *index = target["ResourceId"].split("/")
        units = target["ScalableDimension"].rpartition(":")[2]
        described = part.get("tables", {}).get(table)
        if units not in _CAPACITY or described is None:
            continue
        _without_motion(described)
        holders = described.get("GlobalSecondaryIndexes", ()) if index else [described]
        for holder in holders:
            capacity = holder.get("ProvisionedThroughput", {})
            if index and holder["IndexName"] != index[-1]:
                continue
            if target["MinCapacity"] <= capacity.get(units, -1) <= target["MaxCapacity"]:
                capacity[units] = "auto-scaled"


def _without_motion(described: dict[str, Any]) -> None:
    for part in (described, *described.get("GlobalSecondaryIndexes", ()), *described.get("Replicas", ())):
        for status in _STATUSES & part.keys():
            if part[status] == "UPDATING":
                part[status] = "ACTIVE"


def _named_by_ends(found: Mapping[str, Any]) -> object:
    """Replace the id of each peering, wherever it stands, by the VPCs that it joins.

    Also that of one that is gone: a stack goes on naming it when another has taken its place.
    """
    names = {
        peering_id: f"peering {one['RequesterVpcInfo']['VpcId']} {one['AccepterVpcInfo']['VpcId']}"
        for part in found.values()
        for peering_id, one in part.get("peerings", {}).items()
    }
    for part in found.values():
        listed = part.get("peerings", {})
        for peering_id in [name for name, one in listed.items() if one["Status"]["Code"] in network.GONE]:
            del listed[peering_id]
    return _renamed(found, names)


def _renamed(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, Mapping):
        return {names.get(key, key): _renamed(one, names) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


def _canonical(value: object, section: str, depth: int = 0) -> object:
    """Drop what is ignored, order every list, and make dates text."""
    if isinstance(value, Mapping):
        return {
            key: _canonical(one, key if depth == 1 else section, depth + 1)
            for key, one in value.items()
            if key != "ResponseMetadata" and f"{section}.{key}" not in IGNORED
        }
    if isinstance(value, (list, tuple)):
        ordered = [_canonical(one, section, depth + 1) for one in value]
        return sorted(ordered, key=lambda one: json.dumps(one, sort_keys=True))
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)
