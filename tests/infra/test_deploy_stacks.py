"""The contract between the stacks: what each takes is declared, and given by one that comes before it."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest

from infra.deploy_config import DeployConfig
from infra.deploy_stacks import Part, waves
from infra.deploy_system import NotYet, System
from infra.deploy_target import target_of
from infra.function_package import Package
from infra.lab.stacks.template import parse

CONFIG = DeployConfig(
    name="shop", primary_region="us-east-1", standby_region="us-west-2", domain="drill.example.com"
)
GLOBAL = CONFIG.changed(replication="global", protect_data=False)
BUCKETS = {"us-east-1": "east-code", "us-west-2": "west-code"}
ACCOUNT = "123456789012"


class Given(dict[str, str]):
    """A stack's outputs, of which only those exist that its template gives."""

    def __init__(self, template: str, region: str) -> None:
        """Make up a value for each output of a template."""
        arn = f"arn:aws:service:{region}:{ACCOUNT}:{template}"
        super().__init__({key: f"{arn}/{key}" for key in declared(template).get("Outputs", {})})


def declared(template: str) -> dict[str, Any]:
    """Return a template."""
    return parse((files("infra") / "stacks" / f"{template}.yaml").read_text(encoding="utf-8"))


def system(config: DeployConfig) -> System:
    """Return a system of which nothing is deployed."""
    return System(config, Package(b"code"), BUCKETS)


def brought_up(config: DeployConfig) -> Iterator[tuple[Part, Mapping[str, str], System]]:
    """Yield every stack in its turn, with its parameters, and then pretend that it is there."""
    made = system(config)
    for wave in waves(config):
        for part in wave:
            yield part, part.stack(made).parameters, made
        for part in wave:
            made.outputs[part.template, part.region] = Given(part.template, part.region)


def whole(config: DeployConfig) -> System:
    """Return a system of which everything is there."""
    *_, (_, _, made) = brought_up(config)
    return made


@pytest.mark.parametrize("config", [CONFIG, GLOBAL], ids=["backup", "global"])
def test_each_stack_gets_what_its_template_asks_for(config: DeployConfig) -> None:
    """No parameter is unknown, none without a default is missing, and all comes from earlier waves."""
    for part, parameters, _ in brought_up(config):
        asked = declared(part.template)["Parameters"]
        assert set(parameters) <= set(asked), part
        assert {name for name, about in asked.items() if "Default" not in about} <= set(parameters), part
        for name, value in parameters.items():
            assert isinstance(value, str), (part, name)
            assert value in asked[name].get("AllowedValues", [value]), (part, name)


def test_every_template_is_deployed() -> None:
    """No template lies around unused."""
    deployed = {part.template for wave in waves(CONFIG) for part in wave}
    assert deployed == {item.name.removesuffix(".yaml") for item in (files("infra") / "stacks").iterdir()}


def test_both_regions_have_what_a_region_needs() -> None:
    """What serves is in both regions; what joins them, or is global, is in one."""
    where = [part for wave in waves(CONFIG) for part in wave]
    assert len(where) == len(set(where))
    both = {part.template for part in where if part.region == "us-west-2"}
    assert both == {
        "keys",
        "network",
        "alerts",
        "backup-vault",
        "peering-routes",
        "data",
        "drills",
        "app",
        "observability",
    }


def test_a_stack_that_comes_too_early_names_what_is_missing() -> None:
    """What a stack waits for is known by template and region."""
    with pytest.raises(NotYet) as early:
        Part("peering", "us-east-1").stack(system(CONFIG))
    assert (early.value.template, early.value.region) == ("network", "us-east-1")


def test_what_is_in_a_region_is_named_there() -> None:
    """The standby gets its own replicas: key, secret and table of its region, the bucket there."""
    seen = {(part.template, part.region): parameters for part, parameters, _ in brought_up(CONFIG)}
    app = seen["app", "us-west-2"]
    for name in ("KeyArn", "TableArn", "DatabaseSecretArn"):
        assert app[name].split(":")[3] == "us-west-2", name
    assert app["CodeBucket"] == "west-code"
    assert app["DatabaseHost"].split(":")[3] == "us-east-1"
    assert seen["data", "us-west-2"]["SecretArn"].split(":")[3] == "us-west-2"
    assert seen["network", "us-west-2"]["VpcCidr"] == seen["network", "us-east-1"]["PeerCidr"]


def test_the_subnets_lie_within_their_vpc_and_apart() -> None:
    """Three edge and three app subnets a region, none twice."""
    for part, parameters, _ in brought_up(CONFIG):
        if part.template == "network":
            cidrs = [*parameters["EdgeCidrs"].split(","), *parameters["AppCidrs"].split(",")]
            assert len(set(cidrs)) == 6
            start = parameters["VpcCidr"].removesuffix("0.0/16")
            assert all(cidr.startswith(start) for cidr in cidrs)


def test_global_replication_rotates_its_own_master() -> None:
    """A global database can't have its master managed, so that the rotation function changes it."""
    for config, rotated in ((CONFIG, "false"), (GLOBAL, "true")):
        found = [parameters for part, parameters, _ in brought_up(config) if part.template == "rotation"]
        assert [parameters["RotateAdmin"] for parameters in found] == [rotated]


def test_the_target_is_whole() -> None:
    """All that a target can say of a region is filled, in its own region."""
    made = whole(CONFIG)
    target = target_of(made, ACCOUNT)
    for region in (target.primary, target.standby):
        said = region.model_dump()
        assert not [name for name, value in said.items() if value in (None, "", (), {})], region.name
        assert set(region.alarms) == {"errors", "reachability", "replication-lag", "throttles"}
        assert region.secret_arn is not None
        assert region.secret_arn.split(":")[3] == region.name
    assert target.dashboard is not None
    assert target.table.pause_role_arn is not None
    assert target.database.backup_plan_id is not None
    assert target.account == ACCOUNT


def test_what_a_region_has_not_is_left_away() -> None:
    """A standby without cluster and a primary without canary say so."""
    made = whole(CONFIG)
    made.outputs["data", "us-west-2"] = {**made.outputs["data", "us-west-2"], "ClusterId": ""}
    watch = {**made.outputs["observability", "us-east-1"], "ReachabilityAlarm": ""}
    made.outputs["observability", "us-east-1"] = watch
    target = target_of(made, ACCOUNT)
    assert target.standby.cluster_id is None
    assert "reachability" not in target.primary.alarms
