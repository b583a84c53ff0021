"""Contract: what the lab mends of moto's Secrets Manager, rotation aside."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane
from tests.infra.lab.secretlab import code_of, until

ALL = {
    "Principal": "*",
    "Effect": "Allow",
    "Action": "secretsmanager:GetSecretValue",
    "Resource": "*",
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


@pytest.fixture
def secrets(lab: Lab) -> Any:
    """Give the east's Secrets Manager."""
    return lab.client("secretsmanager")


@pytest.fixture
def west(lab: Lab) -> Any:
    """Give the west's."""
    return lab.client("secretsmanager", WEST)


def put(secrets: Any, text: str, **wanted: Any) -> str:
    """Put a value into the secret `s`; returns its version's id."""
    version: str = secrets.put_secret_value(SecretId="s", SecretString=text, **wanted)["VersionId"]
    return version


def stages(secrets: Any) -> dict[str, list[str]]:
    """Return the stages of every version of `s` that has any."""
    found: dict[str, list[str]] = secrets.describe_secret(SecretId="s")["VersionIdsToStages"]
    return {name: sorted(labels) for name, labels in found.items()}


def in_sync(secrets: Any) -> bool:
    """Say whether every replica of `s` is in sync."""
    shown = secrets.describe_secret(SecretId="s")["ReplicationStatus"]
    return all(replica["Status"] == "InSync" for replica in shown)


def test_each_stage_is_on_one_version(secrets: Any) -> None:
    """AWSPREVIOUS follows AWSCURRENT, other labels move, and a version without one is not shown."""
    first = secrets.create_secret(Name="s", SecretString="1")["VersionId"]
    second = put(secrets, "2")
    assert stages(secrets) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]}
    third = put(secrets, "3", VersionStages=["AWSCURRENT", "mine"])
    assert stages(secrets) == {second: ["AWSPREVIOUS"], third: ["AWSCURRENT", "mine"]}
    fourth = put(secrets, "4", VersionStages=["mine"])
    assert stages(secrets) == {second: ["AWSPREVIOUS"], third: ["AWSCURRENT"], fourth: ["mine"]}
    versions = secrets.list_secret_version_ids(SecretId="s")
    assert versions["ARN"].startswith(f"arn:aws:secretsmanager:{EAST}:123456789012:secret:s-")
    assert {one["VersionId"] for one in versions["Versions"]} == {second, third, fourth}
    assert len(secrets.list_secret_version_ids(SecretId="s", IncludeDeprecated=True)["Versions"]) == 4
    assert secrets.get_secret_value(SecretId="s", VersionStage="AWSPREVIOUS")["SecretString"] == "2"
    assert secrets.get_secret_value(SecretId="s", VersionId=first)["SecretString"] == "1"


def test_the_current_stage_is_moved_by_naming_where_it_is(secrets: Any) -> None:
    """Who moves AWSCURRENT must know which version has it, and it is never taken away altogether."""
    first = secrets.create_secret(Name="s", SecretString="1")["VersionId"]
    second = put(secrets, "2")

    def move(**wanted: str) -> str:
        call = {"SecretId": "s", "VersionStage": "AWSCURRENT", **wanted}
        return code_of(lambda: secrets.update_secret_version_stage(**call))

    assert move(MoveToVersionId=first) == "InvalidParameterException"
    assert move(MoveToVersionId=first, RemoveFromVersionId=first) == "InvalidParameterException"
    assert move(RemoveFromVersionId=second) == "InvalidParameterException"
    assert move(MoveToVersionId="0" * 32, RemoveFromVersionId=second) == "InvalidParameterException"
    assert stages(secrets) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]}
    assert move(MoveToVersionId=first, RemoveFromVersionId=second) == ""
    assert stages(secrets) == {first: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "1"


def test_a_version_is_written_once(secrets: Any) -> None:
    """The same token with the same value changes nothing; with another value it is refused."""
    secrets.create_secret(Name="s", SecretString="1")
    token = "t" * 32
    wanted = {"ClientRequestToken": token, "VersionStages": ["AWSPENDING"]}
    assert put(secrets, "2", **wanted) == put(secrets, "2", **wanted) == token
    assert code_of(lambda: put(secrets, "3", **wanted)) == "ResourceExistsException"
    assert secrets.get_secret_value(SecretId="s", VersionStage="AWSPENDING")["SecretString"] == "2"


def test_what_is_not_there_is_said_so(secrets: Any) -> None:
    """A secret, a stage, a version or a value that is missing is ResourceNotFoundException."""
    secrets.create_secret(Name="s")
    for wanted in (
        {"SecretId": "none"},
        {"SecretId": "s"},
        {"SecretId": "s", "VersionStage": "AWSPENDING"},
        {"SecretId": "s", "VersionId": "0" * 32},
    ):
        assert code_of(partial(secrets.get_secret_value, **wanted)) == "ResourceNotFoundException"
    version = put(secrets, "1")
    both = {"SecretId": "s", "VersionId": version, "VersionStage": "AWSPENDING"}
    assert code_of(lambda: secrets.get_secret_value(**both)) == "InvalidRequestException"


def test_a_deleted_secret_waits(secrets: Any) -> None:
    """While it waits for its deletion it can be neither read nor written, nor its name be used."""
    secrets.create_secret(Name="s", SecretString="1")
    secrets.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    for call in (
        lambda: secrets.get_secret_value(SecretId="s"),
        lambda: put(secrets, "2"),
        lambda: secrets.create_secret(Name="s", SecretString="1"),
    ):
        assert code_of(call) == "InvalidRequestException"
    secrets.restore_secret(SecretId="s")
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "1"


def test_a_replica_follows(lab: Lab, secrets: Any, west: Any) -> None:
    """It differs in region and key alone, and has each new value a moment later, with its stages."""
    key = lab.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]
    made = secrets.create_secret(
        Name="s", SecretString="1", AddReplicaRegions=[{"Region": WEST, "KmsKeyId": key}]
    )
    assert [item["Status"] for item in made["ReplicationStatus"]] == ["InProgress"]
    until(lambda: in_sync(secrets))
    replica = west.describe_secret(SecretId="s")
    assert replica["ARN"] == made["ARN"].replace(EAST, WEST)
    assert (replica["PrimaryRegion"], replica["KmsKeyId"]) == (EAST, key)
    assert secrets.describe_secret(SecretId="s")["PrimaryRegion"] == EAST
    version = put(secrets, "2")
    until(lambda: west.get_secret_value(SecretId=replica["ARN"])["SecretString"] == "2")
    assert west.get_secret_value(SecretId="s")["VersionId"] == version
    assert west.describe_secret(SecretId="s")["VersionIdsToStages"][version] == ["AWSCURRENT"]


def test_an_arn_differs_in_the_region_alone(secrets: Any, west: Any) -> None:
    """A name that has the region in it stays as it is in the replica's ARN."""
    arn = secrets.create_secret(Name=f"s-{EAST}", SecretString="1", AddReplicaRegions=[{"Region": WEST}])[
        "ARN"
    ]
    assert west.describe_secret(SecretId=f"s-{EAST}")["ARN"] == arn.replace(f":{EAST}:", f":{WEST}:")


def test_a_replica_is_read_only(secrets: Any, west: Any) -> None:
    """Whatever would change a replica is refused; the policy that it shows is its secret's."""
    secrets.create_secret(Name="s", SecretString="1", AddReplicaRegions=[{"Region": WEST}])
    version = secrets.get_secret_value(SecretId="s")["VersionId"]
    moving = {"SecretId": "s", "VersionStage": "mine", "MoveToVersionId": version}
    tags = [{"Key": "a", "Value": "b"}]
    for call in (
        lambda: put(west, "2"),
        lambda: west.update_secret(SecretId="s", Description="d"),
        lambda: west.update_secret_version_stage(**moving),
        lambda: west.rotate_secret(SecretId="s"),
        lambda: west.delete_secret(SecretId="s"),
        lambda: west.tag_resource(SecretId="s", Tags=tags),
        lambda: west.put_resource_policy(SecretId="s", ResourcePolicy=json.dumps({"Statement": []})),
        lambda: west.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": EAST}]),
    ):
        assert code_of(call) == "InvalidParameterException"
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    secrets.put_resource_policy(SecretId="s", ResourcePolicy=policy)
    assert west.get_resource_policy(SecretId="s")["ResourcePolicy"] == policy


def test_a_secret_with_replicas_stays(secrets: Any, west: Any) -> None:
    """It can't be deleted before they are removed; removing them deletes them."""
    arn = secrets.create_secret(Name="s", SecretString="1")["ARN"]
    secrets.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": WEST}])
    again = code_of(
        lambda: secrets.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": WEST}])
    )
    assert again == "InvalidParameterException"
    assert code_of(lambda: secrets.delete_secret(SecretId="s")) == "InvalidParameterException"
    removed = secrets.remove_regions_from_replication(SecretId="s", RemoveReplicaRegions=[WEST])
    assert (removed["ARN"], removed["ReplicationStatus"]) == (arn, [])
    assert code_of(lambda: west.describe_secret(SecretId="s")) == "ResourceNotFoundException"
    secrets.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)


def test_a_replica_is_promoted(secrets: Any, west: Any) -> None:
    """Once it is on its own it keeps value and ARN, can be written, and no longer follows."""
    arn = secrets.create_secret(
        Name="s", SecretString="1", Description="d", AddReplicaRegions=[{"Region": WEST}]
    )["ARN"]
    until(lambda: in_sync(secrets))
    assert code_of(lambda: secrets.stop_replication_to_replica(SecretId="s")) == "InvalidParameterException"
    promoted = west.stop_replication_to_replica(SecretId="s")["ARN"]
    assert promoted == arn.replace(EAST, WEST)
    put(secrets, "2")
    assert west.get_secret_value(SecretId=promoted)["SecretString"] == "1"
    put(west, "3")
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "2"
    assert "ReplicationStatus" not in secrets.describe_secret(SecretId="s")
    assert west.describe_secret(SecretId="s")["Description"] == "d"
    secrets.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    assert west.get_secret_value(SecretId="s")["SecretString"] == "3"


def test_a_replica_that_can_not_be_made_is_failed(lab: Lab, secrets: Any, west: Any) -> None:
    """A name that is taken there, or a key that can't be used, is shown with its reason."""
    west.create_secret(Name="s", SecretString="own")
    taken = secrets.create_secret(Name="s", SecretString="1", AddReplicaRegions=[{"Region": WEST}])
    (status,) = taken["ReplicationStatus"]
    assert status["Status"] == "Failed"
    assert "already exists" in status["StatusMessage"]
    assert west.get_secret_value(SecretId="s")["SecretString"] == "own"
    secrets.remove_regions_from_replication(SecretId="s", RemoveReplicaRegions=[WEST])
    west.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    key = lab.client("kms").create_key()["KeyMetadata"]["Arn"]
    secrets.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": WEST, "KmsKeyId": key}])
    until(
        lambda: secrets.describe_secret(SecretId="s")["ReplicationStatus"][0]["Status"] == "Failed",
        "the failure",
    )
    assert code_of(lambda: west.get_secret_value(SecretId="s")) == "ResourceNotFoundException"


@pytest.mark.parametrize("operation", ["disable_key", "schedule_key_deletion"])
def test_a_value_lies_under_its_key(operation: str, lab: Lab, secrets: Any, west: Any) -> None:
    """While a secret's key is off its value can be neither read nor written; the replica has its own."""
    kms = lab.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    secrets.create_secret(Name="s", SecretString="1", KmsKeyId=key, AddReplicaRegions=[{"Region": WEST}])
    until(lambda: in_sync(secrets))
    getattr(kms, operation)(KeyId=key)
    assert code_of(lambda: secrets.get_secret_value(SecretId="s")) == "DecryptionFailure"
    assert code_of(lambda: put(secrets, "2")) == "EncryptionFailure"
    made = code_of(lambda: secrets.create_secret(Name="t", SecretString="1", KmsKeyId=key))
    assert made == "EncryptionFailure"
    assert west.get_secret_value(SecretId="s")["SecretString"] == "1"
    assert secrets.describe_secret(SecretId="s")["KmsKeyId"] == key
    if operation == "disable_key":
        kms.enable_key(KeyId=key)
        secrets.update_secret(SecretId="s", KmsKeyId="alias/aws/secretsmanager")
        kms.disable_key(KeyId=key)
        assert secrets.get_secret_value(SecretId="s")["SecretString"] == "1"


def test_a_description_can_be_taken_away(secrets: Any) -> None:
    """An empty description replaces the one that was there, and the value stays."""
    secrets.create_secret(Name="s", SecretString="1", Description="d")
    secrets.update_secret(SecretId="s", Description="")
    assert "Description" not in secrets.describe_secret(SecretId="s")
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "1"


def test_a_public_policy_is_refused_on_demand(secrets: Any) -> None:
    """With BlockPublicPolicy a policy for everybody is refused; nonsense is refused always."""
    secrets.create_secret(Name="s", SecretString="1")

    def policy(text: str, **wanted: bool) -> str:
        return code_of(lambda: secrets.put_resource_policy(SecretId="s", ResourcePolicy=text, **wanted))

    everybody = json.dumps({"Statement": [ALL]})
    deny = json.dumps({"Statement": {**ALL, "Effect": "Deny"}})
    some = json.dumps({"Statement": [{**ALL, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]})
    listed = json.dumps({"Statement": [{**ALL, "Principal": {"AWS": ["*"]}}]})
    assert policy(everybody, BlockPublicPolicy=True) == "PublicPolicyException"
    assert policy(listed, BlockPublicPolicy=True) == "PublicPolicyException"
    assert policy("{", BlockPublicPolicy=True) == "MalformedPolicyDocumentException"
    assert [policy(text, BlockPublicPolicy=True) for text in (deny, some)] == ["", ""]
    assert policy(everybody) == ""


def test_passwords_are_as_they_are_wanted(secrets: Any) -> None:
    """Length and kinds of characters are those that were asked for."""
    password = secrets.get_random_password(PasswordLength=40, ExcludePunctuation=True)["RandomPassword"]
    assert re.fullmatch(r"[0-9A-Za-z]{40}", password)
    digits = secrets.get_random_password(
        PasswordLength=8, ExcludePunctuation=True, ExcludeLowercase=True, ExcludeUppercase=True
    )["RandomPassword"]
    assert re.fullmatch(r"\d{8}", digits)
