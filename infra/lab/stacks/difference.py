"""What would change if a stack became what a template wants: the list that a change set shows.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

import graphlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack

from infra.lab.stacks import template as templates
from infra.lab.stacks.live import Live, live_of, policy
from infra.lab.stacks.recreation import recreation, takes_tags
from infra.lab.stacks.scope import NotYetKnown, Scope

_POLICIES = ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
_UNKNOWN = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that would change.

    Attributes:
        name: Its name in the template.
        kind: Its type.
        action: ``Add``, ``Modify`` or ``Remove``.
        physical_id: Of the resource that is there; empty for a new one.
        replacement: ``True``, ``Conditional``, ``False``; empty unless it is modified.
        details: Why, as the API shows it.
        policy_action: What becomes of the resource that goes, as the API names it; empty if none does.

    """

    name: str
    kind: str
    action: str
    physical_id: str = ""
    replacement: str = ""
    details: tuple[Mapping[str, Any], ...] = ()
    policy_action: str = ""

    def shown(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        scope = sorted({str(detail["Target"]["Attribute"]) for detail in self.details})
        return {
            "PolicyAction": self.policy_action or None,
            "Action": self.action,
            "LogicalResourceId": self.name,
            "PhysicalResourceId": self.physical_id or None,
            "ResourceType": self.kind,
            "Replacement": self.replacement or None,
            "Scope": scope,
            "Details": list(self.details),
        }


def changes(stack: Stack, wanted: Scope, tags: Mapping[str, str]) -> list[Change]:
    """Return what would change, in the order in which it would be done, removals last.

    Args:
        stack: The stack as it is.
        wanted: The scope of the template that it should follow.
        tags: The stack's tags from then on.

    Raises:
        ValidationError: A resource's type would change, which no update can do.

    """
    return list(_Comparison(stack, wanted, tags).run())


class _Comparison:
    def __init__(self, stack: Stack, wanted: Scope, tags: Mapping[str, str]) -> None:
        self._live = live_of(stack)
        self._before: Mapping[str, Any] = stack.resource_map.resolved_parameters
        self._scope = wanted
        self._retagged = dict(tags) != dict(stack.tags)
        # By name, how a resource changes: what refers to one that is new or replaced changes too.
        self._changed: dict[str, Change] = {}

    def run(self) -> Iterator[Change]:
        wanted = self._scope.wanted()
        self._refuse_other_types(wanted)
        graph = {
            name: needed & wanted.keys() for name, needed in templates.needs(self._scope.template).items()
        }
        for name in graphlib.TopologicalSorter(graph).static_order():
            if name not in wanted:
                continue
            change = self._compare(name, wanted[name])
            if change is not None:
                self._changed[name] = change
                yield change
            if name in self._live and (change is None or change.replacement == "False"):
                self._scope.resources[name] = self._live[name].made
        for name, one in self._live.items():
            if name not in wanted:
                action = policy(one, "DeletionPolicy")
                yield Change(
                    name, one.kind.name, "Remove", one.made.physical_resource_id, policy_action=action
                )

    def _refuse_other_types(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        others = [
            name
            for name, one in self._live.items()
            if name in wanted and wanted[name]["Type"] != one.kind.name
        ]
        if others:
            raise ValidationError(
                message="Update of resource type is not permitted. The new template modifies resource type of"
                f" the following resources: [{', '.join(sorted(others))}]"
            )

    def _compare(self, name: str, source: Mapping[str, Any]) -> Change | None:
        kind = str(source["Type"])
        if name not in self._live:
            return Change(name, kind, "Add")
        one = self._live[name]
        details = [*self._of_properties(one, source), *self._of_tags(one), *_of_policies(one, source)]
        if not details:
            return None
        replacement = _replacement(details)
        after = "" if replacement == "False" else f"ReplaceAnd{_how(source)}"
        physical_id = one.made.physical_resource_id
        return Change(name, kind, "Modify", physical_id, replacement, tuple(details), after)

    def _of_properties(self, one: Live, source: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        former, now = one.source.get("Properties") or {}, source.get("Properties") or {}
        for name in sorted({*former, *now}):
            value = self._value(now[name]) if name in now else None
            differs = value != one.declared.get(name)
            if one.attempted is not None:
                differs = True
            dynamic = value is _UNKNOWN or (not differs and self._may_follow(now.get(name)))
            if differs or dynamic:
                yield from self._reasons(one, name, (former.get(name), now.get(name)), value)

    def _value(self, raw: Any) -> Any:
        try:
            return self._scope.value(raw)
        except NotYetKnown:
            return _UNKNOWN

    def _may_follow(self, raw: Any) -> bool:
        """Say whether a value takes an attribute of a resource that is modified in place."""
        return any(attribute and name in self._changed for name, attribute in templates.references(raw))

    def _reasons(self, one: Live, name: str, raw: tuple[Any, Any], value: Any) -> Iterator[dict[str, Any]]:
        attribute = "Tags" if name == "Tags" else "Properties"
        target: dict[str, Any] = {
            "Attribute": attribute,
            "RequiresRecreation": recreation(one.kind.name, name),
        }
        if attribute == "Properties":
            target["Name"] = name
        if name in one.declared:
            target["BeforeValue"] = _shown(one.declared[name])
        if value is not _UNKNOWN and value is not None:
            target["AfterValue"] = _shown(value)
        found = False
        for source, cause, static in self._causes(raw[1]):
            found = True
            evaluation = "Static" if static else "Dynamic"
            yield {"Target": target, "Evaluation": evaluation, "ChangeSource": source, "CausingEntity": cause}
        if raw[0] != raw[1] or not found:
            yield {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}

    def _causes(self, raw: Any) -> Iterator[tuple[str, str, bool]]:
        """Yield what a changed value takes from elsewhere: kind, name, and whether it changes for certain."""
        after = self._scope.resolved_parameters
        for name, attribute in dict.fromkeys(templates.references(raw)):
            if name in after and after[name] != self._before.get(name):
                yield "ParameterReference", name, True
            elif name in self._changed:
                sure = self._changed[name].replacement in {"True", ""}
                if attribute:
                    yield "ResourceAttribute", f"{name}.{attribute}", sure
                elif self._changed[name].replacement != "False":
                    yield "ResourceReference", name, sure

    def _of_tags(self, one: Live) -> Iterator[dict[str, Any]]:
        if self._retagged and takes_tags(one.kind.name):
            target = {"Attribute": "Tags", "RequiresRecreation": "Never"}
            yield {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}


def _of_policies(one: Live, source: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _POLICIES:
        if one.source.get(name) != source.get(name):
            target = {"Attribute": name, "RequiresRecreation": "Never"}
            yield {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}


def _replacement(details: list[dict[str, Any]]) -> str:
    needs = {(detail["Target"]["RequiresRecreation"], detail["Evaluation"]) for detail in details}
    if ("Always", "Static") in needs:
        return "True"
    maybe = {("Always", "Dynamic"), ("Conditionally", "Static"), ("Conditionally", "Dynamic")}
    return "Conditional" if needs & maybe else "False"


def _how(source: Mapping[str, Any]) -> str:
    wanted = str(source.get("UpdateReplacePolicy", "Delete"))
    return "Retain" if wanted.startswith("Retain") else wanted


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
