"""Secrets and keys of stacks: made, read back, changed in place, gone as CloudFormation lets them go."""

import json
from collections.abc import Iterator, Mapping

import pytest

from tests.infra.described.secrets import READERS
from tests.infra.lab.functionlab import archive
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane, make_function
from tests.infra.secretstack import SECRETS
from tests.infra.stacklab import change, events, live, make, settle, undescribed


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane whose functions answer."""
    with control_plane() as made:
        yield made


@pytest.fixture
def given(lab: Lab) -> Mapping[str, str]:
    """Give the parameters of the template: a rotation function, a network, a key of the other region."""
    make_function(lab, archive("def handle(event, context): pass"), "rotation")
    functions, ec2 = lab.client("lambda"), lab.client("ec2")
    functions.add_permission(
        FunctionName="rotation",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    arn = functions.get_function(FunctionName="rotation")["Configuration"]["FunctionArn"]
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=f"{EAST}{zone}")
        for number, zone in enumerate("ab")
    ]
    return {
        "Function": arn,
        "Subnets": ",".join(one["Subnet"]["SubnetId"] for one in subnets),
        "PeerKey": lab.client("kms", WEST).create_key()["KeyMetadata"]["Arn"],
    }


def outputs_of(stack: Mapping[str, list[Mapping[str, str]]]) -> dict[str, str]:
    """Return a stack's outputs by key."""
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


def test_every_property_is_described(lab: Lab, given: Mapping[str, str]) -> None:
    """What a template says is what Secrets Manager's and KMS's own calls show, in both regions."""
    stack = make(lab, SECRETS, **given)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    assert undescribed(lab, READERS) == []
    assert {one.kind.name for one in live().values()} >= set(READERS)
    outputs = outputs_of(stack)
    assert outputs["Secret"] == outputs["SecretId"]
    assert outputs["KeyArn"].endswith(f":key/{outputs['Key']}")
    replica = lab.client("secretsmanager", WEST).describe_secret(
        SecretId=outputs["Secret"].replace(EAST, WEST)
    )
    assert (replica["PrimaryRegion"], replica["KmsKeyId"]) == (EAST, given["PeerKey"])


def test_changes_are_made_in_place(lab: Lab, given: Mapping[str, str]) -> None:
    """Settings change, or fall back to what they are without a word, and no other resource is made."""
    first = outputs_of(make(lab, SECRETS, **given))
    secrets = lab.client("secretsmanager")
    text = secrets.get_secret_value(SecretId=first["Secret"])["SecretString"]
    before = {name: one.made.physical_resource_id for name, one in live().items()}
    stack = change(lab, SECRETS, **{**given, "Second": "yes"})
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stack
    assert undescribed(lab, READERS) == []
    assert {name: one.made.physical_resource_id for name, one in live().items()} == before
    assert secrets.get_secret_value(SecretId=first["Secret"])["SecretString"] != text
    assert "KmsKeyId" not in secrets.describe_secret(SecretId=first["Secret"])
    assert lab.client("secretsmanager", WEST).list_secrets()["SecretList"] == []
    assert lab.client("kms").describe_key(KeyId="alias/kept")["KeyMetadata"]["KeyId"] != first["Key"]


def test_deleting_leaves_keys_that_wait_and_no_secret(lab: Lab, given: Mapping[str, str]) -> None:
    """Secrets and replicas are gone for good, so their names are free; a key waits for its deletion."""
    stack = make(lab, SECRETS, **given)
    lab.client("cloudformation").delete_stack(StackName="s")
    assert settle(lab, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    for region in (EAST, WEST):
        left = lab.client("secretsmanager", region).list_secrets(IncludePlannedDeletion=True)
        assert left["SecretList"] == []
    key = lab.client("kms").describe_key(KeyId=outputs_of(stack)["Key"])["KeyMetadata"]
    assert key["KeyState"] == "PendingDeletion"
    assert 6.9 < (key["DeletionDate"] - key["CreationDate"]).total_seconds() / 86400 < 7.1
    assert make(lab, SECRETS, **given)["StackStatus"] == "CREATE_COMPLETE"


def test_an_attachment_says_where_the_database_is(lab: Lab, given: Mapping[str, str]) -> None:
    """The secret of an attached cluster has its place beside the login, and without the attachment not."""
    outputs = outputs_of(make(lab, SECRETS, **given))
    secrets = lab.client("secretsmanager")

    def fields() -> dict[str, object]:
        found: dict[str, object] = json.loads(
            secrets.get_secret_value(SecretId=outputs["Admin"])["SecretString"]
        )
        return found

    attached = fields()
    assert attached["host"] == outputs["Host"]
    assert (attached["engine"], attached["port"], attached["dbname"]) == ("aurora-postgresql", 5432, "shop")
    without = SECRETS.replace("  Attachment:\n", "  Attachment:\n    Condition: First\n")
    change(lab, without, **{**given, "Second": "yes"})
    assert fields() == {"username": "keeper", "password": attached["password"]}


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("KeySpec: SYMMETRIC_DEFAULT", "KeySpec: RSA_2048", "UnsupportedOperationException"),
        ("RotationPeriodInDays: !If [Second, 365, 180]", "RotationPeriodInDays: 10", "valid min value: 90"),
        ("{Name: plain, SecretString", "{Name: plain, GenerateSecretString: {}, SecretString", "exclude"),
        ("GenerateStringKey: password\n        P", "P", "need each other"),
        ("Region: us-west-2, KmsKeyId: !Ref PeerKey", "Region: us-east-1", "Invalid replica region"),
        ("KmsKeyId: !Ref PeerKey", "KmsKeyId: !GetAtt Key.Arn", "is in another region"),
        ("Duration: 3h", "Duration: 3m", "must be a number of hours"),
        ("RotateImmediatelyOnUpdate: false", "HostedRotationLambda: {}", "HostedRotationLambda"),
        ("Effect: Deny\n", "Effect: Allow\n", "PublicPolicyException"),
    ],
)
def test_what_can_not_be_is_refused(
    before: str, after: str, why: str, lab: Lab, given: Mapping[str, str]
) -> None:
    """The stack rolls back with the reason, and no secret and no usable key of it is left."""
    assert before in SECRETS
    template = SECRETS.replace(before, after)
    if why == "PublicPolicyException":
        template = template.replace('            Condition: {Bool: {"aws:SecureTransport": "false"}}\n', "")
    stack = make(lab, template, **given)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE", stack
    assert [reason for *_, reason in events(lab) if why in reason]
    assert lab.client("secretsmanager").list_secrets()["SecretList"] == []
    kms = lab.client("kms")
    found = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    assert {key["KeyState"] for key in found if key["Description"] != "Default key"} <= {"PendingDeletion"}


def test_a_keys_spec_can_not_be_changed(lab: Lab, given: Mapping[str, str]) -> None:
    """A change of what kind of key it is fails, as on AWS, and the stack is as it was."""
    make(lab, SECRETS, **given)
    changed = SECRETS.replace("MultiRegion: true", "MultiRegion: false")
    stack = change(lab, changed, **given)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert [reason for *_, reason in events(lab) if "MultiRegion of a KMS key can't be changed" in reason]
    assert undescribed(lab, READERS) == []
