"""Has moto's stacks read templates as CloudFormation does, through the lab's own scopes."""

from collections.abc import Iterable
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack, cloudformation_backends
from moto.cloudformation.parsing import Export, Output

from infra.lab.control_plane.mending import replace
from infra.lab.stacks import parameters
from infra.lab.stacks import template as templates
from infra.lab.stacks.live import live_of
from infra.lab.stacks.native import native
from infra.lab.stacks.resource import TYPES, ResourceType
from infra.lab.stacks.scope import Place, Scope
from infra.lab.stacks.setting import SETTING

FINISHED = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
}


def install() -> None:
    """Mend how moto reads templates."""
    replace(Stack, "parse_template", lambda _: staticmethod(_parse))
    replace(Stack, "_create_resource_map", lambda _: scope_of)
    replace(Stack, "_create_output_map", lambda _: lambda _stack: {})
    replace(Stack, "parameter_list", lambda _: property(_parameter_list))
    replace(Stack, "exports", lambda _: property(_exports))
    replace(Stack, "outputs", lambda _: property(_outputs))
    replace(Stack, "stack_resources", lambda _: property(_stack_resources))


def kind_of(name: str) -> ResourceType:
    """Return a resource type: ours, else moto's own.

    Raises:
        ValidationError: There is none of that name, said as AWS says it.

    """
    if name in TYPES:
        return TYPES[name]
    model = parsing.CustomModel if name.startswith("Custom::") else parsing.get_model_map().get(name)
    if model is None:
        raise ValidationError(message=f"Template format error: Unrecognized resource types: [{name}]")
    return native(model, name)


def scope_of(stack: Stack) -> Scope:
    """Return the scope of a stack's template, checked as CloudFormation checks it before it begins.

    Raises:
        ValidationError: The template or the parameters can't work.

    """
    template = stack.template_dict
    if template and not template.get("Resources"):
        raise ValidationError(message="Template format error: At least one Resources member must be defined.")
    for resource in (template.get("Resources") or {}).values():
        kind_of(str(resource.get("Type", "")))
    templates.needs(template)
    exports = cloudformation_backends[stack.account_id][stack.region_name].exports
    place = Place(
        account=stack.account_id,
        region=stack.region_name,
        stack_id=stack.stack_id,
        stack_name=stack.name,
        exports=lambda: {name: export.value for name, export in exports.items()},
        zones=_zones,
    )
    return Scope(template, stack.parameters if template else {}, place)


def outputs_of(scope: Scope) -> tuple[list[Output], dict[str, str]]:
    """Return a template's outputs, and the values of those that it exports, by the names of the exports.

    Raises:
        ValidationError: One can't be worked out.

    """
    outputs, exported = [], {}
    for name, declared in (scope.template.get("Outputs") or {}).items():
        if "Condition" in declared and not scope.condition(declared["Condition"]):
            continue
        value = parameters.text(scope.value(declared["Value"]))
        outputs.append(Output(name, value, scope.value(declared.get("Description"))))
        if "Export" in declared:
            exported[str(scope.value(declared["Export"]["Name"]))] = value
    return outputs, exported


def _zones(region: str) -> list[str]:
    found = SETTING.client("ec2", region).describe_availability_zones()["AvailabilityZones"]
    return sorted(zone["ZoneName"] for zone in found)


def _parse(text: Any) -> dict[str, Any]:
    return templates.parse(text) if isinstance(text, str) else dict(text)


def _parameter_list(stack: Stack) -> list[dict[str, str]]:
    scope: Scope = stack.resource_map
    return [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if name in scope.no_echo_parameter_keys else parameters.text(value),
        }
        for name, value in scope.resolved_parameters.items()
    ]


def _exports(stack: Stack) -> list[Export]:
    exported: dict[str, str] = stack.__dict__.get("exported", {})
    return [Export(stack.stack_id, name, value) for name, value in exported.items()]


def _outputs(stack: Stack) -> list[dict[str, Any]] | None:
    found: list[Output] = stack.__dict__.get("settled_outputs", [])
    if stack.status not in FINISHED or not found:
        return None
    names = {export.value: export.name for export in stack.exports}
    return [
        {
            "OutputKey": output.key,
            "OutputValue": output.value,
            "Description": output.description,
            "ExportName": names.get(output.value),
        }
        for output in found
    ]


def _stack_resources(stack: Stack) -> Iterable[Any]:
    return [item.made for item in list(live_of(stack).values())]
