"""From an infrastructure tool's outputs to a target: matched by name, complete or refused by name."""

import json
from typing import Any

import pytest

from drill.errors import TargetError
from drill.target import Target
from drill.target_outputs import keys_of, outputs_of, read


def _region(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "load_balancer": f"edge.{name}.elb.amazonaws.com",
        "load_balancer_arn": f"arn:aws:elasticloadbalancing:{name}:123456789012:loadbalancer/app/edge/1",
        "vpc_id": f"vpc-{name}",
        "edge_subnet_ids": [f"subnet-edge-{name}-a", f"subnet-edge-{name}-b"],
        "app_subnet_ids": [f"subnet-app-{name}"],
        "health_check_id": f"check-{name}",
        "function_name": "orders",
        "function_alias": "live",
    }


WANTED: dict[str, Any] = {
    "name": "orders",
    "account": "012345678901",
    "service": {"host": "orders.example.test", "port": 443},
    "primary": _region("us-east-1"),
    "standby": _region("us-west-2"),
    "dns": {"hosted_zone_id": "Z1", "record_name": "orders.example.test"},
    "table": {"name": "orders"},
    "peering_id": "pcx-1",
}


def flat(document: dict[str, Any], case: str = "snake") -> dict[str, Any]:
    """Return the document as outputs whose names are made of its keys."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        inner = flat(value, "snake") if isinstance(value, dict) else {"": value}
        for rest, leaf in inner.items():
            found["_".join(part for part in (key, rest) if part)] = leaf
    if case == "snake":
        return found
    return {"".join(part.title() for part in name.split("_")): value for name, value in found.items()}


def test_reads_pulumi_outputs() -> None:
    """Flat names in any case, and nested objects, name the same keys."""
    target = Target.model_validate(WANTED)

    assert read(outputs_of(json.dumps(WANTED)), {}).target == target
    assert read(outputs_of(json.dumps(flat(WANTED))), {}).target == target
    assert read(outputs_of(json.dumps(flat(WANTED, "title"))), {}).target == target


def test_reads_terraform_outputs() -> None:
    """Each output's value counts, and one that is marked as sensitive never gets into the file."""
    outputs = {
        name: {"value": value, "type": "x", "sensitive": False} for name, value in flat(WANTED).items()
    }
    outputs["dashboard"] = {"value": "secret", "type": "string", "sensitive": True}

    target = read(outputs_of(json.dumps(outputs)), {}).target

    assert target == Target.model_validate(WANTED)
    assert target.dashboard is None


def test_reads_cloudformation_outputs() -> None:
    """Stacks' outputs are text: lists are joined by commas there."""
    texts = {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in flat(WANTED, "title").items()
    }
    half = len(texts) // 2
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in texts.items()]
    document = {"Stacks": [{"Outputs": listed[:half]}, {"Outputs": listed[half:]}, {"StackName": "bare"}]}

    assert read(outputs_of(json.dumps(document)), {}).target == Target.model_validate(WANTED)


def test_calls_the_standby_secondary_too() -> None:
    """What people call the second region is understood."""
    outputs = {name.replace("standby_", "secondary_"): value for name, value in flat(WANTED).items()}
    outputs["primary_region"] = outputs.pop("primary_name")

    assert read(outputs, {}).target.standby.vpc_id == "vpc-us-west-2"


def test_keeps_an_accounts_leading_zero() -> None:
    """An account that a tool printed as a number has twelve digits again."""
    assert read({**flat(WANTED), "account": 12345678901}, {}).target.account == "012345678901"


@pytest.mark.parametrize("key", [str(key) for key in keys_of(Target) if key.required])
def test_names_what_is_missing(key: str) -> None:
    """A required key that no output gives is named, with the way to give it."""
    outputs = {name: value for name, value in flat(WANTED).items() if name != key.replace(".", "_")}

    with pytest.raises(TargetError, match=rf"lack 1 .*{key}.*--set {key}=VALUE"):
        read(outputs, {})


def test_names_all_that_is_missing() -> None:
    """One reading tells every missing key."""
    with pytest.raises(TargetError, match=r"name, account, service\.host, .*peering_id"):
        read({"unrelated": 1}, {})


def test_what_is_set_wins() -> None:
    """A value given by hand wins over an output."""
    assert read(flat(WANTED), {"primary.vpc_id": "vpc-other"}).target.primary.vpc_id == "vpc-other"


def test_alarms_and_objectives_can_be_given() -> None:
    """Keys of the open parts of the file are outputs as well."""
    outputs = {**flat(WANTED), "primary_alarms_replication_lag": "lag", "objectives_default_rto_s": 60}

    target = read(outputs, {}).target

    assert target.primary.alarms == {"replication-lag": "lag"}
    assert target.objectives_for("any").rto_s == 60


def test_tells_what_it_did_not_use() -> None:
    """An output that means nothing here is told and does no harm."""
    assert read({**flat(WANTED), "bucket": "b", "tags": {"team": "x"}}, {}).unused == ("bucket", "tags.team")


def test_an_output_never_makes_a_system_disposable() -> None:
    """Only who runs the command may say that a system is there to be broken."""
    outputs = {**flat(WANTED), "disposable": True}

    assert not read(outputs, {}).target.disposable
    assert read(outputs, {"disposable": "true"}).target.disposable


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "must be a JSON object, not a list"),
        ("null", "must be a JSON object, not a NoneType"),
        ('{"Stacks": 3}', "no outputs as cloudformation prints"),
        ('{"Stacks": [{"Outputs": [{}]}]}', "no outputs as cloudformation prints"),
    ],
)
def test_refuses_what_is_no_outputs(text: str, said: str) -> None:
    """Anything else than a tool's outputs is refused in one line."""
    with pytest.raises(TargetError, match=said) as refused:
        outputs_of(text)

    assert "\n" not in str(refused.value)


def test_refuses_contradicting_outputs() -> None:
    """Two names of one key with different values are no target."""
    with pytest.raises(TargetError, match=r"two outputs give table\.name different values"):
        read({**flat(WANTED), "TableName": "other"}, {})


def test_what_is_set_settles_a_contradiction() -> None:
    """The message's advice works: a value given by hand ends the quarrel of two outputs."""
    outputs = {**flat(WANTED), "TableName": "other"}

    assert read(outputs, {"table.name": "orders"}).target.table.name == "orders"


def test_refuses_an_unknown_key() -> None:
    """A key that the target file does not have is named."""
    with pytest.raises(TargetError, match=r"--set primary\.vpc: the target file has no such key"):
        read(flat(WANTED), {"primary.vpc": "vpc-1"})


def test_refuses_a_wrong_value() -> None:
    """A value of the wrong kind is named by its key."""
    with pytest.raises(TargetError, match=r"service\.port: .*--set service\.port=VALUE"):
        read({**flat(WANTED), "service_port": "high"}, {})
