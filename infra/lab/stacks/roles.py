"""``AWS::IAM::*``: who may do what. Nothing in the lab obeys it: the lab checks no permission."""

import json
from collections.abc import Mapping
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number

_ROLE_CHANGES = {
    "AssumeRolePolicyDocument",
    "Description",
    "ManagedPolicyArns",
    "MaxSessionDuration",
    "PermissionsBoundary",
    "Policies",
    "Tags",
}
# By property, how the API attaches a policy to one of these, detaches it, and its argument.
_HOLDERS = {
    "Roles": ("role", "RoleName"),
    "Users": ("user", "UserName"),
    "Groups": ("group", "GroupName"),
}


def _document(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


def _role(request: Request) -> Made:
    iam, wanted = request.client("iam"), request.properties
    name = wanted.get("RoleName") or request.name(64)
    call: dict[str, Any] = chosen(wanted, "Path", "Description", "PermissionsBoundary")
    if "MaxSessionDuration" in wanted:
        call["MaxSessionDuration"] = number(wanted["MaxSessionDuration"])
    if request.tag_list():
        call["Tags"] = request.tag_list()
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=_document(wanted["AssumeRolePolicyDocument"]), **call
    )["Role"]
    _attach(request, name)
    _policies(request, name)
    return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _attach(request: Request, name: str) -> None:
    iam = request.client("iam")
    wanted = set(request.properties.get("ManagedPolicyArns") or ())
    former = set(request.before.get("ManagedPolicyArns") or ())
    for arn in sorted(wanted - former):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    for arn in sorted(former - wanted):
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)


def _policies(request: Request, name: str) -> None:
    iam, wanted = request.client("iam"), request.properties.get("Policies") or ()
    for policy in wanted:
        iam.put_role_policy(
            RoleName=name,
            PolicyName=policy["PolicyName"],
            PolicyDocument=_document(policy["PolicyDocument"]),
        )
    kept = {policy["PolicyName"] for policy in wanted}
    for policy in request.before.get("Policies") or ():
        if policy["PolicyName"] not in kept:
            iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])


def _update_role(request: Request, made: Made) -> Made | None:
    changed, wanted = request.changed(), request.properties
    if changed - _ROLE_CHANGES:
        return None
    iam, name = request.client("iam"), made.physical_resource_id
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=_document(wanted["AssumeRolePolicyDocument"]))
    if changed & {"Description", "MaxSessionDuration"}:
        session_s = number(wanted.get("MaxSessionDuration", 3600))
        iam.update_role(
            RoleName=name, Description=wanted.get("Description", ""), MaxSessionDuration=session_s
        )
    if "PermissionsBoundary" in changed and "PermissionsBoundary" in wanted:
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=wanted["PermissionsBoundary"])
    elif "PermissionsBoundary" in changed:
        iam.delete_role_permissions_boundary(RoleName=name)
    _attach(request, name)
    _policies(request, name)
    if request.tags_gone():
        iam.untag_role(RoleName=name, TagKeys=request.tags_gone())
    if request.tag_list():
        iam.tag_role(RoleName=name, Tags=request.tag_list())
    return made


def _delete_role(request: Request, made: Made) -> None:
    """Delete a role with the policies that the stack gave it; another's attachment stops it, as on AWS."""
    iam, name, wanted = request.client("iam"), made.physical_resource_id, request.properties
    for policy in wanted.get("Policies") or ():
        iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
    for arn in wanted.get("ManagedPolicyArns") or ():
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    iam.delete_role(RoleName=name)


def _holders(properties: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(kind, name) for kind in _HOLDERS for name in properties.get(kind) or ()}


def _managed_policy(request: Request) -> Made:
    wanted = request.properties
    call: dict[str, Any] = chosen(wanted, "Path", "Description")
    made = request.client("iam").create_policy(
        PolicyName=wanted.get("ManagedPolicyName") or request.name(128),
        PolicyDocument=_document(wanted["PolicyDocument"]),
        **call,
    )["Policy"]
    _hold(request, made["Arn"])
    return Made(made["Arn"], {"PolicyArn": made["Arn"], "PolicyId": made["PolicyId"]})


def _hold(request: Request, arn: str) -> None:
    iam, wanted, former = request.client("iam"), _holders(request.properties), _holders(request.before)
    for kind, name in sorted(wanted - former):
        what, key = _HOLDERS[kind]
        getattr(iam, f"attach_{what}_policy")(**{key: name, "PolicyArn": arn})
    for kind, name in sorted(former - wanted):
        what, key = _HOLDERS[kind]
        getattr(iam, f"detach_{what}_policy")(**{key: name, "PolicyArn": arn})


def _update_managed_policy(request: Request, made: Made) -> Made | None:
    changed, arn = request.changed(), made.physical_resource_id
    if changed - {"PolicyDocument", "Tags", *_HOLDERS}:
        return None
    iam = request.client("iam")
    if "PolicyDocument" in changed:
        document = _document(request.properties["PolicyDocument"])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        _drop_versions(iam, arn)
    _hold(request, arn)
    return made


def _drop_versions(iam: Any, arn: str) -> None:
    """Delete all but the version in force: there may be five."""
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def _delete_managed_policy(request: Request, made: Made) -> None:
    iam, arn = request.client("iam"), made.physical_resource_id
    for kind, name in sorted(_holders(request.properties)):
        what, key = _HOLDERS[kind]
        getattr(iam, f"detach_{what}_policy")(**{key: name, "PolicyArn": arn})
    _drop_versions(iam, arn)
    iam.delete_policy(PolicyArn=arn)


def _policy(request: Request) -> Made:
    _put(request)
    return Made(request.name(), {"Id": request.properties["PolicyName"]})


def _put(request: Request) -> None:
    wanted = request.properties
    for kind, name in sorted(_holders(wanted)):
        what, key = _HOLDERS[kind]
        getattr(request.client("iam"), f"put_{what}_policy")(
            **{key: name, "PolicyName": wanted["PolicyName"]},
            PolicyDocument=_document(wanted["PolicyDocument"]),
        )


def _take(request: Request, holders: set[tuple[str, str]]) -> None:
    for kind, name in sorted(holders):
        what, key = _HOLDERS[kind]
        getattr(request.client("iam"), f"delete_{what}_policy")(
            **{key: name, "PolicyName": request.properties["PolicyName"]}
        )


def _update_policy(request: Request, made: Made) -> Made | None:
    if request.changed() - {"PolicyDocument", "Tags", *_HOLDERS}:
        return None
    _put(request)
    _take(request, _holders(request.before) - _holders(request.properties))
    return made


def _delete_policy(request: Request, _made: Made) -> None:
    _take(request, _holders(request.properties))


TYPES = (
    ResourceType("AWS::IAM::Role", _role, _delete_role, _update_role, frozenset({"Arn", "RoleId"})),
    ResourceType(
        "AWS::IAM::ManagedPolicy",
        _managed_policy,
        _delete_managed_policy,
        _update_managed_policy,
        frozenset({"PolicyArn", "PolicyId"}),
    ),
    ResourceType("AWS::IAM::Policy", _policy, _delete_policy, _update_policy, frozenset({"Id"})),
)
