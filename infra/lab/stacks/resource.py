"""What a CloudFormation resource type is in the lab: create, update and delete through the AWS API."""

import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError


class Properties(Mapping[str, Any]):
    """A resource's properties, which know those that nobody asked for."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        """Take them."""
        self._values = dict(values or {})
        self._unread = set(self._values)

    def __getitem__(self, name: str) -> Any:
        """Return one, which is read from then on."""
        self._unread.discard(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._values)

    def unread(self) -> list[str]:
        """Return the names of those that nobody asked for: the lab does not know them."""
        return sorted(self._unread)

    def values_as_given(self) -> dict[str, Any]:
        """Return all of them without counting them as read."""
        return self._values


_SUFFIX = string.ascii_uppercase + string.digits
_GONE = ("NotFound", "NoSuch", "NotAssociated", "Unknown", "DoesNotExist")


@dataclass(frozen=True, slots=True)
class Request:
    """One resource to be made, changed or deleted.

    Attributes:
        client: Returns a boto3 client of the stack's region, or of a named one.
        region: The stack's region.
        account: The stack's account.
        stack: The stack's name.
        logical_id: The resource's name in the template.
        properties: Its properties with everything resolved.
        tags: The stack's own tags.
        keep: What the template wants when it goes: ``Delete``, ``Retain`` or ``Snapshot``.
        before: In an update, its properties until now.
        tags_before: In an update, the stack's own tags until now.

    """

    client: Callable[..., Any]
    region: str
    account: str
    stack: str
    logical_id: str
    properties: Properties
    tags: Mapping[str, str]
    keep: str = "Delete"
    before: Properties = field(default_factory=Properties)
    tags_before: Mapping[str, str] = field(default_factory=dict)

    def changed(self) -> set[str]:
        """Return the names of the properties that an update changes; ``Tags`` if the stack's own differ."""
        before, now = self.before.values_as_given(), self.properties.values_as_given()
        changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
        return changed | ({"Tags"} if self.tags != self.tags_before else set())

    def tags_gone(self, key: str = "Tags") -> list[str]:
        """Return the keys of the tags that an update takes away."""
        before = {*self.tags_before, *(tag["Key"] for tag in self.before.get(key) or ())}
        return sorted(before - self.tag_map(key).keys())

    def name(self, longest: int = 64) -> str:
        """Return a name as CloudFormation makes it: stack, logical id, random letters."""
        suffix = "".join(secrets.choice(_SUFFIX) for _ in range(12))
        return f"{self.stack}-{self.logical_id}"[: longest - 13].rstrip("-") + f"-{suffix}"

    def tag_list(self, key: str = "Tags") -> list[dict[str, str]]:
        """Return the resource's tags with the stack's, each as ``Key`` and ``Value``."""
        return [{"Key": name, "Value": value} for name, value in self.tag_map(key).items()]

    def tag_map(self, key: str = "Tags") -> dict[str, str]:
        """Return the resource's tags with the stack's, by key."""
        own = {tag["Key"]: str(tag["Value"]) for tag in self.properties.get(key) or ()}
        return {**self.tags, **own}


@dataclass(slots=True)
class Made:
    """A resource that exists; moto's stacks hold these and read the first three attributes.

    Attributes:
        physical_resource_id: What ``Ref`` gives.
        attributes: What ``Fn::GetAtt`` gives.

    """

    physical_resource_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    logical_resource_id: str = ""
    cf_resource_type: str = ""

    def get_cfn_attribute(self, name: str) -> Any:
        """Return an attribute for ``Fn::GetAtt``.

        Raises:
            ValueError: The type has no such attribute.

        """
        if name not in self.attributes:
            msg = f"{self.cf_resource_type} {self.logical_resource_id} has no attribute {name}"
            raise ValueError(msg)
        return self.attributes[name]

    def is_created(self) -> bool:
        """Say that it is there (moto asks)."""
        return True


def _in_its_place(_request: Request, _made: Made) -> Made | None:
    return None


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type.

    Attributes:
        name: For example ``AWS::EC2::VPC``.
        create: Makes one.
        delete: Deletes one; an error that says it is gone counts as done.
        update: Changes one in place and returns it; None where another must take its place.
        attributes: Names for ``Fn::GetAtt``.
        physics: Names of the properties that something in the lab obeys. The others can be
            read back through the service's Describe call and do nothing; ``drill lab status``
            lists those of them that a deployed stack uses.

    """

    name: str
    create: Callable[[Request], Made]
    delete: Callable[[Request, Made], None]
    update: Callable[[Request, Made], Made | None] = _in_its_place
    attributes: frozenset[str] = frozenset()
    physics: frozenset[str] = frozenset()

    def has_cfn_attr(self, name: str) -> bool:
        """Tell moto's check of outputs whether an attribute exists."""
        return name in self.attributes

    def remove(self, request: Request, made: Made) -> None:
        """Delete one that may be gone already."""
        try:
            self.delete(request, made)
        except ClientError as problem:
            if not any(word in problem.response["Error"]["Code"] for word in _GONE):
                raise


TYPES: dict[str, ResourceType] = {}
"""Every type of ours by name, filled by :func:`infra.lab.stacks.install`."""


def chosen(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return those of the named properties that are there."""
    return {name: properties[name] for name in names if name in properties}


def number(value: object) -> int:
    """Return a number that a template may have written as text."""
    return int(str(value))


def truth(value: object) -> bool:
    """Return a truth value that a template may have written as text."""
    return value is True or str(value).lower() == "true"
