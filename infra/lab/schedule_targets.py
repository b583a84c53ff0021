"""What a schedule calls: its target, read as a call of the AWS API.

Templated targets are a function, a queue, a topic or an event bus; universal targets name any
action of any service. Their parameters have the names of the AWS SDK for Java: those of the
API's model, with a leading abbreviation written as a word (``DbClusterIdentifier``).
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel, ServiceModel, Shape
from botocore.session import get_session
from botocore.utils import CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES

_UNIVERSAL = re.compile(r"arn:aws[a-z-]*:scheduler:::aws-sdk:(\w+):(\w+)")
_TEMPLATED = re.compile(r"arn:aws[a-z-]*:(lambda|sqs|sns|events):[a-z0-9-]+:\d{12}:.+")
_LEADING = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]+(?![a-z])")
# Actions that only read, which a universal target can't be.
_READS = re.compile(
    "get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet"
    "|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve|testConnection"
    "|translateDocument|isAuthorized|invokeModel"
)
# Where the name of a permission is not made of the service's and the operation's, see
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_IAM_PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}
_IAM_ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}


@dataclass(frozen=True, slots=True)
class TargetCall:
    """One call of the AWS API.

    Attributes:
        service: As boto3 names it.
        operation: As the service's model names it, for example ``UpdateHealthCheck``.
        arguments: What it is called with.

    """

    service: str
    operation: str
    arguments: Mapping[str, Any]

    @property
    def iam_action(self) -> str:
        """The permission that the call needs; almost always the operation's own name."""
        model = _model(self.service)
        prefix = _IAM_PREFIXES.get(model.signing_name, model.signing_name)
        action = f"{prefix}:{self.operation}"
        return _IAM_ACTIONS.get(action, action)


def require_known(target: Mapping[str, Any]) -> None:
    """Check a target when a schedule is made.

    Raises:
        ValueError: It can't be called; the text says why.

    """
    arn = target["Arn"]
    if _UNIVERSAL.fullmatch(arn):
        _operation(arn)
        _json(target.get("Input") or "{}", arn)
    elif not _TEMPLATED.fullmatch(arn):
        msg = f"{arn} is not a target that the lab has: a function, queue, topic, event bus or API action."
        raise ValueError(msg)
    elif arn.split(":")[2] in {"lambda", "events"} and target.get("Input"):
        _json(target["Input"], arn)
    if arn.split(":")[2] == "events" and "EventBridgeParameters" not in target:
        msg = "EventBridgeParameters is required for an event bus."
        raise ValueError(msg)


def call_of(target: Mapping[str, Any], payload: str) -> TargetCall:
    """Return the call of a target.

    Args:
        target: As the API shows it.
        payload: What to send: the schedule's input, or the notice that takes its place.

    Raises:
        ValueError: The payload is nothing that the target's API takes; the text says why.

    """
    arn = target["Arn"]
    if _UNIVERSAL.fullmatch(arn):
        service, operation = _operation(arn)
        given = _json(payload, arn)
        if not isinstance(given, dict):
            msg = f"The Input of the target {arn} is not a JSON object."
            raise ValueError(msg)
        arguments = _structure(operation.input_shape, given, operation.name)
        return TargetCall(service, operation.name, arguments)
    kind = arn.split(":")[2]
    if kind == "lambda":
        return TargetCall(
            "lambda", "Invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": payload.encode()}
        )
    if kind == "sns":
        return TargetCall("sns", "Publish", {"TopicArn": arn, "Message": payload})
    if kind == "sqs":
        return TargetCall(
            "sqs", "SendMessage", {"QueueUrl": arn, "MessageBody": payload, **target.get("SqsParameters", {})}
        )
    entry = {"EventBusName": arn, "Detail": payload, **target["EventBridgeParameters"]}
    return TargetCall("events", "PutEvents", {"Entries": [entry]})


@functools.cache
def _model(service: str) -> ServiceModel:
    return get_session().get_service_model(service)


@functools.cache
def _services() -> dict[str, str]:
    """Return boto3's name of every service by its identifier in the SDK, in one small word."""
    names = get_session().get_available_services()
    overrides = CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES
    return {overrides.get(name, name).replace("-", ""): name for name in names}


@functools.cache
def _operation(arn: str) -> tuple[str, OperationModel]:
    """Return the service and the action of a universal target.

    Raises:
        ValueError: There is no such service or action, or it only reads.

    """
    found = _UNIVERSAL.fullmatch(arn)
    identifier, action = found.groups() if found else ("", "")
    service = _services().get(identifier)
    if service is None:
        msg = f"{identifier} is not a supported service for a target."
        raise ValueError(msg)
    model = _model(service)
    name = action[:1].upper() + action[1:]
    if action[:1].isupper() or name not in model.operation_names or _READS.match(action):
        msg = f"{action} is not a supported api for the service {identifier}."
        raise ValueError(msg)
    return service, model.operation_model(name)


def _json(text: str, arn: str) -> Any:  # noqa: ANN401 (JSON)
    try:
        return json.loads(text)
    except ValueError as problem:
        msg = f"The Input of the target {arn} is not well-formed JSON."
        raise ValueError(msg) from problem


def _java(name: str) -> str:
    """Return the name of a parameter in the SDK for Java, with a capital letter."""
    return _LEADING.sub(lambda found: found[0].capitalize(), name, count=1) if name[:2].isupper() else name


def _named(shape: Shape, value: Any, where: str) -> Any:  # noqa: ANN401 (JSON)
    """Return a value with the names of the API's model, and with bytes where it wants bytes."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return _structure(shape, value, where)
    if kind == "list" and isinstance(value, list):
        return [_named(shape.member, item, where) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _named(shape.value, item, where) for key, item in value.items()}
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value


def _structure(shape: Shape | None, value: dict[str, Any], where: str) -> dict[str, Any]:
    members = {} if shape is None else shape.members
    names = {_java(name[:1].upper() + name[1:]): name for name in members}
    for name in value:
        if name not in names:
            msg = f"{where} has no parameter {name}; it has: {', '.join(names) or 'none'}"
            raise ValueError(msg)
    return {names[name]: _named(members[names[name]], item, names[name]) for name, item in value.items()}
