"""Vaults of AWS Backup: policies, notifications, what they hold; one that holds anything stays.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupVault.html
"""

import re
from typing import Any

from moto.backup.exceptions import (
    InvalidParameterValueException,
    InvalidRequestException,
    ResourceNotFoundException,
)
from moto.backup.models import BackupBackend, Vault
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.kms.models import kms_backends

from infra.lab.control_plane.backup_store import STORE, asked, page, vault_named
from infra.lab.control_plane.keys import why_unusable
from infra.lab.control_plane.mending import ACCOUNT, Function, add, replace

_NAME = re.compile(r"[a-zA-Z0-9_-]{2,50}")
# The key of a vault that names none.
_DEFAULT_KEY = "alias/aws/backup"


def install() -> None:
    """Mend moto's vaults, and add what they lack."""
    replace(BackupBackend, "create_backup_vault", _creating)
    replace(BackupBackend, "delete_backup_vault", _deleting)
    replace(BackupResponse, "describe_backup_vault", lambda _: _describe)
    replace(BackupResponse, "list_backup_vaults", lambda _: _list)
    add(BackupResponse, "put_backup_vault_access_policy", _put_policy)
    add(BackupResponse, "get_backup_vault_access_policy", _get_policy)
    add(BackupResponse, "delete_backup_vault_access_policy", _delete_policy)
    add(BackupResponse, "put_backup_vault_notifications", _put_notifications)
    add(BackupResponse, "get_backup_vault_notifications", _get_notifications)
    add(BackupResponse, "delete_backup_vault_notifications", _delete_notifications)


def _creating(original: Function) -> Function:
    def create(
        backend: BackupBackend,
        backup_vault_name: str,
        backup_vault_tags: dict[str, str],
        encryption_key_arn: str | None,
        creator_request_id: str,
    ) -> Vault:
        if not _NAME.fullmatch(backup_vault_name):
            msg = f"Invalid backup vault name: {backup_vault_name}"
            raise InvalidParameterValueException(msg)
        region = backend.region_name
        if encryption_key_arn is not None and why_unusable(region, encryption_key_arn):
            msg = f"The encryption key is not valid: {why_unusable(region, encryption_key_arn)}"
            raise InvalidParameterValueException(msg)
        key = encryption_key_arn or _default_key(region)
        vault: Vault = original(backend, backup_vault_name, backup_vault_tags, key, creator_request_id)
        vault.key_is_own = encryption_key_arn is not None
        return vault

    return create


def _default_key(region: str) -> str:
    """Return the key that AWS Backup has of its own in a region; it comes with the first vault."""
    kms = kms_backends[ACCOUNT][region]
    key_id = kms.get_key_id_from_alias(_DEFAULT_KEY)
    if key_id is None:
        text = "Default key that protects my Backup data when no other key is defined"
        key_id = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", text, None).id
        kms.create_alias(key_id, _DEFAULT_KEY)
    return str(kms.keys[key_id].arn)


def _deleting(original: Function) -> Function:
    def delete(backend: BackupBackend, backup_vault_name: str) -> None:
        vault = vault_named(backend.region_name, backup_vault_name)
        with STORE.lock:
            if STORE.points_in(backend.region_name, backup_vault_name):
                msg = (
                    f"Backup vault {backup_vault_name} cannot be deleted because it contains recovery points."
                )
                raise InvalidRequestException(msg)
            STORE.policies.pop(vault.backup_vault_arn, None)
            STORE.notifications.pop(vault.backup_vault_arn, None)
        original(backend, backup_vault_name)
        backend.tagger.delete_all_tags_for_resource(vault.backup_vault_arn)

    return delete


def _shown(vault: Vault, region: str) -> dict[str, Any]:
    with STORE.lock:
        held = len(STORE.points_in(region, vault.backup_vault_name))
    own = {"EncryptionKeyType": "CUSTOMER_MANAGED_KMS_KEY"} if getattr(vault, "key_is_own", False) else {}
    return {
        **vault.to_list_dict(),
        "NumberOfRecoveryPoints": held,
        "VaultType": "BACKUP_VAULT",
        "VaultState": "AVAILABLE",
        **own,
    }


def _vault(response: BackupResponse) -> tuple[Vault, dict[str, Any]]:
    wanted = asked(response)
    return vault_named(response.region, wanted["BackupVaultName"]), wanted


def _describe(response: BackupResponse) -> ActionResult:
    vault, _ = _vault(response)
    return ActionResult(_shown(vault, response.region))


def _list(response: BackupResponse) -> ActionResult:
    vaults = list(response.backup_backend.vaults.values())
    shown = [_shown(vault, response.region) for vault in vaults]
    return ActionResult(page("BackupVaultList", shown, asked(response)))


def _named(vault: Vault) -> dict[str, str]:
    return {"BackupVaultName": vault.backup_vault_name, "BackupVaultArn": vault.backup_vault_arn}


def _put_policy(response: BackupResponse) -> EmptyResult:
    vault, wanted = _vault(response)
    STORE.policies[vault.backup_vault_arn] = wanted.get("Policy", "")
    return EmptyResult()


def _get_policy(response: BackupResponse) -> ActionResult:
    vault, _ = _vault(response)
    policy = STORE.policies.get(vault.backup_vault_arn)
    if policy is None:
        msg = f"Access policy of backup vault {vault.backup_vault_name} not found"
        raise ResourceNotFoundException(msg)
    return ActionResult({**_named(vault), "Policy": policy})


def _delete_policy(response: BackupResponse) -> EmptyResult:
    vault, _ = _vault(response)
    STORE.policies.pop(vault.backup_vault_arn, None)
    return EmptyResult()


def _put_notifications(response: BackupResponse) -> EmptyResult:
    vault, wanted = _vault(response)
    kept = {name: wanted[name] for name in ("SNSTopicArn", "BackupVaultEvents")}
    STORE.notifications[vault.backup_vault_arn] = kept
    return EmptyResult()


def _get_notifications(response: BackupResponse) -> ActionResult:
    vault, _ = _vault(response)
    kept = STORE.notifications.get(vault.backup_vault_arn)
    if kept is None:
        msg = f"Failed reading notifications from database for Backup vault {vault.backup_vault_name}"
        raise ResourceNotFoundException(msg)
    return ActionResult({**_named(vault), **kept})


def _delete_notifications(response: BackupResponse) -> EmptyResult:
    vault, _ = _vault(response)
    STORE.notifications.pop(vault.backup_vault_arn, None)
    return EmptyResult()
