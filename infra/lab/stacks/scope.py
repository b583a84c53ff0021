"""Works out what a template says: parameters, conditions, and the functions in its values.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from infra.lab.stacks import parameters
from infra.lab.stacks.resource import Made

_SUB = re.compile(r"\$\{([^{}]+)\}")
_PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


class _Nothing:
    """What ``AWS::NoValue`` is: the key or the item that has it is left out."""


_NOTHING = _Nothing()


class NotYetKnown(Exception):
    """A value depends on a resource that is not made yet; the text is its name."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack is, and what it may ask there.

    Attributes:
        account: The account's number.
        region: The region.
        stack_id: The stack's ARN.
        stack_name: Its name.
        exports: Returns the exported values of the region's stacks, by name.
        zones: Returns the availability zones of a region.

    """

    account: str
    region: str
    stack_id: str
    stack_name: str
    exports: Callable[[], Mapping[str, str]]
    zones: Callable[[str], list[str]]


class Scope:
    """Everything that the functions of one template may refer to.

    Attributes:
        template: The template.
        resolved_parameters: The parameters' values, in the types that the template declares.
        no_echo_parameter_keys: Names of those that are not shown.
        resources: Those that are made, by name; filled while a stack is made.

    """

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, Any], place: Place) -> None:
        """Read a template with its parameters.

        Raises:
            ValidationError: A parameter is missing, unknown or not allowed.

        """
        declared = template.get("Parameters") or {}
        self.template = template
        self.place = place
        self.resolved_parameters = parameters.values(declared, given)
        self.no_echo_parameter_keys = [
            name for name, slot in declared.items() if str(slot.get("NoEcho", "")).lower() == "true"
        ]
        self.resources: dict[str, Made] = {}
        self._conditions: dict[str, bool] = {}
        self._pseudo = {
            **_PSEUDO,
            "AWS::AccountId": place.account,
            "AWS::NoValue": _NOTHING,
            "AWS::NotificationARNs": [],
            "AWS::Region": place.region,
            "AWS::StackId": place.stack_id,
            "AWS::StackName": place.stack_name,
        }

    def wanted(self) -> dict[str, Mapping[str, Any]]:
        """Return the resources whose conditions hold, by name."""
        found: Mapping[str, Mapping[str, Any]] = self.template.get("Resources") or {}
        return {
            name: resource
            for name, resource in found.items()
            if "Condition" not in resource or self.condition(resource["Condition"])
        }

    def condition(self, name: str) -> bool:
        """Say whether a condition of the template holds.

        Raises:
            ValidationError: There is none of that name.

        """
        if name not in self._conditions:
            declared = self.template.get("Conditions") or {}
            if name not in declared:
                raise ValidationError(message=f"Template error: unresolved condition dependency {name}")
            self._conditions[name] = self._holds(declared[name])
        return self._conditions[name]

    def value(self, value: Any) -> Any:
        """Return a value with every function worked out.

        Raises:
            NotYetKnown: It depends on a resource that is not made.
            ValidationError: A function is not one of CloudFormation's, or asks for what is not there.

        """
        found = self._value(value)
        return None if found is _NOTHING else found

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._value, value) if item is not _NOTHING]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            (name,) = value
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, value[name])
            if name.startswith("Fn::"):
                raise ValidationError(message=f"Template error: the lab does not know {name}")
        worked = {key: self._value(item) for key, item in value.items()}
        return {key: item for key, item in worked.items() if item is not _NOTHING}

    def _holds(self, value: Any) -> bool:
        if isinstance(value, Mapping) and len(value) == 1:
            (name,), (given,) = value.keys(), value.values()
            if name == "Condition":
                return self.condition(given)
            if name == "Fn::Equals":
                one, other = map(self._value, given)
                return _text(one) == _text(other)
            if name == "Fn::Not":
                return not self._holds(given[0])
            if name == "Fn::And":
                return all(map(self._holds, given))
            if name == "Fn::Or":
                return any(map(self._holds, given))
        raise ValidationError(message=f"Template format error: {json.dumps(value)} is no condition")

    def _made(self, name: str) -> Made:
        if name in self.resources:
            return self.resources[name]
        resource = (self.template.get("Resources") or {}).get(name)
        if resource is None or name not in self.wanted():
            raise ValidationError(
                message=f"Template format error: Unresolved resource dependencies [{name}] in the template"
            )
        raise NotYetKnown(name)

    def _ref(self, name: Any) -> Any:
        if name in self.resolved_parameters:
            return self.resolved_parameters[name]
        if name in self._pseudo:
            return self._pseudo[name]
        return self._made(name).physical_resource_id

    def _attribute(self, asked: Any) -> Any:
        name, attribute = asked if isinstance(asked, list) else asked.split(".", 1)
        return self._made(name).get_cfn_attribute(self._value(attribute))

    def _if(self, given: Any) -> Any:
        condition, yes, no = given
        return self._value(yes if self.condition(condition) else no)

    def _join(self, given: Any) -> str:
        return str(given[0]).join(_text(item) for item in self._value(given[1]))

    def _split(self, given: Any) -> list[str]:
        return _text(self._value(given[1])).split(given[0])

    def _select(self, given: Any) -> Any:
        index, items = int(self._value(given[0])), self._value(given[1])
        if not 0 <= index < len(items):
            raise ValidationError(
                message=f"Template error: Fn::Select cannot select nonexistent value at index {index}"
            )
        return items[index]

    def _sub(self, given: Any) -> str:
        text, own = given if isinstance(given, list) else (given, {})

        def put(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                return _text(self._value(own[name]))
            return _text(self._attribute(name) if "." in name else self._ref(name))

        return _SUB.sub(put, text)

    def _find_in_map(self, given: Any) -> Any:
        name, first, second = (self._value(item) for item in given[:3])
        try:
            return self.template["Mappings"][name][_text(first)][_text(second)]
        except KeyError:
            raise ValidationError(
                message=f"Template error: Unable to get mapping for {name}::{first}::{second}"
            ) from None

    def _zones(self, given: Any) -> list[str]:
        return self.place.zones(self._value(given) or self.place.region)

    def _import(self, given: Any) -> str:
        name, exports = _text(self._value(given)), self.place.exports()
        if name not in exports:
            raise ValidationError(message=f"No export named {name} found. Rollback requested by user.")
        return exports[name]

    def _base64(self, given: Any) -> str:
        return base64.b64encode(_text(self._value(given)).encode()).decode("ascii")

    def _json(self, given: Any) -> str:
        return json.dumps(self._value(given))

    def _cidr(self, given: Any) -> list[str]:
        block, count, bits = (self._value(item) for item in given)
        subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
        return [str(subnet) for subnet, _ in zip(subnets, range(int(count)), strict=False)]


_FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Ref": Scope._ref,
    "Fn::Base64": Scope._base64,
    "Fn::Cidr": Scope._cidr,
    "Fn::FindInMap": Scope._find_in_map,
    "Fn::GetAZs": Scope._zones,
    "Fn::GetAtt": Scope._attribute,
    "Fn::If": Scope._if,
    "Fn::ImportValue": Scope._import,
    "Fn::Join": Scope._join,
    "Fn::Select": Scope._select,
    "Fn::Split": Scope._split,
    "Fn::Sub": Scope._sub,
    "Fn::ToJsonString": Scope._json,
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, dict)):
        return json.dumps(value, sort_keys=True)
    return str(value)
