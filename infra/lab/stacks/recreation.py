"""Whether a changed property needs another resource, as CloudFormation's published schemas say it.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

import importlib
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

# The schemas of types are the same in every region, but for types that are not in one.
_REGION = "us-east-1"


@cache
def _schema(kind: str) -> Mapping[str, Any]:
    # cfn-lint brings the schemas along; loading it takes half a second that only a change set needs.
    schemas = importlib.import_module("cfnlint.schema")
    try:
        found: Mapping[str, Any] = schemas.PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, kind).schema
    except schemas.ResourceNotFoundError:
        return {}
    return found


def recreation(kind: str, name: str) -> str:
    """Return ``Never``, ``Conditionally`` or ``Always``: whether changing a property replaces the resource.

    Args:
        kind: The resource's type.
        name: Of the top-level property.

    """
    schema = _schema(kind)
    if _names(schema.get("createOnlyProperties", ()), name) == "whole":
        return "Always"
    parts = (_names(schema.get(key, ()), name) for key in _MAYBE)
    return "Conditionally" if any(parts) else "Never"


_MAYBE = ("createOnlyProperties", "conditionalCreateOnlyProperties")


def _names(paths: Collection[str], name: str) -> str:
    whole = f"/properties/{name}"
    if whole in paths:
        return "whole"
    return "part" if any(path.startswith(f"{whole}/") for path in paths) else ""


def takes_tags(kind: str) -> bool:
    """Say whether a type's resources can be tagged."""
    return bool(_schema(kind).get("tagging", {}).get("taggable", False))
