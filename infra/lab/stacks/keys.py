"""``AWS::KMS::*``: keys and their aliases."""

import json
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number, truth

_POLICY = "default"
_PERIOD_DAYS = 365
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
_FIXED = {
    "KeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "MultiRegion": False,
    "Origin": "AWS_KMS",
}


def _key(request: Request) -> Made:
    kms, wanted = request.client("kms"), request.properties
    call = chosen(wanted, "Description", "KeySpec", "KeyUsage", "Origin")
    for name in ("MultiRegion", "BypassPolicyLockoutSafetyCheck"):
        if name in wanted:
            call[name] = truth(wanted[name])
    if "KeyPolicy" in wanted:
        call["Policy"] = _document(wanted["KeyPolicy"])
    found = kms.create_key(**call, Tags=_tags(request))["KeyMetadata"]
    made = Made(found["KeyId"], {"Arn": found["Arn"], "KeyId": found["KeyId"]})
    try:
        _turn(request, made.physical_resource_id)
    except Exception:
        _delete_key(request, made)
        raise
    _seen(request)
    return made


def _document(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


def _tags(request: Request) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in request.tag_map().items()]


def _turn(request: Request, key_id: str) -> None:
    """Turn the key itself and its rotation on or off, as the template wants them."""
    kms = request.client("kms")
    wanted = truth(request.properties.get("Enabled", True))
    present = kms.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"]
    if wanted and not present:
        kms.enable_key(KeyId=key_id)
    _turn_rotation(request, key_id)
    if present and not wanted:
        kms.disable_key(KeyId=key_id)


def _turn_rotation(request: Request, key_id: str) -> None:
    """Turn rotation on or off where that changes anything: of a disabled key KMS lets nothing be changed."""
    kms, wanted = request.client("kms"), request.properties
    shown = kms.get_key_rotation_status(KeyId=key_id)
    days = number(wanted.get("RotationPeriodInDays", _PERIOD_DAYS))
    if truth(wanted.get("EnableKeyRotation", False)):
        if shown.get("RotationPeriodInDays") != days:
            kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=days)
    elif shown["KeyRotationEnabled"]:
        kms.disable_key_rotation(KeyId=key_id)


def _seen(request: Request) -> None:
    """Take note of what counts only when the key goes."""
    request.properties.get("PendingWindowInDays")


def _update_key(request: Request, made: Made) -> Made:
    kms, wanted, key_id = request.client("kms"), request.properties, made.physical_resource_id
    changed = request.changed()
    _require_same_kind(request, key_id)
    if "Description" in changed:
        kms.update_key_description(KeyId=key_id, Description=wanted.get("Description", ""))
    if "KeyPolicy" in changed:
        policy = wanted.get("KeyPolicy") or _open_to_account(request)
        kms.put_key_policy(KeyId=key_id, PolicyName=_POLICY, Policy=_document(policy))
    _turn(request, key_id)
    gone = request.tags_gone()
    if gone:
        kms.untag_resource(KeyId=key_id, TagKeys=gone)
    if "Tags" in changed:
        kms.tag_resource(KeyId=key_id, Tags=_tags(request))
    _seen(request)
    return made


def _require_same_kind(request: Request, key_id: str) -> None:
    present = request.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    wanted = {name: request.properties.get(name, default) for name, default in _FIXED.items()}
    wanted["MultiRegion"] = truth(wanted["MultiRegion"])
    others = [name for name, value in wanted.items() if value != present[name]]
    if others:
        msg = f"{', '.join(others)} of a KMS key can't be changed"
        raise ValueError(msg)


def _open_to_account(request: Request) -> dict[str, Any]:
    """Return the policy of a key that was given none."""
    owner = {"AWS": f"arn:aws:iam::{request.account}:root"}
    statement = {"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}


def _delete_key(request: Request, made: Made) -> None:
    """Schedule a key for deletion: what it encrypted can't be read from now on, and for ever after."""
    window = request.properties.get("PendingWindowInDays", 30)
    request.client("kms").schedule_key_deletion(
        KeyId=made.physical_resource_id, PendingWindowInDays=number(window)
    )


def _alias(request: Request) -> Made:
    wanted = request.properties
    request.client("kms").create_alias(**chosen(wanted, "AliasName", "TargetKeyId"))
    return Made(wanted["AliasName"])


def _update_alias(request: Request, made: Made) -> Made | None:
    changed = request.changed() - {"Tags"}
    if "AliasName" in changed:
        return None
    if changed:
        request.client("kms").update_alias(**chosen(request.properties, "AliasName", "TargetKeyId"))
    return made


def _delete_alias(request: Request, made: Made) -> None:
    request.client("kms").delete_alias(AliasName=made.physical_resource_id)


TYPES = (
    ResourceType(
        "AWS::KMS::Key",
        _key,
        _delete_key,
        _update_key,
        frozenset({"Arn", "KeyId"}),
        frozenset({"Enabled", "KeySpec", "KeyUsage"}),
    ),
    ResourceType(
        "AWS::KMS::Alias",
        _alias,
        _delete_alias,
        _update_alias,
        physics=frozenset({"AliasName", "TargetKeyId"}),
    ),
)
