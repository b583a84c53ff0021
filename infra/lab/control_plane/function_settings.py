"""What moto drops of a Lambda function's configuration, and the policies of its aliases."""

import json
import uuid
from typing import Any
from urllib.parse import unquote

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.policy import GenericResourcNotFound
from moto.awslambda.responses import LambdaResponse
from moto.ec2.models import ec2_backends

from infra.lab.control_plane.mending import ACCOUNT, Function, replace

_KEPT = ("DeadLetterConfig", "LoggingConfig")


def install() -> None:
    """Mend moto's functions."""
    replace(LambdaFunction, "__init__", _init)
    replace(LambdaFunction, "update_configuration", _update)
    replace(LambdaFunction, "get_configuration", _configuration)
    replace(LambdaFunction, "vpc_config", lambda _: property(_vpc_config))
    replace(LambdaResponse, "publish_version", _publish_version)
    replace(LambdaBackend, "add_permission", _add_permission)
    replace(LambdaBackend, "get_policy", lambda _: _get_policy)


def _init(original: Function) -> Function:
    def init(function: LambdaFunction, *args: Any, **kwargs: Any) -> None:
        original(function, *args, **kwargs)
        spec = kwargs.get("spec") or args[1]
        function.besides = {name: spec[name] for name in _KEPT if name in spec}
        function.revision_id = str(uuid.uuid4())

    return init


def _update(original: Function) -> Function:
    def update(function: LambdaFunction, changes: dict[str, Any]) -> dict[str, Any]:
        original(function, changes)
        function.besides = {**function.besides, **{name: changes[name] for name in _KEPT if name in changes}}
        if "KMSKeyArn" in changes:
            function.kms_key_arn = changes["KMSKeyArn"]
        if "TracingConfig" in changes:
            function.tracing_config = changes["TracingConfig"]
        if "EphemeralStorage" in changes:
            function.ephemeral_storage = changes["EphemeralStorage"]["Size"]
        function.revision_id = str(uuid.uuid4())
        shown: dict[str, Any] = function.get_configuration()
        return shown

    return update


def _configuration(original: Function) -> Function:
    def configuration(function: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = original(function, on_create)
        logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}"}
        shown["LoggingConfig"] = {**logging, **function.besides.get("LoggingConfig", {})}
        target = function.besides.get("DeadLetterConfig", {})
        if target.get("TargetArn"):
            shown["DeadLetterConfig"] = target
        if not shown["KMSKeyArn"]:
            shown.pop("KMSKeyArn")
        return {**shown, "RevisionId": function.revision_id}

    return configuration


def _vpc_config(function: LambdaFunction) -> dict[str, Any] | None:
    if not function._vpc_config:
        return None
    config: dict[str, Any] = dict(function._vpc_config)
    zones = list(ec2_backends[ACCOUNT][function.region].subnets.values())
    for subnet_id in config.get("SubnetIds") or ():
        found = [zone[subnet_id] for zone in zones if subnet_id in zone]
        return {**config, "VpcId": found[0].vpc_id if found else ""}
    return {**config, "VpcId": ""}


def _publish_version(original: Function) -> Function:
    """Publish only the code that the caller means, if they say which."""

    def publish(response: LambdaResponse) -> Any:
        wanted = response._get_param("CodeSha256")
        name = unquote(response.path.rstrip("/").split("/")[-2])
        present = response.backend.get_function(name).code_sha_256
        if wanted and wanted != present:
            msg = f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({present})."
            raise InvalidParameterValueException(msg)
        return original(response)

    return publish


def _qualified(name: str, qualifier: str | None) -> str | None:
    return name.rpartition(":function:")[2].partition(":")[2] or qualifier


def _add_permission(original: Function) -> Function:
    """Let a permission on an alias be the alias's, also when the name carries the qualifier."""

    def add(backend: LambdaBackend, function_name: str, qualifier: str, raw: str) -> dict[str, Any]:
        statement: dict[str, Any] = original(
            backend, function_name, _qualified(function_name, qualifier), raw
        )
        return statement

    return add


def _get_policy(backend: LambdaBackend, function_name: str, qualifier: str | None = None) -> str:
    """Return the statements of a function, or of one alias or version, alone."""
    function = backend.get_function(function_name, qualifier)
    latest = backend.get_function(function.function_name)
    named = _qualified(function_name, qualifier)
    resource = latest.function_arn + (f":{named}" if named else "")
    policy = latest.policy.get_policy()
    statements = [item for item in policy["Policy"]["Statement"] if item["Resource"] == resource]
    if not statements:
        raise GenericResourcNotFound
    document = {**policy["Policy"], "Statement": statements}
    return json.dumps({**policy, "Policy": json.dumps(document)})
