"""Deploying the whole system on the control plane, changing it, and what can't be deployed."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from drill import target as targets
from drill.errors import DrillError, UsageError
from drill.target import Environment, Objectives, Target, Timing
from infra.deploy import DeployConfig, deploy, destroy
from infra.function_package import Package, archive_of
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane

CONFIG = DeployConfig(
    name="shop",
    primary_region=EAST,
    standby_region=WEST,
    http_port=8080,
    database_port=5433,
    environment=Environment(kind="lab", profile="fast"),
    disposable=True,
    resolver="127.0.0.54:53",
    name_servers=("127.0.0.53:53",),
    timing=Timing(warm_up_s=1),
    objectives={"default": Objectives(rto_s=10)},
)
ONE = Package(archive_of({"app.py": b"def handle(event, context): return 1"}), "app.handle")
TWO = Package(archive_of({"app.py": b"def handle(event, context): return 2"}), "app.handle")
OPT_IN = {"drill:opt-in": "true", "project": "shop"}


@pytest.fixture
def empty() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[Lab, Target]]:
    """Give the deployed system, which the tests only look at."""
    with control_plane() as lab:
        yield lab, deploy(lab.aws.client, CONFIG, ONE)


class TestDeployed:
    """What is there after one deployment."""

    def test_the_target_says_what_was_configured(self, shop: tuple[Lab, Target], tmp_path: Path) -> None:
        """Name, place, service, durations and objectives are as given, and the file reads back."""
        _, target = shop
        assert (target.name, target.account, target.disposable) == ("shop", "123456789012", True)
        assert (target.service.host, target.service.port) == ("orders.example.test", 8080)
        assert target.service.resolver == CONFIG.resolver
        assert target.service.name_servers == CONFIG.name_servers
        assert (target.timing, target.objectives) == (CONFIG.timing, CONFIG.objectives)
        targets.dump(target, tmp_path / "target.yaml")
        assert targets.load(tmp_path / "target.yaml") == target

    def test_the_name_fails_over(self, shop: tuple[Lab, Target]) -> None:
        """The service's name has a primary and a secondary alias, each with its health check."""
        lab, target = shop
        records = {item.failover: item for item in lab.now.records if item.name == "orders.example.test."}
        assert records["PRIMARY"].alias == target.primary.load_balancer.lower() + "."
        assert records["SECONDARY"].alias == target.standby.load_balancer.lower() + "."
        assert records["PRIMARY"].health_check_id == target.primary.health_check_id
        assert records["SECONDARY"].health_check_id == target.standby.health_check_id
        assert not any(item.alias_evaluates_health for item in records.values())

    def test_the_checks_look_at_their_own_region(self, shop: tuple[Lab, Target]) -> None:
        """The primary's check is calculated over an HTTP check of the primary's load balancer."""
        lab, target = shop
        checks = {item.id: item for item in lab.now.health_checks}
        primary = checks[target.primary.health_check_id]
        assert (primary.type, primary.children_threshold) == ("CALCULATED", 1)
        child, standby = checks[primary.children[0]], checks[target.standby.health_check_id]
        for check, region in ((child, target.primary), (standby, target.standby)):
            assert (check.host, check.port, check.path) == (region.load_balancer, 8080, "/health/regional")
            assert (check.type, check.interval_s, check.threshold) == ("HTTP", 10, 3)

    def test_a_load_balancer_invokes_its_regions_function(self, shop: tuple[Lab, Target]) -> None:
        """Each listener forwards to the alias `live` of a function in the same region."""
        lab, target = shop
        for region in (target.primary, target.standby):
            (found,) = [item for item in lab.now.load_balancers if item.arn == region.load_balancer_arn]
            (listener,) = found.listeners
            assert (listener.port, listener.function) == (8080, region.function_name)
            assert (listener.qualifier, found.region) == ("live", region.name)
            assert found.subnet_ids == region.edge_subnet_ids

    def test_both_functions_use_the_primarys_database(self, shop: tuple[Lab, Target]) -> None:
        """Table and secret are those of the own region, the database is the primary's."""
        lab, target = shop
        primary = next(item for item in lab.now.clusters if item.id == target.primary.cluster_id)
        for region in (target.primary, target.standby):
            found = [item for item in lab.now.functions if item.region == region.name and item.version == "1"]
            (function,) = found
            environment = function.environment
            assert (environment["DB_HOST"], environment["DB_PORT"]) == (primary.endpoint, "5433")
            assert environment["DB_SECRET_ARN"].split(":")[3] == region.name
            secret = lab.client("secretsmanager", region.name).get_secret_value(
                SecretId=environment["DB_SECRET_ARN"]
            )
            assert json.loads(secret["SecretString"])["password"] == primary.password
            assert (function.subnet_ids, function.vpc_id) == (region.app_subnet_ids, region.vpc_id)
            assert (function.provisioned, function.code) == (1, ONE.archive)

    def test_both_clusters_have_the_secrets_password(self, shop: tuple[Lab, Target]) -> None:
        """The standby's own cluster takes the replica of the same secret."""
        lab, target = shop
        clusters = lab.now.clusters
        assert {item.id for item in clusters} == {target.primary.cluster_id, target.standby.cluster_id}
        assert len({item.password for item in clusters}) == 1
        assert {item.port for item in clusters} == {5433}
        assert all(len(item.password) == 32 for item in clusters)

    def test_the_vpcs_reach_each_other(self, shop: tuple[Lab, Target]) -> None:
        """The peering is active, and the app subnets of both sides have a route over it."""
        lab, target = shop
        now = lab.now
        assert [(item.id, item.status) for item in now.peerings] == [(target.peering_id, "active")]
        for region, destination in ((target.primary, "10.20.0.0/16"), (target.standby, "10.10.0.0/16")):
            (table,) = [item for item in now.route_tables if region.app_subnet_ids[0] in item.subnet_ids]
            assert sorted(table.subnet_ids) == sorted(region.app_subnet_ids)
            assert [
                (route.destination, route.state)
                for route in table.routes
                if route.target == target.peering_id
            ] == [(destination, "active")]

    def test_the_table_is_in_both_regions(self, shop: tuple[Lab, Target]) -> None:
        """Keys, sparse index and mode of payment are the application's."""
        lab, target = shop
        assert [(item.region, set(item.replicas)) for item in lab.now.tables] == [
            (EAST, {EAST, WEST}),
            (WEST, {EAST, WEST}),
        ]
        for region in (EAST, WEST):
            table = lab.client("dynamodb", region).describe_table(TableName=target.table.name)["Table"]
            keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
            (index,) = table["GlobalSecondaryIndexes"]
            pending = {key["KeyType"]: key["AttributeName"] for key in index["KeySchema"]}
            assert keys == {"HASH": "customer", "RANGE": "token"}
            assert (index["IndexName"], pending) == ("pending", {"HASH": "pending", "RANGE": "token"})
            assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"

    def test_everything_that_a_drill_touches_has_opted_in(self, shop: tuple[Lab, Target]) -> None:
        """Subnets, health checks and tables carry the opt-in tag and the project's."""
        lab, target = shop
        for region in (target.primary, target.standby):
            ec2 = lab.client("ec2", region.name)
            for subnet in (*region.edge_subnet_ids, *region.app_subnet_ids):
                found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [subnet]}])["Tags"]
                assert OPT_IN.items() <= {tag["Key"]: tag["Value"] for tag in found}.items()
            check = lab.client("route53").list_tags_for_resource(
                ResourceType="healthcheck", ResourceId=region.health_check_id
            )["ResourceTagSet"]["Tags"]
            assert OPT_IN.items() <= {tag["Key"]: tag["Value"] for tag in check}.items()
            dynamodb = lab.client("dynamodb", region.name)
            arn = dynamodb.describe_table(TableName=target.table.name)["Table"]["TableArn"]
            tags = dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]
            assert OPT_IN.items() <= {tag["Key"]: tag["Value"] for tag in tags}.items()

    def test_fis_may_use_the_pause_role(self, shop: tuple[Lab, Target]) -> None:
        """The role exists, AWS FIS may take it, and it is about the drilled table alone."""
        lab, target = shop
        name = str(target.table.pause_role_arn).rpartition("/")[2]
        iam = lab.client("iam")
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        assert trust["Statement"][0]["Principal"] == {"Service": "fis.amazonaws.com"}
        policy = iam.get_role_policy(RoleName=name, PolicyName="pause-replication")["PolicyDocument"]
        assert policy["Statement"][0]["Resource"].endswith(f":table/{target.table.name}")

    def test_the_code_buckets_are_versioned_and_private(self, shop: tuple[Lab, Target]) -> None:
        """One bucket in each region holds the package under a name made of its content."""
        lab, _ = shop
        for region in (EAST, WEST):
            s3, bucket = lab.client("s3", region), f"shop-code-123456789012-{region}"
            assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
            assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
            assert s3.get_object(Bucket=bucket, Key=ONE.key)["Body"].read() == ONE.archive

    def test_no_stack_shows_the_password(self, shop: tuple[Lab, Target]) -> None:
        """Neither parameters, outputs, events nor templates hold the secret's value."""
        lab, _ = shop
        password = lab.now.clusters[0].password
        for region in (EAST, WEST):
            cloudformation = lab.client("cloudformation", region)
            for stack in cloudformation.describe_stacks()["Stacks"]:
                name = stack["StackName"]
                shown = [
                    stack,
                    cloudformation.describe_stack_events(StackName=name),
                    cloudformation.get_template(StackName=name),
                ]
                assert password not in str(shown)


def test_deploying_again_changes_nothing(empty: Lab) -> None:
    """The same configuration and code leave every resource and the target as they were."""
    first = deploy(empty.aws.client, CONFIG, ONE)
    before = empty.now
    assert deploy(empty.aws.client, CONFIG, ONE) == first
    assert empty.now == before


def test_other_code_makes_another_version(empty: Lab) -> None:
    """The alias moves on to the new version; network, data and names stay."""
    first = deploy(empty.aws.client, CONFIG, ONE)
    before = empty.now
    assert deploy(empty.aws.client, CONFIG, TWO) == first
    after = empty.now
    assert {item.version for item in after.aliases} == {"2"}
    assert {item.version: item.code for item in after.functions} == {"$LATEST": TWO.archive, "2": TWO.archive}
    assert (after.vpcs, after.clusters, after.records) == (before.vpcs, before.clusters, before.records)


def test_destroying_leaves_nothing(empty: Lab) -> None:
    """All that was deployed goes, in both regions, and destroying again is no error."""
    deploy(empty.aws.client, CONFIG, ONE)
    for _ in range(2):
        destroy(empty.aws.client, CONFIG)
        now = empty.now
        assert (now.vpcs, now.subnets, now.route_tables, now.load_balancers) == ((), (), (), ())
        left = (now.clusters, now.functions, now.health_checks, now.records, now.tables)
        assert left == ((), (), (), (), ())
        assert empty.client("s3").list_buckets()["Buckets"] == []
        assert empty.client("iam").list_roles()["Roles"] == []
        assert [item.status for item in now.peerings] == ["deleted"]


def test_a_failed_stack_names_resource_and_reason(empty: Lab) -> None:
    """The error says which stack, which resource and why, and what to type next."""
    empty.client("dynamodb").create_table(
        TableName="shop-orders",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(DrillError) as failed:
        deploy(empty.aws.client, CONFIG, ONE)
    text = str(failed.value)
    assert text.startswith("stack shop-table in us-east-1 failed at Orders (AWS::DynamoDB::GlobalTable): ")
    assert "ResourceInUseException" in text
    assert text.endswith("describe-stack-events --region us-east-1 --stack-name shop-table")
    assert "\n" not in text


def test_a_failed_deployment_can_be_repeated(empty: Lab) -> None:
    """A stack that was rolled back is made anew when the reason is gone."""
    dynamodb = empty.client("dynamodb")
    dynamodb.create_table(
        TableName="shop-orders",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(DrillError):
        deploy(empty.aws.client, CONFIG, ONE)
    dynamodb.delete_table(TableName="shop-orders")
    assert deploy(empty.aws.client, CONFIG, ONE).table.name == "shop-orders"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"standby_region": EAST}, "must be two regions"),
        ({"standby_cidr": "10.10.0.0/16"}, "the CIDRs 10.10.0.0/16 and 10.10.0.0/16 overlap"),
        ({"primary_cidr": "10.10.0.0/24"}, "primary_cidr 10.10.0.0/24 must be a /16 within 10.0.0.0/8"),
        ({"primary_cidr": "192.168.0.0/16"}, "must be a /16 within 10.0.0.0/8"),
        ({"standby_cidr": "10.20.0.1/16"}, "standby_cidr '10.20.0.1/16' is not a CIDR"),
        ({"name": "Shop"}, "name 'Shop' must be 1 to 24 small letters"),
        ({"http_port": 0}, "http_port 0 must be between 1 and 65535"),
        ({"provisioned_concurrency": -1}, "must not be negative"),
    ],
)
def test_what_can_not_work_is_refused_before_anything_is_made(wrong: dict[str, Any], text: str) -> None:
    """The error names the value, and not one call was made."""

    def no_client(service: str, region: str) -> object:
        pytest.fail(f"{service} in {region} was asked for")

    with pytest.raises(UsageError, match=re.escape(text)):
        deploy(no_client, replace(CONFIG, **wrong))


def test_no_warm_processes_when_none_are_wanted(empty: Lab) -> None:
    """A provisioned concurrency of zero makes an alias without any."""
    deploy(empty.aws.client, replace(CONFIG, provisioned_concurrency=0), ONE)
    assert {item.provisioned for item in empty.now.functions} == {0}
    alias = {"FunctionName": empty.now.aliases[0].function, "Qualifier": "live"}
    with pytest.raises(ClientError, match="ProvisionedConcurrencyConfigNotFoundException"):
        empty.client("lambda").get_provisioned_concurrency_config(**alias)
