"""Readers of ``AWS::Lambda::*`` and ``AWS::IAM::*``."""

import json
from collections.abc import Mapping
from typing import Any

from tests.infra.described.reader import ClientOf, Reader


def _function(client_of: ClientOf, region: str, name: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    found = client_of("lambda", region).get_function(FunctionName=name)
    shown = found["Configuration"]
    return {
        **shown,
        "KmsKeyArn": shown.get("KMSKeyArn"),
        "Code": _code(found["Code"], declared.get("Code", {})),
        "ReservedConcurrentExecutions": found.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "Tags": [{"Key": key, "Value": value} for key, value in found.get("Tags", {}).items()],
    }


def _code(described: Mapping[str, Any], declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return bucket and key: GetFunction shows an address of the code, in which its key is."""
    return declared if described["Location"].endswith(declared["S3Key"]) else described


def _version(client_of: ClientOf, region: str, arn: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    shown: Mapping[str, Any] = client_of("lambda", region).get_function_configuration(FunctionName=arn)
    return shown


def _alias(client_of: ClientOf, region: str, arn: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    functions = client_of("lambda", region)
    name, _colon, alias = arn.rpartition(":")
    shown = functions.get_alias(FunctionName=name, Name=alias)
    asked = functions.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    warm = [one for one in asked if one["FunctionArn"] == arn]
    weights = shown.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return {
        **shown,
        "FunctionName": name.rpartition(":")[2],
        "RoutingConfig": {
            "AdditionalVersionWeights": [
                {"FunctionVersion": version, "FunctionWeight": weight} for version, weight in weights.items()
            ]
        },
        "ProvisionedConcurrencyConfig": {
            "ProvisionedConcurrentExecutions": warm[0]["RequestedProvisionedConcurrentExecutions"]
        }
        if warm
        else {},
    }


def _permission(client_of: ClientOf, region: str, sid: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    name = declared["FunctionName"]
    policy = json.loads(client_of("lambda", region).get_policy(FunctionName=name)["Policy"])
    (statement,) = [item for item in policy["Statement"] if item["Sid"] == sid]
    condition = statement.get("Condition", {})
    principal = statement["Principal"]
    return {
        "Action": statement["Action"],
        "FunctionName": name if statement["Resource"].endswith(name) else statement["Resource"],
        "Principal": next(iter(principal.values())) if isinstance(principal, dict) else principal,
        "SourceAccount": condition.get("StringEquals", {}).get("AWS:SourceAccount"),
        "SourceArn": condition.get("ArnLike", {}).get("AWS:SourceArn"),
        "FunctionUrlAuthType": condition.get("StringEquals", {}).get("lambda:FunctionUrlAuthType"),
    }


def _url(client_of: ClientOf, region: str, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = client_of("lambda", region).get_function_url_config(FunctionName=arn)
    return {
        **shown,
        "TargetFunctionArn": declared["TargetFunctionArn"] if shown["FunctionArn"] == arn else arn,
    }


def _role(client_of: ClientOf, region: str, name: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    iam = client_of("iam", region)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    # Others may be of AWS::IAM::Policy, a resource of its own.
    own = {policy["PolicyName"] for policy in declared.get("Policies", ())}
    inline = sorted(own & set(_inline(iam, name)))
    role = iam.get_role(RoleName=name)["Role"]
    return {
        **role,
        "PermissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "ManagedPolicyArns": [item["PolicyArn"] for item in attached],
        "Policies": [iam.get_role_policy(RoleName=name, PolicyName=policy) for policy in inline],
    }


def _managed_policy(client_of: ClientOf, region: str, arn: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    iam = client_of("iam", region)
    shown = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=shown["DefaultVersionId"])["PolicyVersion"]
    held = iam.list_entities_for_policy(PolicyArn=arn)
    return {
        **shown,
        "ManagedPolicyName": shown["PolicyName"],
        "PolicyDocument": version["Document"],
        "Roles": [item["RoleName"] for item in held["PolicyRoles"]],
        "Users": [item["UserName"] for item in held["PolicyUsers"]],
        "Groups": [item["GroupName"] for item in held["PolicyGroups"]],
    }


def _policy(client_of: ClientOf, region: str, _id: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    iam, name = client_of("iam", region), declared["PolicyName"]
    shown = {
        "PolicyName": name,
        "Roles": [role for role in declared.get("Roles", ()) if name in _inline(iam, role)],
    }
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for role in shown["Roles"]
    ]
    same = documents and all(document == documents[0] for document in documents)
    return {**shown, "PolicyDocument": documents[0] if same else documents}


def _inline(iam: Any, role: str) -> list[str]:
    names: list[str] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return names


READERS: dict[str, Reader] = {
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Version": _version,
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Url": _url,
    "AWS::IAM::Role": _role,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Policy": _policy,
}
