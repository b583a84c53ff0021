"""Cost allocation tags: which tags of resources AWS Billing tells costs apart by.

A tag that somebody gives to a resource is known to Billing, and inactive until it is activated. On AWS
that takes up to a day; here it is known at once. The account of the lab pays for itself, so it may ask;
a member of an organisation may not.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_ListCostAllocationTags.html
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from moto.ce.models import CostExplorerBackend
from moto.ce.responses import CostExplorerResponse
from moto.core.exceptions import JsonRESTError
from moto.resourcegroupstaggingapi.models import resourcegroupstaggingapi_backends

from infra.lab.control_plane.mending import ACCOUNT, add

_INACTIVE = "Inactive"
_PAGE = 100
_regions: list[str] = []


def install(regions: Sequence[str]) -> None:
    """Give moto's Cost Explorer the tags; safe to call again.

    Args:
        regions: Where resources are looked for.

    """
    _regions[:] = regions
    add(CostExplorerResponse, "list_cost_allocation_tags", _list)
    add(CostExplorerResponse, "update_cost_allocation_tags_status", _update)


def _known() -> list[str]:
    """Return the keys of all tags that resources carry; those of AWS's own are others."""
    keys: set[str] = set()
    for region in _regions:
        backend, token = resourcegroupstaggingapi_backends[ACCOUNT][region], None
        while True:
            token, found = backend.get_tag_keys(token)
            keys.update(found)
            if token is None:
                break
    return sorted(key for key in keys if not key.startswith("aws:"))


def _changes(backend: CostExplorerBackend) -> dict[str, dict[str, str]]:
    """Return the tags whose status somebody has set."""
    changes: dict[str, dict[str, str]] = backend.__dict__.setdefault("cost_tags", {})
    return changes


def _list(response: CostExplorerResponse) -> str:
    asked, changes = json.loads(response.body), _changes(response.ce_backend)
    shown: list[dict[str, Any]] = [
        {"TagKey": key, "Type": "UserDefined", "Status": _INACTIVE, **changes.get(key, {})}
        for key in sorted({*_known(), *changes})
        if key in asked.get("TagKeys", [key])
    ]
    wanted = {key: asked[key] for key in ("Status", "Type") if asked.get(key)}
    found = [one for one in shown if all(one[key] == value for key, value in wanted.items())]
    begin = int(asked.get("NextToken") or 0)
    end = begin + min(int(asked.get("MaxResults") or _PAGE), _PAGE)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return json.dumps({"CostAllocationTags": found[begin:end], **more})


def _update(response: CostExplorerResponse) -> str:
    """Set the status of tags; all of them, or none if one is not known."""
    asked, known = json.loads(response.body)["CostAllocationTagsStatus"], _known()
    strange = [one["TagKey"] for one in asked if one["TagKey"] not in known]
    if strange:
        code = "ValidationException"
        raise JsonRESTError(
            code, f"Failed to update Cost Allocation Tag: Tag keys not found: {', '.join(strange)}"
        )
    changes, at = _changes(response.ce_backend), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for one in asked:
        if changes.get(one["TagKey"], {}).get("Status", _INACTIVE) != one["Status"]:
            changes[one["TagKey"]] = {"Status": one["Status"], "LastUpdatedDate": at}
    return json.dumps({"Errors": []})
