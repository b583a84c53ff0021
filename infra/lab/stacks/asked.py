"""What a request about a stack asks for: which stack, which template, which parameters and tags."""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse

from infra.lab.stacks import parameters


def find_stack(backend: CloudFormationBackend, name: str | None) -> Stack | None:
    """Return the stack of a name or an id, a deleted one by its id alone; None if there is none."""
    for stack in list(backend.stacks.values()):
        if name in {stack.name, stack.stack_id}:
            return stack
    return backend.deleted_stacks.get(name)


def template_asked(response: CloudFormationResponse, stack: Stack | None) -> str:
    """Return the text of the template that a request carries or points at.

    Raises:
        ValidationError: It has none.

    """
    body, url = response._get_param("TemplateBody"), response._get_param("TemplateURL")
    if response._get_bool_param("UsePreviousTemplate", False) and stack is not None:
        return str(stack.template)
    if not body and not url:
        raise ValidationError(message="Either Template URL or Template Body must be specified.")
    return str(body or response._get_stack_from_s3_url(url))


def parameters_asked(asked: Iterable[Mapping[str, Any]], stack: Stack | None) -> dict[str, str]:
    """Return the values of a request's parameters, with the stack's own where it wants the previous ones."""
    previous = {} if stack is None else stack.resource_map.resolved_parameters
    found: dict[str, str] = {}
    for item in asked:
        name = item["ParameterKey"]
        if item.get("UsePreviousValue"):
            if name in previous:
                found[name] = parameters.text(previous[name])
        else:
            found[name] = str(item.get("ParameterValue", ""))
    return found


def tags_asked(response: CloudFormationResponse) -> dict[str, str]:
    """Return a request's tags by key."""
    return {item["Key"]: item["Value"] for item in response._get_param("Tags", [])}
