"""``AWS::Lambda::*``: functions, their versions and aliases, and who may invoke them."""

import time
from collections.abc import Mapping
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number

WARM_WITHIN_S = 60.0
_POLL_S = 0.05

# What a setting is when a template no longer names it,
# https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
_DEFAULTS: Mapping[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "KmsKeyArn": "",
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
_ALWAYS = ("Runtime", "Handler", "Role")
_CHANGES = {*_DEFAULTS, *_ALWAYS, "Code", "Architectures", "ReservedConcurrentExecutions", "Tags"}
_PHYSICS = "Code Environment Handler MemorySize ReservedConcurrentExecutions Runtime Timeout VpcConfig"


def _shaped(name: str, value: Any) -> Any:
    if name in {"Timeout", "MemorySize"}:
        return number(value)
    if name == "EphemeralStorage":
        return {"Size": number(value["Size"])}
    if name == "Environment":
        return {"Variables": {key: str(item) for key, item in value.get("Variables", {}).items()}}
    if name == "VpcConfig":
        return chosen(value, "SubnetIds", "SecurityGroupIds")
    return value


def _settings(request: Request, also: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as the API takes them, with those of ``also`` that the template does not name."""
    wanted = request.properties
    named = {name: _shaped(name, wanted[name]) for name in (*_DEFAULTS, *_ALWAYS) if name in wanted}
    call = {**also, **named}
    if "KmsKeyArn" in call:
        call["KMSKeyArn"] = call.pop("KmsKeyArn")
    return call


def _code(request: Request) -> dict[str, Any]:
    code = request.properties["Code"]
    if "ZipFile" in code:
        msg = "the lab takes a function's code from S3 only, not from the template's text"
        raise ValueError(msg)
    return {
        **chosen(code, "S3Bucket", "S3Key", "S3ObjectVersion"),
    }


def _function(request: Request) -> Made:
    wanted = request.properties
    name = wanted.get("FunctionName") or request.name(64)
    made = request.client("lambda").create_function(
        FunctionName=name,
        Code=_code(request),
        Tags=request.tag_map(),
        **chosen(wanted, "Architectures", "PackageType"),
        **_settings(request, {}),
    )
    _reserve(request, name)
    return Made(name, {"Arn": made["FunctionArn"]})


def _reserve(request: Request, name: str) -> None:
    wanted = request.properties.get("ReservedConcurrentExecutions")
    functions = request.client("lambda")
    if wanted is not None:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number(wanted))
    elif "ReservedConcurrentExecutions" in request.before:
        functions.delete_function_concurrency(FunctionName=name)


def _update_function(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if changed - _CHANGES:
        return None
    functions, name = request.client("lambda"), made.physical_resource_id
    if changed & {*_DEFAULTS, *_ALWAYS}:
        dropped = {key: value for key, value in _DEFAULTS.items() if key in request.before}
        functions.update_function_configuration(FunctionName=name, **_settings(request, dropped))
    if changed & {"Code", "Architectures"}:
        functions.update_function_code(
            FunctionName=name, **_code(request), **chosen(request.properties, "Architectures")
        )
    _reserve(request, name)
    _retag(request, made)
    return made


def _retag(request: Request, made: Made) -> None:
    functions, arn = request.client("lambda"), made.attributes["Arn"]
    if request.tags_gone():
        functions.untag_resource(Resource=arn, TagKeys=request.tags_gone())
    if request.tag_map():
        functions.tag_resource(Resource=arn, Tags=request.tag_map())


def _delete_function(request: Request, made: Made) -> None:
    request.client("lambda").delete_function(FunctionName=made.physical_resource_id)


def _version(request: Request) -> Made:
    wanted = request.properties
    made = request.client("lambda").publish_version(
        FunctionName=wanted["FunctionName"], **chosen(wanted, "Description", "CodeSha256")
    )
    return Made(made["FunctionArn"], {"Version": made["Version"], "FunctionArn": made["FunctionArn"]})


def _delete_version(request: Request, made: Made) -> None:
    arn, _, version = made.physical_resource_id.rpartition(":")
    request.client("lambda").delete_function(FunctionName=arn, Qualifier=version)


def _alias_call(request: Request) -> dict[str, Any]:
    wanted = request.properties
    weights = wanted.get("RoutingConfig", {}).get("AdditionalVersionWeights") or ()
    routing = {str(item["FunctionVersion"]): float(item["FunctionWeight"]) for item in weights}
    return {
        "FunctionName": wanted["FunctionName"],
        "Name": wanted["Name"],
        "FunctionVersion": str(wanted["FunctionVersion"]),
        "Description": wanted.get("Description", ""),
        "RoutingConfig": {"AdditionalVersionWeights": routing},
    }


def _alias(request: Request) -> Made:
    made = request.client("lambda").create_alias(**_alias_call(request))
    _provision(request)
    return Made(made["AliasArn"], {"AliasArn": made["AliasArn"]})


def _provision(request: Request) -> None:
    """Ask for warm processes and wait until they are there, as CloudFormation does."""
    wanted, functions = request.properties, request.client("lambda")
    alias = {"FunctionName": wanted["FunctionName"], "Qualifier": wanted["Name"]}
    asked = wanted.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions", 0)
    if not number(asked):
        if request.before.get("ProvisionedConcurrencyConfig"):
            functions.delete_provisioned_concurrency_config(**alias)
        return
    functions.put_provisioned_concurrency_config(**alias, ProvisionedConcurrentExecutions=number(asked))
    until = time.monotonic() + WARM_WITHIN_S
    while functions.get_provisioned_concurrency_config(**alias)["Status"] != "READY":
        if time.monotonic() > until:
            msg = (
                f"{wanted['FunctionName']}:{wanted['Name']} has no warm processes after {WARM_WITHIN_S:.0f} s"
            )
            raise TimeoutError(msg)
        time.sleep(_POLL_S)


def _update_alias(request: Request, made: Made) -> Made | None:
    if request.changed() & {"FunctionName", "Name"}:
        return None
    request.client("lambda").update_alias(**_alias_call(request))
    _provision(request)
    return made


def _delete_alias(request: Request, _made: Made) -> None:
    wanted, functions = request.properties, request.client("lambda")
    if wanted.get("ProvisionedConcurrencyConfig"):
        functions.delete_provisioned_concurrency_config(
            FunctionName=wanted["FunctionName"], Qualifier=wanted["Name"]
        )
    functions.delete_alias(FunctionName=wanted["FunctionName"], Name=wanted["Name"])


_PERMISSION = (
    "Action",
    "EventSourceToken",
    "FunctionName",
    "FunctionUrlAuthType",
    "InvokedViaFunctionUrl",
    "Principal",
    "PrincipalOrgID",
    "SourceAccount",
    "SourceArn",
)


def _permission(request: Request) -> Made:
    name = request.name(100)
    request.client("lambda").add_permission(StatementId=name, **chosen(request.properties, *_PERMISSION))
    return Made(name, {"Id": name})


def _delete_permission(request: Request, made: Made) -> None:
    request.client("lambda").remove_permission(
        FunctionName=request.properties["FunctionName"], StatementId=made.physical_resource_id
    )


def _url(request: Request) -> Made:
    wanted = request.properties
    made = request.client("lambda").create_function_url_config(
        FunctionName=wanted["TargetFunctionArn"],
        **chosen(wanted, "AuthType", "Cors", "InvokeMode", "Qualifier"),
    )
    return Made(made["FunctionArn"], {"FunctionArn": made["FunctionArn"], "FunctionUrl": made["FunctionUrl"]})


def _update_url(request: Request, made: Made) -> Made | None:
    wanted = request.properties
    if request.changed() - {"AuthType", "Cors", "InvokeMode"}:
        return None
    request.client("lambda").update_function_url_config(
        FunctionName=wanted["TargetFunctionArn"],
        **chosen(wanted, "AuthType", "Cors", "InvokeMode", "Qualifier"),
    )
    return made


def _delete_url(request: Request, _made: Made) -> None:
    wanted = request.properties
    request.client("lambda").delete_function_url_config(
        FunctionName=wanted["TargetFunctionArn"], **chosen(wanted, "Qualifier")
    )


TYPES = (
    ResourceType(
        "AWS::Lambda::Function",
        _function,
        _delete_function,
        _update_function,
        frozenset({"Arn"}),
        frozenset(_PHYSICS.split()),
    ),
    ResourceType(
        "AWS::Lambda::Version",
        _version,
        _delete_version,
        attributes=frozenset({"Version", "FunctionArn"}),
        physics=frozenset({"FunctionName", "CodeSha256"}),
    ),
    ResourceType(
        "AWS::Lambda::Alias",
        _alias,
        _delete_alias,
        _update_alias,
        frozenset({"AliasArn"}),
        frozenset({"FunctionName", "FunctionVersion", "Name", "ProvisionedConcurrencyConfig"}),
    ),
    ResourceType("AWS::Lambda::Permission", _permission, _delete_permission, attributes=frozenset({"Id"})),
    ResourceType(
        "AWS::Lambda::Url", _url, _delete_url, _update_url, frozenset({"FunctionArn", "FunctionUrl"})
    ),
)
