"""Contract: what the lab mends of moto's KMS."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.control_plane import keys
from infra.lab.control_plane.keys import why_unusable
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane
from tests.infra.lab.secretlab import code_of


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


@pytest.fixture
def key(lab: Lab) -> dict[str, Any]:
    """Give a key."""
    made: dict[str, Any] = lab.client("kms").create_key()["KeyMetadata"]
    return made


def disable(kms: Any, key_id: str) -> None:
    """Disable a key."""
    kms.disable_key(KeyId=key_id)


def schedule(kms: Any, key_id: str) -> None:
    """Schedule a key for its deletion."""
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)


@pytest.mark.parametrize("multi_region", [False, True])
def test_what_is_encrypted_can_be_decrypted(multi_region: bool, lab: Lab) -> None:
    """A key of either kind decrypts what it encrypted, and only with the same context."""
    kms = lab.client("kms")
    key_id = kms.create_key(MultiRegion=multi_region)["KeyMetadata"]["KeyId"]
    context = {"for": "orders"}
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"text", EncryptionContext=context)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"text"
    for broken, used in ((blob, {}), (b"", context), (b"no such thing", context)):
        with pytest.raises(ClientError):
            kms.decrypt(CiphertextBlob=broken, EncryptionContext=used)


@pytest.mark.parametrize(
    ("act", "code"), [(disable, "DisabledException"), (schedule, "KMSInvalidStateException")]
)
def test_a_key_that_is_off_does_nothing(
    act: Callable[[Any, str], None], code: str, lab: Lab, key: dict[str, Any]
) -> None:
    """A key that is disabled or waits for its deletion encrypts nothing and decrypts nothing."""
    kms = lab.client("kms")
    blob = kms.encrypt(KeyId=key["Arn"], Plaintext=b"text")["CiphertextBlob"]
    act(kms, key["Arn"])
    calls: list[Callable[[], object]] = [
        lambda: kms.decrypt(CiphertextBlob=blob),
        lambda: kms.encrypt(KeyId=key["KeyId"], Plaintext=b"text"),
        lambda: kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256"),
        lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"]),
        lambda: kms.enable_key_rotation(KeyId=key["KeyId"]),
    ]
    assert {code_of(call) for call in calls} == {code}
    assert why_unusable(EAST, key["KeyId"]).startswith(key["Arn"])


def test_a_key_comes_back(lab: Lab, key: dict[str, Any]) -> None:
    """Deletion can be cancelled, after which the key is disabled until it is enabled, by id or ARN."""
    kms = lab.client("kms")
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    assert code_of(lambda: kms.cancel_key_deletion(KeyId=key["KeyId"])) == "KMSInvalidStateException"
    answer = kms.schedule_key_deletion(KeyId=key["Arn"])
    assert (answer["KeyId"], answer["KeyState"], answer["PendingWindowInDays"]) == (
        key["Arn"],
        "PendingDeletion",
        30,
    )
    for call in (kms.enable_key, kms.disable_key, kms.schedule_key_deletion):
        assert code_of(partial(call, KeyId=key["Arn"])) == "KMSInvalidStateException"
    assert kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=key["Arn"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
    assert why_unusable(EAST, key["Arn"]) == ""


def test_aliases_lead_to_keys(lab: Lab, key: dict[str, Any]) -> None:
    """A key is found by its alias, which can be led elsewhere; a name that leads nowhere is of no use."""
    kms = lab.client("kms")
    kms.create_alias(AliasName="alias/kept", TargetKeyId=key["Arn"])
    arn = f"arn:aws:kms:{EAST}:123456789012:alias/kept"
    assert (why_unusable(EAST, "alias/kept"), why_unusable(EAST, arn)) == ("", "")
    assert why_unusable(EAST, "alias/aws/secretsmanager") == ""
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName="alias/kept", TargetKeyId=other)
    kms.disable_key(KeyId=other)
    assert "is disabled" in why_unusable(EAST, arn)
    assert "does not exist" in why_unusable(EAST, "alias/nothing")
    assert "is in another region" in why_unusable(WEST, key["Arn"])


def test_rotation_of_a_key_is_shown(lab: Lab, key: dict[str, Any]) -> None:
    """The period that was asked for is shown with the next date, and one that AWS refuses is refused."""
    kms = lab.client("kms")
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key["Arn"], RotationPeriodInDays=90)
    shown = kms.get_key_rotation_status(KeyId=key["Arn"])
    assert (shown["KeyRotationEnabled"], shown["RotationPeriodInDays"]) == (True, 90)
    assert 89.9 < (shown["NextRotationDate"] - key["CreationDate"]).total_seconds() / 86400 < 90.1
    kms.enable_key_rotation(KeyId=key["KeyId"])
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["RotationPeriodInDays"] == 365
    wrong = code_of(lambda: kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=2561))
    assert wrong == "ValidationException"
    pair = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    assert code_of(lambda: kms.enable_key_rotation(KeyId=pair)) == "UnsupportedOperationException"


def test_a_policy_must_be_a_document(lab: Lab, key: dict[str, Any]) -> None:
    """A policy that is no JSON document is refused when a key is made and afterwards."""
    kms = lab.client("kms")
    assert code_of(lambda: kms.create_key(Policy="{")) == "MalformedPolicyDocumentException"
    wrong = code_of(lambda: kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy="[]"))
    assert wrong == "MalformedPolicyDocumentException"


def test_a_symmetric_key_is_described_as_one(key: dict[str, Any]) -> None:
    """What nobody asked for has AWS's own default."""
    assert (key["KeyUsage"], key["MultiRegion"], key["KeyState"]) == ("ENCRYPT_DECRYPT", False, "Enabled")


def test_mending_twice_changes_nothing(lab: Lab, key: dict[str, Any]) -> None:
    """A second control plane in the process mends nothing twice."""
    keys.install()
    kms = lab.client("kms")
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
