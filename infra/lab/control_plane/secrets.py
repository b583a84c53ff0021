"""Secrets Manager as AWS has it: values and the keys that they lie under, policies, what is shown."""

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.secretsmanager.exceptions import InvalidRequestException, ResourceExistsException
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, SecretsManagerBackend
from moto.secretsmanager.responses import SecretsManagerResponse

from infra.lab.control_plane import secret_replicas, secret_rotation, secret_versions
from infra.lab.control_plane.keys import why_unusable
from infra.lab.control_plane.mending import Function, replace
from infra.lab.control_plane.secret_stages import PENDING, Secret, has_value, labelled
from infra.lab.control_plane.secret_versions import found_version, live, touched, writable

_MANAGED = (
    "put_secret_value",
    "update_secret",
    "update_secret_version_stage",
    "delete_secret",
    "cancel_rotate_secret",
)


def install(clock_scale: float) -> None:
    """Mend moto's Secrets Manager.

    Args:
        clock_scale: The part of a rotation schedule's interval that passes in the lab.

    """
    replace(SecretsManagerBackend, "get_secret_value", lambda _: _value)
    replace(SecretsManagerBackend, "put_secret_value", _put)
    replace(SecretsManagerBackend, "create_secret", _create)
    replace(SecretsManagerBackend, "update_secret", _update)
    replace(SecretsManagerBackend, "update_secret_version_stage", lambda _: secret_versions.move_stage)
    replace(SecretsManagerBackend, "_check_with_existing_secrets_and_versions", _check)
    replace(FakeSecret, "reset_default_version", lambda _: secret_versions.take_over)
    replace(FakeSecret, "to_dict", _shown)
    replace(SecretsManagerResponse, "list_secret_version_ids", lambda _: _list_versions)
    replace(SecretsManagerResponse, "put_resource_policy", lambda _: _put_policy)
    for name in _MANAGED:
        replace(SecretsManagerResponse, name, _unless_managed)
    secret_replicas.install()
    secret_rotation.install(clock_scale)


def _key(secret: Secret) -> str:
    own: str | None = secret.kms_key_id
    return own or SecretsManagerBackend.DEFAULT_KMS_KEY_ALIAS


def _require_decryption(secret: Secret) -> None:
    problem = why_unusable(secret.region, _key(secret))
    if problem:
        code = "DecryptionFailure"
        raise JsonRESTError(
            code, f"Secrets Manager can't decrypt the protected secret text using the provided key: {problem}"
        )


def _require_encryption(region: str, key_id: str | None) -> None:
    problem = why_unusable(region, key_id or SecretsManagerBackend.DEFAULT_KMS_KEY_ALIAS)
    if problem:
        code = "EncryptionFailure"
        raise JsonRESTError(
            code, f"Secrets Manager can't encrypt the protected secret text using the provided key: {problem}"
        )


def _value(
    backend: SecretsManagerBackend, secret_id: str, version_id: str, version_stage: str
) -> dict[str, Any]:
    secret = live(backend, secret_id)
    version = found_version(secret, version_id, version_stage)
    _require_decryption(secret)
    given = {"secret_string": "SecretString", "secret_binary": "SecretBinary"}
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version["version_id"],
        "VersionStages": version["version_stages"],
        "CreatedDate": version["createdate"],
        **{shown: version[name] for name, shown in given.items() if name in version},
    }


def _put(original: Function) -> Function:
    def put(backend: SecretsManagerBackend, secret_id: str, *args: Any, **kwargs: Any) -> str:
        secret = writable(backend, secret_id)
        _require_encryption(secret.region, secret.kms_key_id)
        answer: str = original(backend, secret_id, *args, **kwargs)
        touched(secret)
        return answer

    return put


def _create(original: Function) -> Function:
    def create(backend: SecretsManagerBackend, name: str, *args: Any, **kwargs: Any) -> str:
        _require_encryption(backend.region_name, kwargs.get("kms_key_id"))
        answer: str = original(backend, name, *args, **kwargs)
        secret_replicas.follow(backend.secrets[name])
        return answer

    return create


def _update(original: Function) -> Function:
    def update(backend: SecretsManagerBackend, secret_id: str, **kwargs: Any) -> str:
        secret = writable(backend, secret_id)
        _require_decryption(secret)
        _require_encryption(secret.region, kwargs.get("kms_key_id") or secret.kms_key_id)
        answer: str = original(backend, secret_id, **kwargs)
        if kwargs.get("description") is not None:
            secret.description = kwargs["description"]
        touched(secret)
        return answer

    return update


def _check(original: Function) -> Function:
    """Let a version be given its value once only; moto lets a pending one be written again."""

    def check(
        backend: SecretsManagerBackend, secret_name: str, token: str | None, *value: str | None, **kwargs: Any
    ) -> FakeSecret | None:
        existing = backend.secrets.get(secret_name)
        if existing is not None and existing.is_deleted():
            msg = (
                "You can't create this secret because a secret with this name is already scheduled for"
                " deletion."
            )
            raise InvalidRequestException(msg)
        version = {} if existing is None else existing.versions.get(token, {})
        if PENDING in version.get("version_stages", ()) and has_value(version):
            if value == (version.get("secret_string"), version.get("secret_binary")):
                return existing
            msg = (
                f"You can't use ClientRequestToken {token} because that value is already in"
                f" use for a version of secret {existing.arn}."
            )
            raise ResourceExistsException(msg)
        found: FakeSecret | None = original(backend, secret_name, token, *value, **kwargs)
        return found

    return check


def _shown(original: Function) -> Function:
    def shown(secret: FakeSecret) -> dict[str, Any]:
        found: dict[str, Any] = original(secret)
        for name in ("RotationEnabled", "RotationLambdaARN", "RotationRules", "LastRotatedDate"):
            found.pop(name, None)
        if secret.versions:
            found["VersionIdsToStages"] = found["SecretVersionsToStages"] = labelled(secret)
        if secret.replicas:
            found["PrimaryRegion"] = secret.region
        return {**found, "NextRotationDate": None, **secret_rotation.shown(secret)}

    return shown


def _list_versions(response: SecretsManagerResponse) -> str:
    secret = live(response.backend, response._get_param("SecretId"))
    deprecated = response._get_bool_param("IncludeDeprecated", False)
    found = [
        {
            "VersionId": name,
            "VersionStages": list(version["version_stages"]),
            "CreatedDate": version["createdate"],
            "KmsKeyIds": [_key(secret)],
        }
        for name, version in list(secret.versions.items())
        if version["version_stages"] or deprecated
    ]
    return json.dumps({"ARN": secret.arn, "Name": secret.name, "Versions": found})


def _put_policy(response: SecretsManagerResponse) -> str:
    """Attach a policy; one that lets everybody in is refused where BlockPublicPolicy asks for that.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
    """
    secret = writable(response.backend, response._get_param("SecretId"))
    text = response._get_param("ResourcePolicy")
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError) as problem:
        code = "MalformedPolicyDocumentException"
        raise JsonRESTError(code, "This resource policy contains invalid Json.") from problem
    listed = statements if isinstance(statements, list) else [statements]
    if response._get_bool_param("BlockPublicPolicy", False) and any(map(_public, listed)):
        code = "PublicPolicyException"
        raise JsonRESTError(code, "You can't grant broad access to the secret with BlockPublicPolicy.")
    secret.policy = text
    return json.dumps({"ARN": secret.arn, "Name": secret.name})


def _public(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal", "")
    named = principal.get("AWS", "") if isinstance(principal, dict) else principal
    everybody = "*" in (named if isinstance(named, list) else [named])
    return everybody and statement.get("Effect") == "Allow" and "Condition" not in statement


def _unless_managed(original: Function) -> Function:
    """Leave secrets that another service keeps to that service."""

    def action(response: SecretsManagerResponse) -> str:
        secret = response.backend.secrets.get(response._get_param("SecretId", ""))
        if secret is not None and not isinstance(secret, ReplicaSecret) and secret.owning_service:
            msg = (
                f"You can't perform this operation on the secret because it is managed by"
                f" {secret.owning_service}; use that service to change it."
            )
            raise InvalidRequestException(msg)
        answer: str = original(response)
        return answer

    return action
