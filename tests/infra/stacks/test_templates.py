"""The templates as they are written: sound, tagged, encrypted, watched, and without a secret."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.infra.stacks.templates import NAMES, Resource, everywhere, resources, template, text, walk

# One of each kind: the first one of all, one with few zones, one in another continent.
REGIONS = ["us-east-1", "us-west-2", "eu-central-1"]
HEALTH_CHECK = "AWS::Route53::HealthCheck"
# What CloudFormation takes in a call, see
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LONGEST_BYTES = 51_200
TAGS = {"drill:opt-in": "true", "project": {"Ref": "Project"}}
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
RULE_DESCRIPTION = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
# Resources that hold what nobody could make again, and what must become of them.
KEPT = {
    "AWS::KMS::Key": {"Retain"},
    "AWS::DynamoDB::GlobalTable": {"Retain"},
    "AWS::Backup::BackupVault": {"Retain"},
    "AWS::RDS::DBCluster": {"Snapshot"},
}


def tags_of(resource: Resource) -> Iterator[Any]:
    """Yield the tags of a resource; a global table has them on each replica."""
    if resource.kind == "AWS::DynamoDB::GlobalTable":
        for replica in resource.properties["Replicas"]:
            yield replica.get("Tags", ())
        return
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGIONS[0], resource.kind).schema
    tagging = schema["tagging"]
    if tagging["taggable"]:
        yield resource.properties.get(tagging["tagProperty"].rpartition("/")[2], ())


def by_key(tags: Any) -> Mapping[str, Any]:
    """Return tags by key, whether they are a list or a mapping already."""
    return tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    """No error, no warning and no hint, in several regions, and nothing is told to be ignored."""
    found = lint(text(name), config=ManualArgs(regions=REGIONS, include_checks=["I"]))
    assert [f"{match.rule.id} line {match.linenumber}: {match.message}" for match in found] == []
    assert "cfn-lint" not in text(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_fits_into_a_call(name: str) -> None:
    """CloudFormation refuses longer ones unless they are in a bucket."""
    assert len(text(name).encode()) <= LONGEST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_takes_tags_has_ours(name: str) -> None:
    """The opt-in tag lets a drill touch it, the project's tag lets a bill name it."""
    missing = [
        resource.name
        for resource in resources(name)
        for tags in tags_of(resource)
        if not TAGS.items() <= by_key(tags).items()
    ]
    assert missing == []


def test_recovery_points_have_the_tags() -> None:
    """A backup is a resource too, and is made by a rule of the plan."""
    (plan,) = everywhere("AWS::Backup::BackupPlan")
    for rule in plan.properties["BackupPlan"]["BackupPlanRule"]:
        assert TAGS.items() <= rule["RecoveryPointTags"].items()


@pytest.mark.parametrize("name", NAMES)
def test_no_password_is_written_down(name: str) -> None:
    """A password is generated or resolved by its service; no parameter can carry one."""
    for part in walk(template(name)):
        for key, value in part.items() if isinstance(part, dict) else ():
            if key.endswith("Password") and not isinstance(value, bool):
                assert set(re.findall(r"\{\{.*?\}\}", json.dumps(value))) or "AWS::NoValue" in str(value)
                assert "MasterUserPassword" != key or "resolve:secretsmanager" in json.dumps(value)
    secretive = re.compile(r"(?i)password|token|passphrase")
    assert [item for item in template(name).get("Parameters", {}) if secretive.search(item)] == []
    assert not re.search(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN", text(name))


@pytest.mark.parametrize("kind", KEPT)
def test_data_is_kept(kind: str) -> None:
    """What holds data says what becomes of it, whether its stack goes or it is replaced."""
    found = list(everywhere(kind))
    assert found
    for resource in found:
        assert {resource.whole.get("DeletionPolicy")} == KEPT[kind]
        assert {resource.whole.get("UpdateReplacePolicy")} == KEPT[kind]


def test_data_is_protected_on_demand() -> None:
    """One parameter makes cluster, global cluster and every replica of the table refuse to be deleted."""
    protected = [
        part[key]
        for name in ("data.yaml", "table.yaml")
        for part in walk(template(name)["Resources"])
        for key in ("DeletionProtection", "DeletionProtectionEnabled")
        if isinstance(part, dict) and key in part
    ]
    assert protected == [{"Ref": "ProtectData"}] * 4


def test_everything_at_rest_is_under_the_regions_key() -> None:
    """Each kind of resource that can be encrypted names the key that the template was given."""
    wanted = {
        "AWS::RDS::DBCluster": "KmsKeyId",
        "AWS::SecretsManager::Secret": "KmsKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::Backup::BackupVault": "EncryptionKeyArn",
        "AWS::Lambda::Function": "KmsKeyArn",
    }
    for kind, name in wanted.items():
        found = list(everywhere(kind))
        assert found
        assert {str(resource.properties.get(name)) for resource in found} == {str({"Ref": "KeyArn"})}
    (table,) = everywhere("AWS::DynamoDB::GlobalTable")
    keys = [replica["SSESpecification"]["KMSMasterKeyId"] for replica in table.properties["Replicas"]]
    assert keys == [{"Ref": "KeyArn"}, {"Ref": "PeerKeyArn"}]
    for secret in everywhere("AWS::SecretsManager::Secret"):
        assert secret.properties["ReplicaRegions"][0]["KmsKeyId"] == {"Ref": "PeerKeyArn"}


@pytest.mark.parametrize("name", NAMES)
def test_each_function_has_a_log_that_ends(name: str) -> None:
    """A function writes to a log group of its stack, which keeps its lines for a while only."""
    logs = {group.name: group for group in resources(name, "AWS::Logs::LogGroup")}
    functions = list(resources(name, "AWS::Lambda::Function"))
    used = {function.properties["LoggingConfig"]["LogGroup"]["Ref"] for function in functions}
    assert used <= set(logs)
    assert len(used) == len(functions)
    assert all(group.properties["RetentionInDays"] for group in logs.values())


def test_each_alarm_tells_somebody() -> None:
    """That it rings, and that it is over."""
    alarms = list(everywhere("AWS::CloudWatch::Alarm"))
    assert alarms
    for alarm in alarms:
        for actions in ("AlarmActions", "OKActions"):
            assert alarm.properties[actions] == [{"Ref": "TopicArn"}]
        assert alarm.properties["TreatMissingData"] in {"breaching", "notBreaching"}


def test_route_53_can_follow_the_error_alarm() -> None:
    """It is about one metric and one plain statistic, every data point counts, and a period is a minute.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """
    watched = template("observability.yaml")["Outputs"]["ErrorAlarm"]["Value"]["Ref"]
    (alarm,) = [item for item in resources("observability.yaml") if item.name == watched]
    assert alarm.properties["Statistic"] in {"Average", "Minimum", "Maximum", "Sum", "SampleCount"}
    assert not {"Metrics", "ExtendedStatistic", "DatapointsToAlarm"} & set(alarm.properties)
    assert alarm.properties["Period"] >= 60


def test_both_records_fail_over_by_what_clients_get_and_by_the_alarm() -> None:
    """Each failover record has a check that is healthy only while its HTTP and its alarm check are."""
    checks = {item.name: item.properties["HealthCheckConfig"] for item in resources("dns.yaml", HEALTH_CHECK)}
    records = list(resources("dns.yaml", "AWS::Route53::RecordSet"))
    assert {record.properties["Failover"] for record in records} == {"PRIMARY", "SECONDARY"}
    for record in records:
        config = checks[record.properties["HealthCheckId"]["Ref"]]
        children = [checks[child["Ref"]] for child in config["ChildHealthChecks"]]
        assert (config["Type"], config["HealthThreshold"]) == ("CALCULATED", len(children))
        assert [child["Type"] for child in children] == [
            {"Fn::If": ["Encrypts", "HTTPS", "HTTP"]},
            "CLOUDWATCH_METRIC",
        ]
        assert children[1]["InsufficientDataHealthStatus"] == "Healthy"


def test_security_groups_are_described_in_letters_that_ec2_takes() -> None:
    """EC2 refuses an apostrophe, which cfn-lint does not know."""
    said = [
        part[key]
        for name in NAMES
        for resource in resources(name)
        if resource.kind.startswith("AWS::EC2::SecurityGroup")
        for part in walk(resource.properties)
        for key in ("GroupDescription", "Description")
        if isinstance(part, dict) and key in part
    ]
    assert len(said) >= 10
    assert [words for words in said if not RULE_DESCRIPTION.fullmatch(words)] == []


def test_the_database_is_reached_by_functions_alone() -> None:
    """From this region by group, from the other one by its CIDR; it calls nobody."""
    (group,) = [item for item in resources("network.yaml") if item.name == "DatabaseSecurityGroup"]
    sources = [
        rule.get("SourceSecurityGroupId") or rule["CidrIp"]
        for rule in group.properties["SecurityGroupIngress"]
    ]
    assert sources == [{"Ref": "AppSecurityGroup"}, {"Ref": "PeerCidr"}]
    assert [rule["CidrIp"] for rule in group.properties["SecurityGroupEgress"]] == ["127.0.0.1/32"]


def test_each_exception_from_checkov_has_a_reason() -> None:
    """A check is skipped where the template says why, and nowhere else."""
    skipped = [
        skip
        for name in NAMES
        for resource in resources(name)
        for skip in resource.whole.get("Metadata", {}).get("checkov", {}).get("skip", ())
    ]
    assert skipped
    assert all(re.fullmatch(r"CKV2?_AWS_\d+", skip["id"]) and len(skip["comment"]) > 30 for skip in skipped)
    assert not any("checkov:skip" in text(name) for name in NAMES)
