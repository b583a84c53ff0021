"""IAM on the lab: who is bound by policies may do what they permit, and hears AWS's own words if not."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.lab.control_plane import ControlPlane
from infra.lab.control_plane.permissions.conditions import hold
from infra.lab.control_plane.permissions.evaluation import Asked, Policy, decide

ACCOUNT = "123456789012"
TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Give a control plane that answers."""
    with ControlPlane("127.0.0.1", 0, ("us-east-1", "us-west-2")) as one:
        yield one


def clients(plane: ControlPlane, credentials: Mapping[str, str] | None = None) -> Client:
    """Return a function that gives clients of somebody; the account's root user if nobody is named."""
    given = credentials or {"AccessKeyId": "loopback", "SecretAccessKey": "loopback"}

    def client(service: str) -> Any:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=plane.endpoint_url,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
        )

    return client


@contextmanager
def bound(plane: ControlPlane, *statements: Mapping[str, Any]) -> Iterator[Client]:
    """Give the clients of a role that may do what some statements permit."""
    root = clients(plane)
    iam = root("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = iam.create_role(RoleName="bound", AssumeRolePolicyDocument=document)["Role"]
    try:
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName="bound", PolicyName="some", PolicyDocument=policy)
        session = root("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="drill-test")
        yield clients(plane, session["Credentials"])
    finally:
        for name in iam.list_role_policies(RoleName="bound")["PolicyNames"]:
            iam.delete_role_policy(RoleName="bound", PolicyName=name)
        iam.delete_role(RoleName="bound")


def allow(
    action: str, resource: str = "*", condition: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    """Return a statement."""
    more = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def refused(call: Callable[[], object]) -> tuple[str, int, str]:
    """Return the error code, the HTTP status and the words of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("service", "call", "code", "status", "action", "resource"),
    [
        (
            "route53",
            lambda one: one.update_health_check(HealthCheckId="abc"),
            "AccessDenied",
            403,
            "route53:UpdateHealthCheck",
            "arn:aws:route53:::healthcheck/abc",
        ),
        (
            "ec2",
            lambda one: one.delete_network_acl(NetworkAclId="acl-1"),
            "UnauthorizedOperation",
            403,
            "ec2:DeleteNetworkAcl",
            f"arn:aws:ec2:us-east-1:{ACCOUNT}:network-acl/acl-1",
        ),
        (
            "dynamodb",
            lambda one: one.get_item(TableName="t", Key={"k": {"S": "v"}}),
            "AccessDeniedException",
            400,
            "dynamodb:GetItem",
            f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t",
        ),
        (
            "fis",
            lambda one: one.stop_experiment(id="EXP1"),
            "AccessDeniedException",
            403,
            "fis:StopExperiment",
            f"arn:aws:fis:us-east-1:{ACCOUNT}:experiment/EXP1",
        ),
        (
            "scheduler",
            lambda one: one.delete_schedule(GroupName="g", Name="n"),
            "AccessDeniedException",
            403,
            "scheduler:DeleteSchedule",
            f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/g/n",
        ),
        (
            "sns",
            lambda one: one.publish(TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:t", Message="m"),
            "AuthorizationError",
            403,
            "sns:Publish",
            f"arn:aws:sns:us-east-1:{ACCOUNT}:t",
        ),
        ("iam", lambda one: one.list_roles(), "AccessDenied", 403, "iam:ListRoles", "*"),
    ],
)
def test_a_denial_is_told_as_each_service_tells_it(
    plane: ControlPlane,
    service: str,
    call: Callable[[Any], object],
    code: str,
    status: int,
    action: str,
    resource: str,
) -> None:
    """Code, status and words are those of the service, so that every SDK reads them."""
    with bound(plane) as client:
        said = refused(lambda: call(client(service)))

    who = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/bound/drill-test is not authorized to perform: "
    assert said[:2] == (code, status)
    assert f"{who}{action} on resource: {resource}" in said[2]


def test_the_placeholder_keys_are_the_root_user(plane: ControlPlane) -> None:
    """Nothing binds whoever runs the lab, who has the root user's name."""
    root = clients(plane)

    assert root("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert root("iam").list_roles()["Roles"] == []


def test_a_token_that_was_not_given_out_is_refused(plane: ControlPlane) -> None:
    """A key alone is not enough: its token must be the one that was given with it."""
    stale = clients(plane, {"AccessKeyId": "ASIA" + "X" * 16, "SecretAccessKey": "s", "SessionToken": "t"})

    assert refused(lambda: stale("iam").list_roles())[0] == "InvalidClientTokenId"
    assert refused(lambda: stale("dynamodb").list_tables())[0] == "UnrecognizedClientException"


def test_the_tags_of_the_real_resource_decide(plane: ControlPlane) -> None:
    """A statement that is limited by tag permits what carries it, and nothing else."""
    ec2 = clients(plane)("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    tags = [{"ResourceType": "network-acl", "Tags": [{"Key": "drill:run-id", "Value": "r"}]}]
    ours = ec2.create_network_acl(VpcId=vpc, TagSpecifications=tags)["NetworkAcl"]["NetworkAclId"]
    theirs = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    tagged = {"StringLike": {"aws:ResourceTag/drill:run-id": "*"}}

    with bound(plane, allow("ec2:DeleteNetworkAcl", "*", tagged)) as client:
        client("ec2").delete_network_acl(NetworkAclId=ours)

        code, _, _ = refused(lambda: client("ec2").delete_network_acl(NetworkAclId=theirs))
    assert code == "UnauthorizedOperation"


def test_what_is_made_must_be_tagged_as_the_statement_wants(plane: ControlPlane) -> None:
    """Making something in EC2 asks for its own permission, that of its VPC, and that to tag it."""
    vpc = clients(plane)("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    acl, whole = f"arn:aws:ec2:*:{ACCOUNT}:network-acl/*", f"arn:aws:ec2:*:{ACCOUNT}:vpc/{vpc}"
    tagged = {"StringLike": {"aws:RequestTag/drill:run-id": "*"}}
    making = {"StringEquals": {"ec2:CreateAction": "CreateNetworkAcl"}}
    three = [
        allow("ec2:CreateNetworkAcl", acl, tagged),
        allow("ec2:CreateNetworkAcl", whole),
        allow("ec2:CreateTags", acl, making),
    ]
    tags = [{"ResourceType": "network-acl", "Tags": [{"Key": "drill:run-id", "Value": "r"}]}]

    with bound(plane, *three) as client:
        client("ec2").create_network_acl(VpcId=vpc, TagSpecifications=tags)
        assert refused(lambda: client("ec2").create_network_acl(VpcId=vpc))[0] == "UnauthorizedOperation"
    for missing in range(3):
        rest = [one for place, one in enumerate(three) if place != missing]
        with bound(plane, *rest) as client:
            refused(lambda: client("ec2").create_network_acl(VpcId=vpc, TagSpecifications=tags))


def test_a_peering_takes_permissions_on_both_vpcs_and_a_tag(plane: ControlPlane) -> None:
    """Asking for one is about the asking VPC, the peering and its tags; accepting it about the other VPC."""
    root = clients(plane)("ec2")
    ends = [root.create_vpc(CidrBlock=f"10.{part}.0.0/16")["Vpc"]["VpcId"] for part in (18, 19)]
    vpcs = [f"arn:aws:ec2:*:{ACCOUNT}:vpc/{one}" for one in ends]
    peering = f"arn:aws:ec2:*:{ACCOUNT}:vpc-peering-connection/*"
    tagged = {"StringLike": {"aws:RequestTag/drill:run-id": "*"}}
    needed = [
        allow("ec2:CreateVpcPeeringConnection", vpcs[0]),
        allow("ec2:CreateVpcPeeringConnection", peering, tagged),
        allow("ec2:CreateTags", peering, tagged),
        allow("ec2:AcceptVpcPeeringConnection", vpcs[1]),
        allow("ec2:AcceptVpcPeeringConnection", peering),
    ]
    tags = [{"ResourceType": "vpc-peering-connection", "Tags": [{"Key": "drill:run-id", "Value": "r"}]}]
    asked: dict[str, Any] = {"VpcId": ends[0], "PeerVpcId": ends[1]}

    def joined(client: Client) -> None:
        made = client("ec2").create_vpc_peering_connection(**asked, TagSpecifications=tags)
        peering_id = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
        client("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)

    def parted() -> None:
        for one in root.describe_vpc_peering_connections()["VpcPeeringConnections"]:
            root.delete_vpc_peering_connection(VpcPeeringConnectionId=one["VpcPeeringConnectionId"])

    for missing in range(len(needed)):
        rest = [one for place, one in enumerate(needed) if place != missing]
        with bound(plane, *rest) as client:
            assert refused(lambda: joined(client))[0] == "UnauthorizedOperation"
        parted()
    with bound(plane, *needed) as client:
        refused(lambda: client("ec2").create_vpc_peering_connection(**asked))
        joined(client)
    parted()


def test_an_encrypted_queue_is_read_by_who_may_use_its_key(plane: ControlPlane) -> None:
    """SQS opens the key for whoever receives a message."""
    root = clients(plane)
    key = root("kms").create_key()["KeyMetadata"]["Arn"]
    url = root("sqs").create_queue(QueueName="sealed", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    receive = allow("sqs:ReceiveMessage", f"arn:aws:sqs:*:{ACCOUNT}:sealed")
    through = {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}

    with bound(plane, receive) as client:
        said = refused(lambda: client("sqs").receive_message(QueueUrl=url))
    with bound(plane, receive, allow("kms:Decrypt", key, through)) as client:
        assert "Messages" not in client("sqs").receive_message(QueueUrl=url)
    assert "kms:Decrypt" in said[2]


def test_a_role_is_handed_on_only_to_the_service_that_is_named(plane: ControlPlane) -> None:
    """Scheduling takes the permission to hand EventBridge Scheduler its role."""
    iam = clients(plane)("iam")
    trust = {**TRUST, "Principal": {"Service": "scheduler.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="undoes", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    asked: dict[str, Any] = {
        "Name": "one",
        "ScheduleExpression": "at(2099-01-01T00:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": "arn:aws:scheduler:::aws-sdk:route53:updateHealthCheck",
            "RoleArn": role,
            "Input": "{}",
        },
    }
    pass_to_fis = allow("iam:PassRole", role, {"StringEquals": {"iam:PassedToService": "fis.amazonaws.com"}})
    pass_to_it = allow(
        "iam:PassRole", role, {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    )
    try:
        with bound(plane, allow("scheduler:CreateSchedule"), pass_to_fis) as client:
            said = refused(lambda: client("scheduler").create_schedule(**asked))
        assert f"iam:PassRole on resource: {role}" in said[2]
        with bound(plane, allow("scheduler:CreateSchedule"), pass_to_it) as client:
            assert client("scheduler").create_schedule(**asked)["ScheduleArn"]
    finally:
        iam.delete_role(RoleName="undoes")


def test_a_role_that_trusts_nobody_is_not_assumed(plane: ControlPlane) -> None:
    """Trust policies count, and a role that is not there is told in the same words."""
    root = clients(plane)
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = root("iam").create_role(RoleName="closed", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    try:
        for arn in (role, f"{role}-not-there"):
            said = refused(partial(root("sts").assume_role, RoleArn=arn, RoleSessionName="drill"))
            assert (said[0], said[1]) == ("AccessDenied", 403)
            assert f"sts:AssumeRole on resource: {arn}" in said[2]
    finally:
        root("iam").delete_role(RoleName="closed")


def test_an_action_that_the_lab_does_not_know_is_denied_and_it_says_so(plane: ControlPlane) -> None:
    """A limited role gets no further than the lab's own table of resources, and hears why."""
    arn = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/x"
    with bound(plane, allow("ssm:GetParameter", arn)) as client:
        said = refused(lambda: client("ssm").get_parameter(Name="x"))
    assert "the lab does not know which resources" in said[2]

    with bound(plane, allow("ssm:GetParameter")) as client:
        assert refused(lambda: client("ssm").get_parameter(Name="x"))[0] == "ParameterNotFound"


def test_the_simulator_reads_no_resource_and_tells_what_it_was_not_given(plane: ControlPlane) -> None:
    """One result for each action, with one for each resource, and the keys that were missing."""
    tagged = {"StringEquals": {"aws:ResourceTag/owner": "us"}}
    arns = [f"arn:aws:ec2:us-east-1:{ACCOUNT}:network-acl/{name}" for name in ("one", "two")]
    with bound(plane, allow("ec2:DeleteNetworkAcl", arns[0], tagged)):
        iam = clients(plane)("iam")
        asked = {
            "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/bound",
            "ActionNames": ["ec2:DeleteNetworkAcl"],
            "ResourceArns": arns,
        }
        (bare,) = iam.simulate_principal_policy(**asked)["EvaluationResults"]
        given = {
            "ContextKeyName": "aws:ResourceTag/owner",
            "ContextKeyType": "string",
            "ContextKeyValues": ["us"],
        }
        (told,) = iam.simulate_principal_policy(**asked, ContextEntries=[given])["EvaluationResults"]

    missing = [one["MissingContextValues"] for one in bare["ResourceSpecificResults"]]
    decided = [one["EvalResourceDecision"] for one in told["ResourceSpecificResults"]]
    assert (bare["EvalDecision"], missing) == ("implicitDeny", [["aws:ResourceTag/owner"], []])
    assert (told["EvalDecision"], decided) == ("implicitDeny", ["allowed", "implicitDeny"])


def test_a_denial_wins_over_what_is_allowed() -> None:
    """An explicit denial is final, wherever it stands."""
    allowed = Policy.of("a", {"Statement": allow("ec2:*")})
    denied = Policy.of("d", {"Statement": {"Effect": "Deny", "NotAction": "ec2:Describe*", "Resource": "*"}})

    assert decide([allowed], Asked("ec2:DeleteRoute")).effect == "allowed"
    assert decide([allowed, denied], Asked("ec2:DeleteRoute")).effect == "explicitDeny"
    assert decide([allowed, denied], Asked("ec2:DescribeVpcs")).effect == "allowed"
    assert decide([denied], Asked("ec2:DescribeVpcs")).effect == "implicitDeny"


@pytest.mark.parametrize(
    ("resource", "asked", "allowed"),
    [
        ("arn:aws:ec2:*:1:vpc/v-*", "arn:aws:ec2:us-east-1:1:vpc/v-1", True),
        ("arn:aws:ec2:*:vpc/v-1", "arn:aws:ec2:us-east-1:1:vpc/v-1", False),
        ("arn:aws:ec2:us-east-?:1:vpc/v-1", "arn:aws:ec2:us-east-1:1:vpc/v-1", True),
        ("arn:aws:rds:*:1:cluster:*", "arn:aws:rds:us-east-1:1:cluster:a:b", True),
        ("arn:aws:ec2:*:1:VPC/v-1", "arn:aws:ec2:us-east-1:1:vpc/v-1", False),
        ("*", "*", True),
        ("arn:aws:ec2:*:*:*", "*", False),
    ],
)
def test_a_wildcard_does_not_reach_over_a_colon(resource: str, asked: str, allowed: bool) -> None:
    """ARNs are compared part by part, their case counts, and only the last part may hold colons."""
    policy = Policy.of("p", {"Statement": allow("ec2:*", resource)})

    assert decide([policy], Asked("EC2:anything", asked)).allowed is allowed


@pytest.mark.parametrize(
    ("block", "holds"),
    [
        ({"StringEquals": {"aws:RequestTag/Key": "value"}}, True),
        ({"StringEquals": {"aws:RequestTag/Key": ["other", "value"]}}, True),
        ({"StringNotEquals": {"aws:RequestTag/Key": "value"}}, False),
        ({"StringNotEquals": {"aws:RequestTag/none": "value"}}, True),
        ({"StringEquals": {"aws:RequestTag/none": "value"}}, False),
        ({"StringEqualsIfExists": {"aws:RequestTag/none": "value"}}, True),
        ({"Null": {"aws:RequestTag/none": "true"}}, True),
        ({"Null": {"aws:RequestTag/Key": "true"}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["Key", "b"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["Key"]}}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["b", "c"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:none": ["b"]}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"NumericLessThan": {"number": "10"}}, True),
        ({"NumericLessThan": {"aws:RequestTag/Key": "10"}}, False),
        ({"DateGreaterThan": {"when": "2026-01-01T00:00:00Z"}}, True),
        ({"IpAddress": {"from": "127.0.0.0/8"}}, True),
        ({"Unheard": {"number": "9"}}, False),
    ],
)
def test_conditions_hold_as_documented(block: Mapping[str, Any], holds: bool) -> None:
    """Each operator does what IAM's table of operators says, also where a key is missing."""
    context = {
        "aws:requesttag/key": ("value",),
        "aws:tagkeys": ("Key", "b"),
        "aws:securetransport": ("true",),
        "number": ("9",),
        "when": ("2026-06-01T00:00:00Z",),
        "from": ("127.0.0.1",),
    }

    assert hold(block, context) is holds
