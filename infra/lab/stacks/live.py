"""What a stack has now: each resource with what it was made from, and how it may go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.cloudformation.models import Stack

from infra.lab.stacks.resource import Made, Request, ResourceType


@dataclass(slots=True)
class Live:
    """A resource that a stack has now.

    Attributes:
        kind: Its type.
        request: What it was asked to be, secrets and all.
        made: What became of it.
        declared: Its properties as the template declares them, without secrets.
        needs: The names of the resources that must outlive it.
        source: Its part of the template.
        attempted: A change that failed: the resource may be half of it.

    """

    kind: ResourceType
    request: Request
    made: Made
    declared: Mapping[str, Any]
    needs: frozenset[str]
    source: Mapping[str, Any]
    attempted: Request | None = None

    def is_wanted_as(self, other: "Live") -> bool:
        """Say whether a template wants nothing else of it than what it is."""
        same_kind = self.kind.name == other.kind.name
        same_tags = self.request.tags == other.request.tags
        return self.attempted is None and same_kind and same_tags and self.declared == other.declared


@dataclass(frozen=True, slots=True)
class Leftover:
    """A resource that a stack no longer wants.

    Attributes:
        name: Its name in the template.
        live: The resource.
        keep: ``Delete``, ``Retain`` or ``Snapshot``.
        replaced: Another one has its name now.

    """

    name: str
    live: Live
    keep: str
    replaced: bool


def live_of(stack: Stack) -> dict[str, Live]:
    """Return what a stack has now, by the names in its template."""
    found: dict[str, Live] = stack.__dict__.setdefault("live", {})
    return found


def policy(live: Live, attribute: str, *, created_now: bool = False) -> str:
    """Return how a resource goes: ``Delete``, ``Retain`` or ``Snapshot``.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html

    Args:
        live: The resource.
        attribute: ``DeletionPolicy`` or ``UpdateReplacePolicy``.
        created_now: Whether the same change made it that is being undone.

    """
    wanted = str(live.source.get(attribute, "Delete"))
    if wanted == "RetainExceptOnCreate":
        return "Delete" if created_now else "Retain"
    return wanted
