"""``AWS::Lambda::*`` and ``AWS::IAM::Role``: what runs, and what it may do."""

import json
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number

_SAME = ("Runtime", "Handler", "Role", "Description", "Layers", "Environment", "TracingConfig", "KmsKeyArn")
_NUMBERS = ("Timeout", "MemorySize")
_FUNCTION_CHANGES = {*_SAME, *_NUMBERS, "Code", "VpcConfig", "ReservedConcurrentExecutions", "Tags"}


def _role(request: Request) -> Made:
    iam, wanted = request.client("iam"), request.properties
    name = wanted.get("RoleName") or request.name(64)
    call = chosen(wanted, "Path", "Description", "PermissionsBoundary")
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(wanted["AssumeRolePolicyDocument"]),
        Tags=request.tag_list(),
        **call,
    )["Role"]
    for arn in wanted.get("ManagedPolicyArns", ()):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    _policies(request, name)
    return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _policies(request: Request, name: str) -> None:
    iam, wanted = request.client("iam"), request.properties
    for policy in wanted.get("Policies", ()):
        document = json.dumps(policy["PolicyDocument"])
        iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)


def _update_role(request: Request, made: Made) -> Made | None:
    if request.changed() - {"Policies", "AssumeRolePolicyDocument", "Tags"}:
        return None
    iam, name = request.client("iam"), made.physical_resource_id
    iam.update_assume_role_policy(
        RoleName=name, PolicyDocument=json.dumps(request.properties["AssumeRolePolicyDocument"])
    )
    wanted = {policy["PolicyName"] for policy in request.properties.get("Policies", ())}
    for policy in request.before.get("Policies", ()):
        if policy["PolicyName"] not in wanted:
            iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
    _policies(request, name)
    return made


def _delete_role(request: Request, made: Made) -> None:
    iam, name = request.client("iam"), made.physical_resource_id
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=name)


def _settings(request: Request) -> dict[str, Any]:
    wanted = request.properties
    call = chosen(wanted, *_SAME)
    call |= {name: number(wanted[name]) for name in _NUMBERS if name in wanted}
    if "Environment" in wanted:
        variables = wanted["Environment"].get("Variables", {})
        call["Environment"] = {"Variables": {key: str(value) for key, value in variables.items()}}
    if "VpcConfig" in wanted:
        call["VpcConfig"] = chosen(wanted["VpcConfig"], "SubnetIds", "SecurityGroupIds")
    return call


def _code(request: Request) -> dict[str, Any]:
    code = request.properties["Code"]
    if "ZipFile" in code:
        msg = "the lab takes a function's code from S3 only, not from the template's text"
        raise ValueError(msg)
    return chosen(code, "S3Bucket", "S3Key", "S3ObjectVersion")


def _function(request: Request) -> Made:
    wanted = request.properties
    name = wanted.get("FunctionName") or request.name(64)
    made = request.client("lambda").create_function(
        FunctionName=name, Code=_code(request), Tags=request.tag_map(), **_settings(request)
    )
    _reserve(request, name)
    return Made(name, {"Arn": made["FunctionArn"]})


def _reserve(request: Request, name: str) -> None:
    wanted = request.properties.get("ReservedConcurrentExecutions")
    if wanted is not None:
        request.client("lambda").put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=number(wanted)
        )


def _update_function(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if changed - _FUNCTION_CHANGES:
        return None
    functions, name = request.client("lambda"), made.physical_resource_id
    functions.update_function_configuration(FunctionName=name, **_settings(request))
    if "Code" in changed:
        functions.update_function_code(FunctionName=name, **_code(request))
    _reserve(request, name)
    return made


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


def _alias(request: Request) -> Made:
    wanted = request.properties
    made = request.client("lambda").create_alias(
        FunctionName=wanted["FunctionName"],
        Name=wanted["Name"],
        FunctionVersion=str(wanted["FunctionVersion"]),
        **chosen(wanted, "Description"),
    )
    _provision(request)
    return Made(made["AliasArn"], {"AliasArn": made["AliasArn"]})


def _provision(request: Request) -> None:
    wanted, functions = request.properties, request.client("lambda")
    alias = {"FunctionName": wanted["FunctionName"], "Qualifier": wanted["Name"]}
    asked = wanted.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions", 0)
    if number(asked):
        functions.put_provisioned_concurrency_config(**alias, ProvisionedConcurrentExecutions=number(asked))
    elif request.before.get("ProvisionedConcurrencyConfig"):
        functions.delete_provisioned_concurrency_config(**alias)


def _update_alias(request: Request, made: Made) -> Made | None:
    wanted = request.properties
    if request.changed() & {"FunctionName", "Name"}:
        return None
    request.client("lambda").update_alias(
        FunctionName=wanted["FunctionName"],
        Name=wanted["Name"],
        FunctionVersion=str(wanted["FunctionVersion"]),
    )
    _provision(request)
    return made


def _delete_alias(request: Request, _made: Made) -> None:
    wanted, functions = request.properties, request.client("lambda")
    if wanted.get("ProvisionedConcurrencyConfig"):
        functions.delete_provisioned_concurrency_config(
            FunctionName=wanted["FunctionName"], Qualifier=wanted["Name"]
        )
    functions.delete_alias(FunctionName=wanted["FunctionName"], Name=wanted["Name"])


def _permission(request: Request) -> Made:
    wanted = request.properties
    name = request.name(100)
    call = chosen(wanted, "Action", "FunctionName", "Principal", "SourceArn", "SourceAccount")
    request.client("lambda").add_permission(StatementId=name, **call)
    return Made(name, {"Id": name})


def _delete_permission(request: Request, made: Made) -> None:
    request.client("lambda").remove_permission(
        FunctionName=request.properties["FunctionName"], StatementId=made.physical_resource_id
    )


TYPES = (
    ResourceType("AWS::IAM::Role", _role, _delete_role, _update_role, frozenset({"Arn", "RoleId"})),
    ResourceType("AWS::Lambda::Function", _function, _delete_function, _update_function, frozenset({"Arn"})),
    ResourceType(
        "AWS::Lambda::Version", _version, _delete_version, attributes=frozenset({"Version", "FunctionArn"})
    ),
    ResourceType("AWS::Lambda::Alias", _alias, _delete_alias, _update_alias, frozenset({"AliasArn"})),
    ResourceType("AWS::Lambda::Permission", _permission, _delete_permission, attributes=frozenset({"Id"})),
)
