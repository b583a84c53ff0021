"""Nothing is changed whose owner has not agreed by a tag, in whichever way a service tells tags."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drill.faults.contract import Resource
from drill.guards import tags
from drill.guards.contract import CannotTell
from drill.guards.opt_in import opted_in
from tests.drill.guards.asking import NOBODY, asked
from tests.drill.test_target import make_document
from tests.infra.lab import planelab
from tests.infra.lab.functionlab import archive
from tests.infra.lab.planelab import EAST, Lab, control_plane, make_network

TAG = {"Key": "drill:opt-in", "Value": "true"}
SUBNET = "subnet"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give a control plane."""
    with control_plane() as made:
        made.connect()
        yield made


def make_health_check(lab: Lab) -> Resource:
    """Make a tagged health check."""
    client = lab.client("route53")
    made = client.create_health_check(
        CallerReference="tags", HealthCheckConfig={"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 443}
    )
    check_id = made["HealthCheck"]["Id"]
    client.change_tags_for_resource(ResourceType="healthcheck", ResourceId=check_id, AddTags=[TAG])
    return Resource("health check", "route53", "global", check_id)


def make_hosted_zone(lab: Lab) -> Resource:
    """Make a tagged hosted zone."""
    client = lab.client("route53")
    made = client.create_hosted_zone(Name="tags.example.test", CallerReference="tags")
    zone_id = made["HostedZone"]["Id"].removeprefix("/hostedzone/")
    client.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, AddTags=[TAG])
    return Resource("hosted zone", "route53", "global", zone_id)


def make_subnet(lab: Lab) -> Resource:
    """Make a tagged subnet."""
    _, subnet = make_network(lab)
    lab.client("ec2").create_tags(Resources=[subnet], Tags=[TAG])
    return Resource(SUBNET, "ec2", EAST, subnet)


def make_table(lab: Lab) -> Resource:
    """Make a tagged table."""
    made = lab.client("dynamodb").create_table(
        TableName="tagged",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[TAG],
    )
    return Resource("table", "dynamodb", EAST, made["TableDescription"]["TableArn"])


def make_topic(lab: Lab) -> Resource:
    """Make a tagged topic."""
    return Resource(
        "topic", "sns", EAST, lab.client("sns").create_topic(Name="tagged", Tags=[TAG])["TopicArn"]
    )


def make_queue(lab: Lab) -> Resource:
    """Make a tagged queue."""
    made = lab.client("sqs").create_queue(QueueName="tagged", tags={TAG["Key"]: TAG["Value"]})
    return Resource("queue", "sqs", EAST, made["QueueUrl"])


def make_secret(lab: Lab) -> Resource:
    """Make a tagged secret."""
    made = lab.client("secretsmanager").create_secret(Name="tagged", SecretString="x", Tags=[TAG])
    return Resource("secret", "secretsmanager", EAST, made["ARN"])


def make_key(lab: Lab) -> Resource:
    """Make a tagged key."""
    made = lab.client("kms").create_key(Tags=[{"TagKey": TAG["Key"], "TagValue": TAG["Value"]}])
    return Resource("key", "kms", EAST, made["KeyMetadata"]["KeyId"])


def make_vault(lab: Lab) -> Resource:
    """Make a tagged vault."""
    made = lab.client("backup").create_backup_vault(
        BackupVaultName="tagged", BackupVaultTags={TAG["Key"]: TAG["Value"]}
    )
    return Resource("vault", "backup", EAST, made["BackupVaultArn"])


def make_function(lab: Lab) -> Resource:
    """Make a tagged function; what is touched is its alias, which has no tags of its own."""
    planelab.make_function(lab, archive("x = 1"), "tagged")
    client = lab.client("lambda")
    arn = client.get_function(FunctionName="tagged")["Configuration"]["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={TAG["Key"]: TAG["Value"]})
    return Resource("function", "lambda", EAST, f"{arn}:live")


def make_load_balancer(lab: Lab) -> Resource:
    """Make a tagged load balancer."""
    _, subnet = make_network(lab)
    made = lab.client("elbv2").create_load_balancer(
        Name="tagged", Type="network", Subnets=[subnet], Tags=[TAG]
    )
    return Resource("load balancer", "elbv2", EAST, made["LoadBalancers"][0]["LoadBalancerArn"])


def make_cluster(lab: Lab) -> Resource:
    """Make a tagged cluster."""
    made = lab.client("rds").create_db_cluster(
        DBClusterIdentifier="tagged",
        Engine="aurora-postgresql",
        MasterUsername="owner",
        MasterUserPassword="not-a-secret",
        Tags=[TAG],
    )
    return Resource("cluster", "rds", EAST, made["DBCluster"]["DBClusterArn"])


EVERY = (
    make_cluster,
    make_function,
    make_load_balancer,
    make_health_check,
    make_hosted_zone,
    make_key,
    make_queue,
    make_secret,
    make_subnet,
    make_table,
    make_topic,
    make_vault,
)


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__.removeprefix("make_"))
def test_the_tag_is_read_from_each_service(lab: Lab, make: Callable[[Lab], Resource]) -> None:
    """Each has a call and a form of its own."""
    assert tags.of(make(lab), lab.aws)[TAG["Key"]] == TAG["Value"]


def test_a_service_whose_tags_nobody_can_read_can_not_be_told() -> None:
    """What can't be asked has not agreed."""
    with pytest.raises(CannotTell, match="service ecs is unknown"):
        tags.of(Resource("task", "ecs", EAST, "1"), NOBODY)


def blackout_of(lab: Lab, *tagged: Any) -> str:
    """Return what the guard says of a blackout of two subnets, of which these numbers carry a tag."""
    vpc, edge = make_network(lab)
    client = lab.client("ec2")
    app = client.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    for number, tag in tagged:
        client.create_tags(Resources=[(edge, app)[number]], Tags=[tag])
    region = {**make_document()["primary"], "vpc_id": vpc, "edge_subnet_ids": [edge], "app_subnet_ids": [app]}
    answer = opted_in(asked(blackout=True, primary=region), lab.aws)
    return answer.replace(edge, "EDGE").replace(app, "APP")


def test_all_that_is_touched_must_carry_the_tag(lab: Lab) -> None:
    """One that does not refuses, and is named once, though two faults touch it."""
    assert blackout_of(lab, (0, TAG), (1, TAG)) == ""
    assert blackout_of(lab, (0, TAG)) == (
        "subnet APP in us-east-1 does not carry the tag drill:opt-in=true; "
        "whoever owns it must set that first"
    )


@pytest.mark.parametrize(
    "tag", [{"Key": "drill:opt-in", "Value": "True"}, {"Key": "Drill:opt-in", "Value": "true"}]
)
def test_another_value_or_key_is_no_consent(lab: Lab, tag: dict[str, str]) -> None:
    """To the letter."""
    answer = blackout_of(lab, (0, tag), (1, TAG))

    assert answer.startswith("subnet EDGE in us-east-1 does not carry")
