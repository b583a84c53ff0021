"""From a resource's properties to the arguments of an API call, each in the type that the API wants.

Most properties have the name and the shape of the argument that they become; a template may
write a number or a truth value as text, which the API does not take.
"""

from collections.abc import Collection, Mapping
from typing import Any

from infra.lab.stacks.resource import truth


def arguments(
    client: Any,
    operation: str,
    properties: Mapping[str, Any],
    renamed: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """Return the arguments that properties give; tags are left out, since a stack adds its own.

    Args:
        client: A boto3 client of the service.
        operation: As the API names it, for example ``CreateDBCluster``.
        properties: As the template has them.
        renamed: Arguments whose property has another name: argument → property.
        only: Consider these properties alone; all, if not given.

    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    names = {argument: (renamed or {}).get(argument, argument) for argument in shape.members}
    return {
        argument: _typed(shape.members[argument], properties[name])
        for argument, name in names.items()
        if name in properties and argument != "Tags" and (only is None or name in only)
    }


def _typed(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {name: _typed(shape.members[name], item) for name, item in value.items()}
    if shape.type_name == "list":
        return [_typed(shape.member, item) for item in value]
    if shape.type_name == "boolean":
        return truth(value)
    if shape.type_name in {"integer", "long"}:
        return int(str(value))
    return float(str(value)) if shape.type_name in {"double", "float"} else str(value)
