"""Readers of ``AWS::SecretsManager::*`` and ``AWS::KMS::*``."""

import json
from collections.abc import Mapping
from typing import Any

from tests.infra.described.reader import ClientOf, Reader

# What no call of the service ever shows; CloudFormation calls these properties write-only.
_NEVER_SHOWN = {
    "RotateImmediatelyOnUpdate",
    "BlockPublicPolicy",
    "PendingWindowInDays",
    "BypassPolicyLockoutSafetyCheck",
}


def _hidden(declared: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in declared.items() if name in _NEVER_SHOWN}


def _secret(client_of: ClientOf, region: str, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    secrets = client_of("secretsmanager", region)
    shown = secrets.describe_secret(SecretId=arn)
    text = secrets.get_secret_value(SecretId=arn)["SecretString"] if shown.get("VersionIdsToStages") else None
    wanted = declared.get("GenerateSecretString")
    return {
        **shown,
        "SecretString": text,
        "GenerateSecretString": wanted if wanted is not None and _follows(text, wanted) else text,
        "ReplicaRegions": shown.get("ReplicationStatus"),
    }


def _follows(text: str | None, wanted: Mapping[str, Any]) -> bool:
    """Say whether a value is what its template wanted to have generated."""
    if text is None:
        return False
    password = text
    if "GenerateStringKey" in wanted:
        document = json.loads(text)
        password = document[wanted["GenerateStringKey"]]
        template = json.loads(wanted["SecretStringTemplate"])
        # A rotation with alternating users changes the name, and nothing else of the template.
        changed = {name for name, value in template.items() if document.get(name) != value}
        if changed - {"username"}:
            return False
    excluded = set(wanted.get("ExcludeCharacters", ""))
    return len(password) == int(wanted.get("PasswordLength", 32)) and not excluded & set(password)


def _schedule(client_of: ClientOf, region: str, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = client_of("secretsmanager", region).describe_secret(SecretId=arn)
    assert shown["RotationEnabled"]
    return {**shown, **_hidden(declared), "SecretId": shown["ARN"]}


def _attachment(client_of: ClientOf, region: str, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    found = client_of("secretsmanager", region).get_secret_value(SecretId=arn)
    document = json.loads(found["SecretString"])
    cluster = document.get("dbClusterIdentifier")
    return {
        "SecretId": found["ARN"],
        "TargetId": cluster or document.get("dbInstanceIdentifier"),
        "TargetType": "AWS::RDS::DBCluster" if cluster else "AWS::RDS::DBInstance",
    }


def _policy(client_of: ClientOf, region: str, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = client_of("secretsmanager", region).get_resource_policy(SecretId=arn)
    return {**shown, **_hidden(declared), "SecretId": shown["ARN"]}


def _key(client_of: ClientOf, region: str, key_id: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    kms = client_of("kms", region)
    rotation = kms.get_key_rotation_status(KeyId=key_id)
    tags = kms.list_resource_tags(KeyId=key_id)["Tags"]
    return {
        **kms.describe_key(KeyId=key_id)["KeyMetadata"],
        **_hidden(declared),
        "KeyPolicy": json.loads(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]),
        "EnableKeyRotation": rotation["KeyRotationEnabled"],
        "RotationPeriodInDays": rotation.get("RotationPeriodInDays"),
        "Tags": [{"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in tags],
    }


def _alias(client_of: ClientOf, region: str, name: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    kms = client_of("kms", region)
    (shown,) = [alias for alias in kms.list_aliases()["Aliases"] if alias["AliasName"] == name]
    target = kms.describe_key(KeyId=shown["TargetKeyId"])["KeyMetadata"]
    same = declared["TargetKeyId"] in {target["Arn"], target["KeyId"]}
    return {**shown, "TargetKeyId": declared["TargetKeyId"] if same else target["Arn"]}


READERS: dict[str, Reader] = {
    "AWS::SecretsManager::Secret": _secret,
    "AWS::SecretsManager::RotationSchedule": _schedule,
    "AWS::SecretsManager::SecretTargetAttachment": _attachment,
    "AWS::SecretsManager::ResourcePolicy": _policy,
    "AWS::KMS::Key": _key,
    "AWS::KMS::Alias": _alias,
}
