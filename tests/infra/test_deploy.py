"""Deploying the whole system on the control plane: what is there, what changes, and what is left alone."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drill import target as targets
from drill.errors import DrillError, UsageError
from drill.target import Target
from infra import deploy_account
from infra.deploy import deploy, preview
from infra.deploy_preview import Preview
from infra.stack_events import Watch
from tests.infra.deploylab import ACCOUNT, CONFIG, ONE, quick_control_plane, stack_names
from tests.infra.lab.planelab import EAST, WEST, Lab

OPT_IN = {"drill:opt-in": "true", "project": "shop"}


@pytest.fixture
def empty() -> Iterator[Lab]:
    """Give an empty control plane."""
    with quick_control_plane() as made:
        yield made


@pytest.fixture(scope="class")
def shop() -> Iterator[tuple[Lab, Target]]:
    """Give the deployed system, which the tests only look at."""
    with quick_control_plane() as lab:
        yield lab, deploy(lab.aws.client, CONFIG, ONE)


def changed_stacks(shown: Preview) -> dict[str, list[Any]]:
    """Return what a preview would change, by stack and region."""
    return {
        f"{each.stack.name} {each.stack.region}": [change.logical_id for change in each.changes]
        for each in shown.prepared
        if each.action != "none"
    }


class TestDeployed:
    """What is there after one deployment."""

    def test_the_target_says_what_was_configured(self, shop: tuple[Lab, Target], tmp_path: Path) -> None:
        """Name, place, service, durations and objectives are as given, and the file reads back."""
        _, target = shop
        assert (target.name, target.account, target.disposable) == ("shop", ACCOUNT, True)
        assert (target.service.host, target.service.port) == ("orders.example.test", 8080)
        assert target.service.scheme == "http"
        assert target.service.resolver == CONFIG.resolver
        assert target.service.name_servers == CONFIG.name_servers
        assert (target.timing, target.objectives) == (CONFIG.timing, CONFIG.objectives)
        targets.dump(target, tmp_path / "target.yaml")
        assert targets.load(tmp_path / "target.yaml") == target

    def test_the_target_names_what_is_there(self, shop: tuple[Lab, Target]) -> None:
        """Topics, queues, vaults, keys, alarms, groups and the dashboard answer to their names."""
        lab, target = shop
        for region in (target.primary, target.standby):
            alarms = lab.client("cloudwatch", region.name).describe_alarms()["MetricAlarms"]
            assert set(region.alarms.values()) <= {alarm["AlarmName"] for alarm in alarms}
            sqs = lab.client("sqs", region.name)
            for url in (region.alert_queue_url, region.drill_queue_url):
                assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            assert lab.client("sns", region.name).get_topic_attributes(TopicArn=region.alert_topic_arn)
            assert lab.client("backup", region.name).describe_backup_vault(
                BackupVaultName=region.backup_vault
            )
            assert lab.client("kms", region.name).describe_key(KeyId=region.key_arn)
            rds = lab.client("rds", region.name)
            assert rds.describe_db_subnet_groups(DBSubnetGroupName=region.database_subnet_group)
            assert rds.describe_db_cluster_parameter_groups(
                DBClusterParameterGroupName=region.database_parameter_group
            )
            groups = lab.client("ec2", region.name).describe_security_groups(
                GroupIds=[region.database_security_group_id]
            )["SecurityGroups"]
            assert [group["VpcId"] for group in groups] == [region.vpc_id]
        assert lab.client("cloudwatch").get_dashboard(DashboardName=target.dashboard)

    def test_only_the_primary_has_a_cluster(self, shop: tuple[Lab, Target]) -> None:
        """With backup replication the standby waits for a restore, and only it has a canary."""
        lab, target = shop
        assert [item.id for item in lab.now.clusters] == [target.primary.cluster_id]
        assert target.standby.cluster_id is None
        assert "reachability" in target.standby.alarms
        assert "reachability" not in target.primary.alarms

    def test_the_name_fails_over(self, shop: tuple[Lab, Target]) -> None:
        """The service's name has a primary and a secondary alias, each with its health check."""
        lab, target = shop
        records = {item.failover: item for item in lab.now.records if item.name == "orders.example.test."}
        assert records["PRIMARY"].alias == target.primary.load_balancer.lower() + "."
        assert records["SECONDARY"].alias == target.standby.load_balancer.lower() + "."
        assert records["PRIMARY"].health_check_id == target.primary.health_check_id
        assert records["SECONDARY"].health_check_id == target.standby.health_check_id

    def test_each_region_is_checked_by_its_own_children(self, shop: tuple[Lab, Target]) -> None:
        """Both checks are calculated over an HTTP check and the alarm of errors of the same region."""
        lab, target = shop
        route53 = lab.client("route53")
        for region in (target.primary, target.standby):
            found = route53.get_health_check(HealthCheckId=region.health_check_id)["HealthCheck"]
            config = found["HealthCheckConfig"]
            assert (config["Type"], config["HealthThreshold"]) == ("CALCULATED", 2)
            children = [
                route53.get_health_check(HealthCheckId=child)["HealthCheck"]["HealthCheckConfig"]
                for child in config["ChildHealthChecks"]
            ]
            http, alarm = sorted(children, key=lambda child: child["Type"], reverse=True)
            assert (http["Type"], http["FullyQualifiedDomainName"]) == ("HTTP", region.load_balancer)
            assert (http["Port"], http["ResourcePath"]) == (8080, "/health/regional")
            assert alarm["AlarmIdentifier"] == {"Region": region.name, "Name": region.alarms["errors"]}

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
        (cluster,) = lab.now.clusters
        for region in (target.primary, target.standby):
            config = lab.client("lambda", region.name).get_function_configuration(
                FunctionName=region.function_name, Qualifier="live"
            )
            environment = config["Environment"]["Variables"]
            assert (environment["DB_HOST"], environment["DB_PORT"]) == (cluster.endpoint, "5433")
            assert environment["DB_SECRET_ARN"] == region.secret_arn
            assert sorted(config["VpcConfig"]["SubnetIds"]) == sorted(region.app_subnet_ids)
            assert config["CodeSha256"] == ONE.sha256

    def test_the_vpcs_reach_each_other(self, shop: tuple[Lab, Target]) -> None:
        """The peering is active, and every app subnet of both sides has a route over it."""
        lab, target = shop
        now = lab.now
        assert [(item.id, item.status) for item in now.peerings] == [(target.peering_id, "active")]
        for region, destination in ((target.primary, "10.1.0.0/16"), (target.standby, "10.0.0.0/16")):
            assert len(region.app_subnet_ids) == len(region.app_route_table_ids) == 3
            for subnet in region.app_subnet_ids:
                (table,) = [item for item in now.route_tables if subnet in item.subnet_ids]
                assert [
                    (route.destination, route.state)
                    for route in table.routes
                    if route.target == target.peering_id
                ] == [(destination, "active")]

    def test_everything_that_a_drill_touches_has_opted_in(self, shop: tuple[Lab, Target]) -> None:
        """Subnets, health checks, tables and buckets carry the opt-in tag and the project's."""
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

    def test_the_code_buckets_are_closed(self, shop: tuple[Lab, Target]) -> None:
        """One bucket in each region is versioned, private, encrypted, tagged and demands TLS."""
        lab, _ = shop
        for region in (EAST, WEST):
            s3, bucket = lab.client("s3", region), f"shop-code-{ACCOUNT}-{region}"
            assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
            assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
            rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
            assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
            (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
            assert statement["Effect"] == "Deny"
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
            assert tags == OPT_IN

    def test_the_code_is_there_once(self, shop: tuple[Lab, Target]) -> None:
        """The package lies under a name made of its content, and is not uploaded again."""
        lab, _ = shop
        s3, bucket = lab.client("s3"), f"shop-code-{ACCOUNT}-{EAST}"
        assert s3.get_object(Bucket=bucket, Key=ONE.key)["Body"].read() == ONE.archive
        versions = s3.list_object_versions(Bucket=bucket)["Versions"]
        assert [item["Key"] for item in versions] == [ONE.key]

    def test_no_stack_shows_a_password(self, shop: tuple[Lab, Target]) -> None:
        """Neither parameters, outputs, events nor templates hold a secret's value."""
        lab, target = shop
        secrets = lab.client("secretsmanager")
        found = secrets.get_secret_value(SecretId=target.primary.secret_arn)
        password = json.loads(found["SecretString"])["password"]
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

    def test_the_estimate_counts_the_alarms_that_are_there(self, shop: tuple[Lab, Target]) -> None:
        """As many alarms are paid as exist, those of auto scaling aside."""
        from infra.cost import monthly

        lab, _ = shop
        for region in (EAST, WEST):
            alarms = lab.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
            own = [alarm for alarm in alarms if alarm["AlarmName"].startswith("shop-")]
            (paid,) = [
                each.low_usd
                for each in monthly(CONFIG)
                if (each.part, each.region) == ("observability", region) and each.what.endswith(" alarms")
            ]
            assert paid == pytest.approx(0.1 * len(own))

    def test_nothing_for_the_same(self, shop: tuple[Lab, Target]) -> None:
        """The same file and code change nothing, and deploying so gives the same target."""
        lab, target = shop
        assert preview(lab.aws.client, CONFIG, ONE).empty
        lines: list[str] = []
        assert deploy(lab.aws.client, CONFIG, ONE, Watch(lines.append)) == target
        assert lines == []

    def test_only_what_differs(self, shop: tuple[Lab, Target]) -> None:
        """A larger maximum changes the cluster alone; it is not replaced."""
        lab, _ = shop
        shown = preview(lab.aws.client, CONFIG.changed(acu_max=8), ONE)
        assert changed_stacks(shown) == {"shop-data us-east-1": ["Cluster"]}
        assert shown.losses == ()


class TestUntouched:
    """What must not leave anything behind."""

    def test_a_preview_leaves_nothing(self, empty: Lab) -> None:
        """Looking names every stack that would be made, in order, and makes none."""
        shown = preview(empty.aws.client, CONFIG, ONE)
        assert {each.action for each in shown.prepared} == {"create"}
        assert [each.stack.name for each in shown.prepared] == [
            "shop-keys",
            "shop-keys",
            "shop-network",
            "shop-network",
        ]
        assert len(shown.prepared) + len(shown.later) == 24
        assert len(shown.buckets) == 2
        assert stack_names(empty) == []
        assert empty.client("s3").list_buckets()["Buckets"] == []

    def test_what_is_not_agreed_to_leaves_nothing(self, empty: Lab) -> None:
        """When somebody says no, neither bucket nor stack stays."""

        def never(_shown: Preview) -> None:
            msg = "no"
            raise UsageError(msg)

        with pytest.raises(UsageError, match="no"):
            deploy(empty.aws.client, CONFIG, ONE, approve=never)
        assert stack_names(empty) == []
        assert empty.client("s3").list_buckets()["Buckets"] == []

    def test_another_account_is_refused(self, empty: Lab) -> None:
        """Credentials of an account that the system file does not name touch nothing."""
        with pytest.raises(
            UsageError, match=f"these credentials are of account {ACCOUNT}, but .* 999999999999"
        ):
            deploy(empty.aws.client, CONFIG.changed(account="999999999999"), ONE)
        assert stack_names(empty) == []


def test_no_credentials_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any credentials, nothing is called and the way to get some is named."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    config = CONFIG.changed(endpoint_url=None)
    with pytest.raises(UsageError, match=r"^no AWS credentials: .*; nothing was touched; .*aws configure$"):
        deploy(deploy_account.clients(config), config, ONE)


def test_an_unknown_profile_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist is named, with the command that lists those that do."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match=r"nobody.* aws configure list-profiles"):
        deploy_account.clients(CONFIG.changed(endpoint_url=None))


def test_an_endpoint_that_does_not_answer_is_one_line() -> None:
    """A lab that is down is said, and how to start one."""
    config = CONFIG.changed(endpoint_url="http://127.0.0.1:9")
    with pytest.raises(UsageError, match=r"does not answer in us-east-1: .*drill lab up --empty"):
        deploy(deploy_account.clients(config), config, ONE)


def test_a_failure_leaves_only_what_failed(empty: Lab) -> None:
    """The error names the cause; what was only prepared is gone; going on makes the failed stack again."""
    empty.client("kms").create_alias(
        AliasName="alias/shop", TargetKeyId=empty.client("kms").create_key()["KeyMetadata"]["KeyId"]
    )
    with pytest.raises(
        DrillError, match=r"^stack shop-keys in us-east-1 failed at Alias \(AWS::KMS::Alias\)"
    ):
        deploy(empty.aws.client, CONFIG, ONE)
    assert set(stack_names(empty)) == {"shop-keys", "shop-network"}
    empty.client("kms").delete_alias(AliasName="alias/shop")
    actions = {
        (each.stack.name, each.stack.region): each.action
        for each in preview(empty.aws.client, CONFIG, ONE).prepared
    }
    assert actions["shop-keys", EAST] == "again"
    assert actions["shop-keys", WEST] == actions["shop-network", EAST] == "none"


def test_an_interrupt_ends_the_waiting(empty: Lab) -> None:
    """Whoever is told to stop does so while CloudFormation goes on by itself."""
    watch = Watch()
    threading.Timer(0.5, watch.interrupt).start()
    with pytest.raises(DrillError, match="interrupted; CloudFormation goes on by itself"):
        deploy(empty.aws.client, CONFIG, ONE, watch)
