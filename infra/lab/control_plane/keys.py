"""KMS as AWS has it: a key that is disabled, or waits for its deletion, encrypts and decrypts nothing.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

import json
import struct
import time
from datetime import timedelta
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time, utcnow
from moto.kms import models, utils
from moto.kms.models import Key, KmsBackend, kms_backends
from moto.kms.responses import KmsResponse

from infra.lab.control_plane.mending import ACCOUNT, Function, replace

PENDING_DELETION = "PendingDeletion"
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_KEY_PAIRS = ("RSA_", "ECC_", "SM2")
_DAY_S = 86400
# https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
_PERIOD_DAYS, _PERIODS_DAYS = 365, range(90, 2561)
# https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
_WINDOW_DAYS, _WINDOWS_DAYS = 30, range(7, 31)
_USES = (
    "encrypt",
    "generate_data_key",
    "sign",
    "verify",
    "get_public_key",
    "generate_mac",
    "disable_key_rotation",
)
_CHANGES = ("update_key_description", "enable_key", "disable_key")
_LENGTH = struct.Struct(">B")


def install() -> None:
    """Mend moto's KMS."""
    replace(models, "generate_private_key", _generate_private_key)
    replace(utils, "_serialize_ciphertext_blob", lambda _: _serialized)
    replace(utils, "_deserialize_ciphertext_blob", lambda _: _deserialized)
    replace(Key, "__init__", _init)
    replace(KmsBackend, "create_key", _create_key)
    replace(KmsBackend, "_generate_default_keys", _key_of_aws)
    replace(KmsBackend, "put_key_policy", _put_key_policy)
    replace(KmsBackend, "decrypt", _decrypt)
    for name in _USES:
        replace(KmsBackend, name, _while_usable)
    for name in _CHANGES:
        replace(KmsBackend, name, _unless_pending)
    replace(KmsResponse, "enable_key_rotation", lambda _: _enable_rotation)
    replace(KmsResponse, "get_key_rotation_status", lambda _: _rotation_status)
    replace(KmsResponse, "cancel_key_deletion", lambda _: _cancel_deletion)
    replace(KmsResponse, "schedule_key_deletion", lambda _: _schedule_deletion)


def why_unusable(region: str, key_id: str) -> str:
    """Say why a key encrypts and decrypts nothing now; empty if it does.

    Args:
        region: Where it is used: a key of another region is of no use here.
        key_id: Its id, its ARN, its alias or its alias's ARN.

    """
    if key_id.startswith("arn:") and key_id.split(":")[3] != region:
        return f"{key_id} is in another region."
    found = _find(kms_backends[ACCOUNT][region], key_id)
    return f"{key_id} does not exist." if found is None else _why_unusable(found)


def _find(backend: KmsBackend, key_id: str) -> Key | None:
    name: str = backend.get_alias_name(key_id)
    raw = backend.get_key_id_from_alias(name) if name.startswith("alias/") else backend.get_key_id(key_id)
    return backend.keys.get(raw)


def _why_unusable(key: Key) -> str:
    if key.key_state == PENDING_DELETION:
        return f"{key.arn} is pending deletion."
    return "" if key.enabled else f"{key.arn} is disabled."


def _require_usable(key: Key | None) -> None:
    if key is None:  # moto says so in AWS's words
        return
    why = _why_unusable(key)
    if why:
        code = "KMSInvalidStateException" if key.key_state == PENDING_DELETION else "DisabledException"
        raise JsonRESTError(code, why)


def _generate_private_key(original: Function) -> Function:
    def generate(key_spec: str) -> Any:
        # Others have no key pair; moto makes an RSA one for each of them, and takes its time.
        return original(key_spec) if key_spec.startswith(_KEY_PAIRS) else None

    return generate


def _serialized(ciphertext: Any) -> bytes:
    """Return what Encrypt answers; unlike moto's form it has room for a multi-Region key's longer id."""
    name = ciphertext.key_id.encode()
    whole: bytes = _LENGTH.pack(len(name)) + name + ciphertext.iv + ciphertext.tag + ciphertext.ciphertext
    return whole


def _deserialized(ciphertext_blob: bytes) -> Any:
    iv = 1 + ciphertext_blob[0]
    tag = iv + utils.IV_LEN
    text = tag + utils.TAG_LEN
    return utils.Ciphertext(
        key_id=ciphertext_blob[1:iv].decode(),
        iv=ciphertext_blob[iv:tag],
        tag=ciphertext_blob[tag:text],
        ciphertext=ciphertext_blob[text:],
    )


def _init(original: Function) -> Function:
    def init(key: Key, *args: Any, **kwargs: Any) -> None:
        original(key, *args, **kwargs)
        key.key_usage = key.key_usage or "ENCRYPT_DECRYPT"
        key.multi_region = bool(key.multi_region)
        key.rotation_period_days, key.rotation_begins_at = _PERIOD_DAYS, 0.0

    return init


def _require_policy(policy: str | None) -> None:
    try:
        sound = policy is None or isinstance(json.loads(policy), dict)
    except ValueError:
        sound = False
    if not sound:
        code = "MalformedPolicyDocumentException"
        raise JsonRESTError(code, "The new key policy is not a valid JSON document.")


def _create_key(original: Function) -> Function:
    def create(backend: KmsBackend, policy: str | None, *args: Any, **kwargs: Any) -> Key:
        _require_policy(policy)
        return original(backend, policy, *args, **kwargs)

    return create


def _key_of_aws(original: Function) -> Function:
    """Show a service's own key as managed by AWS: it comes at its first use and can't be deleted."""

    def generate(backend: KmsBackend, alias_name: str) -> str | None:
        key_id: str | None = original(backend, alias_name)
        if key_id is not None:
            backend.keys[key_id].key_manager = "AWS"
        return key_id

    return generate


def _put_key_policy(original: Function) -> Function:
    def put(backend: KmsBackend, key_id: str, policy: str) -> None:
        _require_policy(policy)
        original(backend, key_id, policy)

    return put


def _decrypt(original: Function) -> Function:
    def decrypt(backend: KmsBackend, *args: Any, **kwargs: Any) -> tuple[bytes, str]:
        plaintext, arn = original(backend, *args, **kwargs)
        _require_usable(_find(backend, arn))
        return plaintext, arn

    return decrypt


def _while_usable(original: Function) -> Function:
    """Refuse while the key is disabled or waits for its deletion."""

    def use(backend: KmsBackend, *args: Any, **kwargs: Any) -> Any:
        _require_usable(_find(backend, kwargs["key_id"] if "key_id" in kwargs else args[0]))
        return original(backend, *args, **kwargs)

    return use


def _unless_pending(original: Function) -> Function:
    """Refuse while the key waits for its deletion; moto also does not take an ARN everywhere."""

    def change(backend: KmsBackend, key_id: str, *args: Any) -> Any:
        key = backend.keys[backend.get_key_id(key_id)]
        if key.key_state == PENDING_DELETION:
            _require_usable(key)
        return original(backend, key.id, *args)

    return change


def _key_of(response: KmsResponse) -> Key:
    key_id = response._get_param("KeyId")
    response._validate_cmk_id(key_id)
    return response.kms_backend.keys[response.kms_backend.get_key_id(key_id)]


def _days(response: KmsResponse, name: str, default: int, allowed: range) -> int:
    given = response._get_param(name)
    days = default if given is None else int(given)
    if days not in allowed:
        code = "ValidationException"
        raise JsonRESTError(code, f"{name} must be from {allowed[0]} to {allowed[-1]}, not {days}.")
    return days


def _enable_rotation(response: KmsResponse) -> str:
    key = _key_of(response)
    _require_usable(key)
    days = _days(response, "RotationPeriodInDays", _PERIOD_DAYS, _PERIODS_DAYS)
    if key.key_spec != _SYMMETRIC:
        code = "UnsupportedOperationException"
        raise JsonRESTError(
            code, f"{key.arn} key spec is {key.key_spec} which is not valid for key rotation."
        )
    if not key.key_rotation_status:
        key.rotation_begins_at = time.time()
    key.key_rotation_status, key.rotation_period_days = True, days
    return json.dumps(None)


def _rotation_status(response: KmsResponse) -> str:
    key = _key_of(response)
    shown: dict[str, Any] = {"KeyId": key.arn, "KeyRotationEnabled": key.key_rotation_status}
    if key.key_rotation_status:
        shown["RotationPeriodInDays"] = key.rotation_period_days
        shown["NextRotationDate"] = key.rotation_begins_at + key.rotation_period_days * _DAY_S
    return json.dumps(shown)


def _schedule_deletion(response: KmsResponse) -> str:
    key = _key_of(response)
    days = _days(response, "PendingWindowInDays", _WINDOW_DAYS, _WINDOWS_DAYS)
    if key.key_state == PENDING_DELETION:
        _require_usable(key)
    key.enabled, key.key_state = False, PENDING_DELETION
    key.deletion_date = utcnow() + timedelta(days=days)
    return json.dumps(
        {
            "KeyId": key.arn,
            "DeletionDate": unix_time(key.deletion_date),
            "KeyState": key.key_state,
            "PendingWindowInDays": days,
        }
    )


def _cancel_deletion(response: KmsResponse) -> str:
    key = _key_of(response)
    if key.key_state != PENDING_DELETION:
        code = "KMSInvalidStateException"
        raise JsonRESTError(code, f"{key.arn} is not pending deletion.")
    response.kms_backend.cancel_key_deletion(key.id)
    return json.dumps({"KeyId": key.arn})
