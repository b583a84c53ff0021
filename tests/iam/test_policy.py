"""The policy that ``drill iam-policy`` prints: as little as it can be, and as AWS takes it."""

import json
from pathlib import Path

import pytest
from policy_sentry.querying.actions import get_action_data

from drill import catalogue, cli, permissions, plan, target
from drill.permissions import Statement
from drill.plan import Plan
from drill.probes.catalogue import KINDS
from drill.target import Drills, Table, Target
from drill.testing import made_up_target
from scenarios.region_outage import RegionOutage, RegionOutageParams
from tests.drill.measure.worlds import target as made_up

IAM = "arn:aws:iam::123456789012:role"
DRILLS = Drills(
    role_arn=f"{IAM}/drill",
    scheduler_role_arn=f"{IAM}/scheduler",
    schedule_group="drills",
    lease_table="leases",
)


def _target(name: str = "us-east-1") -> Target:
    bare = made_up()
    region = bare.primary.model_copy(update={"name": name, "key_arn": "arn:aws:kms:us-east-1:1:key/k"})
    table = Table(name="orders", pause_role_arn=f"{IAM}/fis")
    return bare.model_copy(update={"primary": region, "table": table, "drills": DRILLS})


def _plan(*, blackout: bool, where: Target | None = None) -> Plan:
    return plan.make(RegionOutage(), RegionOutageParams(blackout=blackout), where or _target())


@pytest.mark.parametrize("blackout", [False, True])
def test_it_is_short_enough_and_the_same_each_time(blackout: bool) -> None:
    """IAM takes it as one managed policy, and nothing in it depends on chance."""
    once, again = (permissions.statements(_plan(blackout=blackout)) for _ in range(2))

    assert once == again
    assert len({one.sid for one in once}) == len(once)
    assert all(one.sid.isalnum() for one in once)
    assert permissions.length(once) <= permissions.LONGEST
    assert len(permissions.policies(once)) == 1


def test_a_policy_that_is_too_long_is_split() -> None:
    """IAM takes no more than so many characters; nothing is lost between the parts."""
    many = [Statement(f"S{n}", ("ec2:DeleteRoute",), (f"arn:{'x' * 300}:{n}",)) for n in range(40)]

    parts = permissions.policies(many)

    assert len(parts) > 1
    assert all(len(json.dumps(part, separators=(",", ":"))) <= permissions.LONGEST for part in parts)
    assert [one["Sid"] for part in parts for one in part["Statement"]] == [one.sid for one in many]  # type: ignore[index,union-attr,call-overload]


@pytest.mark.parametrize("blackout", [False, True])
def test_every_resource_is_named_where_aws_knows_resources(blackout: bool) -> None:
    """Only actions for which IAM knows no resource are permitted on all, and each action is one of AWS's."""
    free = {"cloudwatch:DescribeAlarms"}  # composite alarms are only described to who may describe all
    for one in permissions.statements(_plan(blackout=blackout)):
        for action in one.actions:
            service, name = action.split(":")
            listed = get_action_data(service, name)
            assert listed, action
            known = {row["resource_arn_format"] for row in listed[service]} - {"*"}
            if "*" in one.resources:
                assert not known or action in free, action


def test_what_is_made_or_changed_is_limited_by_tag_where_aws_supports_it() -> None:
    """Writes to what carries tags ask for the target's opt-in tag, or for that of a drill."""
    writes = {"ec2:DeleteNetworkAcl", "fis:StopExperiment", "fis:DeleteExperimentTemplate"}
    for one in permissions.statements(_plan(blackout=True)):
        keys = {key for _, pairs in one.conditions for key, _ in pairs}
        if writes & set(one.actions):
            assert "aws:ResourceTag/drill:run-id" in keys, one
        if any(":subnet/" in resource for resource in one.resources):
            assert "aws:ResourceTag/drill:opt-in" in keys


def test_other_partitions_have_their_own_names() -> None:
    """ARNs and names of services are those of the partition of the target's regions."""
    chinese = permissions.statements(_plan(blackout=True, where=_target("cn-north-1")))
    text = json.dumps(permissions.policies(chinese))

    assert "arn:aws-cn:ec2:cn-north-1" in text
    assert "dynamodb.cn-north-1.amazonaws.com.cn" in text


def test_less_is_needed_where_less_is_set_up() -> None:
    """Without a lease table, schedules and a role there is nothing about them in the policy."""
    bare = made_up()
    text = json.dumps(permissions.policies(permissions.statements(_plan(blackout=False, where=bare))))

    assert not any(word in text for word in ("scheduler", "leases", "PassRole", "Simulate", "kms"))


def test_every_probe_says_what_it_calls() -> None:
    """A kind that makes an AWS client declares its calls."""
    for kind, probe in KINDS.items():
        source = Path(__import__(probe.__module__, fromlist=["x"]).__file__ or "").read_text(encoding="utf-8")
        assert ("clients(" in source) is ("def calls(" in source), kind


def test_it_is_printed_for_every_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints JSON that IAM takes, for each scenario that is installed."""
    file = tmp_path / "target.yaml"
    target.dump(made_up_target(), file)
    for name in catalogue.names():
        assert cli.outcome_of(["iam-policy", name, "--target", str(file)]) == 0
        printed = json.loads(capsys.readouterr().out)
        for document in printed if isinstance(printed, list) else [printed]:
            assert document["Version"] == "2012-10-17"
            assert document["Statement"]


def test_it_needs_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a target nobody knows the resources."""
    assert cli.outcome_of(["iam-policy", "region-outage"]) == 64
    assert "--target FILE" in capsys.readouterr().err
