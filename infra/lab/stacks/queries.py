"""The API around stacks that moto lacks or has wrong: what they say of resources, protection, deletion."""

from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from infra.lab.control_plane.mending import Function, add, replace
from infra.lab.stacks import capabilities, engine
from infra.lab.stacks import template as templates
from infra.lab.stacks.asked import find_stack, parameters_asked, template_asked
from infra.lab.stacks.record import records_of, shown


def install() -> None:
    """Mend moto's answers about stacks."""
    replace(CloudFormationResponse, "create_stack", _create_stack)
    replace(CloudFormationResponse, "update_stack", _update_stack)
    replace(CloudFormationResponse, "delete_stack", lambda _: _delete_stack)
    replace(CloudFormationResponse, "describe_stack_resource", lambda _: _describe_resource)
    replace(CloudFormationResponse, "describe_stack_resources", lambda _: _describe_resources)
    replace(CloudFormationResponse, "list_stack_resources", lambda _: _list_resources)
    replace(CloudFormationResponse, "_validate_different_update", lambda _: lambda *_args: None)
    replace(CloudFormationResponse, "_validate_status", lambda _: lambda *_args: None)
    replace(CloudFormationBackend, "_resolve_update_parameters", lambda _: _resolve)
    add(CloudFormationResponse, "update_termination_protection", _protect)
    add(CloudFormationResponse, "continue_update_rollback", _continue)


def _resolve(_backend: CloudFormationBackend, instance: Stack, incoming_params: Any) -> dict[str, str]:
    return parameters_asked(incoming_params, instance)


def _stack(response: CloudFormationResponse, name: str | None = None) -> Stack:
    wanted = name or response._get_param("StackName")
    stack = find_stack(response.cloudformation_backend, wanted)
    if stack is None:
        raise ValidationError(message=f"Stack with id {wanted} does not exist")
    return stack


def _create_stack(original: Function) -> Function:
    def create(response: CloudFormationResponse) -> ActionResult:
        acknowledged = response._get_param("Capabilities", [])
        capabilities.require(templates.parse(template_asked(response, None)), acknowledged)
        answer: ActionResult = original(response)
        _stack(response).capabilities = acknowledged
        return answer

    return create


def _update_stack(original: Function) -> Function:
    def update(response: CloudFormationResponse) -> ActionResult:
        stack, acknowledged = _stack(response), response._get_param("Capabilities", [])
        capabilities.require(templates.parse(template_asked(response, stack)), acknowledged)
        answer: ActionResult = original(response)
        stack.capabilities = acknowledged
        return answer

    return update


def _delete_stack(response: CloudFormationResponse) -> EmptyResult:
    engine.delete(
        response.cloudformation_backend,
        response._get_param("StackName"),
        tuple(response._get_param("RetainResources", [])),
        force=response._get_param("DeletionMode") == "FORCE_DELETE_STACK",
    )
    return EmptyResult()


def _describe_resource(response: CloudFormationResponse) -> ActionResult:
    stack, name = _stack(response), response._get_param("LogicalResourceId")
    found = records_of(stack).get(name)
    if found is None:
        raise ValidationError(message=f"Resource {name} does not exist for stack {stack.name}")
    return ActionResult({"StackResourceDetail": shown(stack, found)})


def _describe_resources(response: CloudFormationResponse) -> ActionResult:
    name, physical_id = response._get_param("LogicalResourceId"), response._get_param("PhysicalResourceId")
    stack = _stack_that_has(response, physical_id) if physical_id else _stack(response)
    found = [item for item in list(records_of(stack).values()) if name in {None, item.name}]
    return ActionResult({"StackResources": [shown(stack, item) for item in found]})


def _stack_that_has(response: CloudFormationResponse, physical_id: str) -> Stack:
    for stack in list(response.cloudformation_backend.stacks.values()):
        if any(item.physical_id == physical_id for item in list(records_of(stack).values())):
            return stack
    raise ValidationError(message=f"Stack for {physical_id} does not exist")


def _list_resources(response: CloudFormationResponse) -> ActionResult:
    stack = _stack(response)
    found = [shown(stack, item) for item in list(records_of(stack).values())]
    return ActionResult({"StackResourceSummaries": found})


def _protect(response: CloudFormationResponse) -> ActionResult:
    """UpdateTerminationProtection, which moto lacks."""
    stack = _stack(response)
    stack.enable_termination_protection = response._get_bool_param("EnableTerminationProtection", False)
    return ActionResult({"StackId": stack.stack_id})


def _continue(response: CloudFormationResponse) -> ActionResult:
    """ContinueUpdateRollback, which moto lacks."""
    engine.continue_rollback(_stack(response))
    return ActionResult({})
