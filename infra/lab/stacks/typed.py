"""Values of a template as an API wants them: templates may write numbers and truth values as text."""

import json
from collections.abc import Callable
from typing import Any

from infra.lab.stacks.resource import truth

_SCALARS: dict[str, Callable[[Any], Any]] = {
    "integer": lambda value: int(str(value)),
    "long": lambda value: int(str(value)),
    "double": lambda value: float(str(value)),
    "float": lambda value: float(str(value)),
    "boolean": truth,
}


def call_for(client: Any, operation: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an operation with every value of the kind that its model wants.

    Names that the operation does not have stay, so that botocore refuses them by name.

    Args:
        client: A boto3 client.
        operation: Its name in the service's model, for example ``CreateSchedule``.
        wanted: The arguments as the template has them.

    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    typed: dict[str, Any] = _typed(shape, wanted)
    return typed


def _typed(shape: Any, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            name: _typed(shape.members[name], item) if name in shape.members else item
            for name, item in value.items()
        }
    if kind == "map" and isinstance(value, dict):
        return {str(name): _typed(shape.value, item) for name, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_typed(shape.member, item) for item in value]
    if kind == "string":
        return json.dumps(value) if isinstance(value, dict | list) else _text(value)
    return _SCALARS[kind](value) if kind in _SCALARS else value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
