"""What deploying passes to the templates and reads from them, against what they take and give."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.deploy_config import DeployConfig
from infra.deploy_stacks import Part, waves
from infra.deploy_system import System
from infra.deploy_target import target_of
from infra.function_package import Package, archive_of
from tests.infra.stacks.templates import NAMES, template

ACCOUNT = "123456789012"
BACKUP = DeployConfig(
    name="shop",
    primary_region="us-east-1",
    standby_region="us-west-2",
    domain="example.test",
    alert_email="ops@example.com",
)
GLOBAL = BACKUP.model_copy(update={"replication": "global"})
CONFIGS = (BACKUP, GLOBAL)
PACKAGE = Package(archive_of({"app.py": b""}), "app.handle")
# Parameters that no configuration has a word for; their defaults are the system's.
DEFAULTS = {
    ("app.yaml", "DatabaseName"),
    ("dashboard.yaml", "AliasName"),
    ("data.yaml", "DatabaseName"),
    ("dns.yaml", "HealthPath"),
    ("observability.yaml", "AliasName"),
    ("observability.yaml", "ErrorsAMinute"),
    ("rotation.yaml", "DatabaseName"),
}
# Outputs that are empty where there is no cluster, no global database or no canary.
MAY_BE_EMPTY = {
    "LeaseTable",
    "PauseRoleArn",
    "DrillRoleArn",
    "SchedulerRoleArn",
    "AdminSecretArn",
    "ClusterArn",
    "ClusterId",
    "Endpoint",
    "GlobalClusterId",
    "Port",
    "ReachabilityAlarm",
    "ReaderEndpoint",
}


class Outputs(dict[str, str]):
    """A stack's outputs, where asking for one that its template does not give is an error."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return an output that must be there."""
        return self[key] or default


def outputs_of(part: Part) -> Outputs:
    """Return outputs with the names of a template's own and values of the kind that deploying takes apart."""
    arn = f"arn:aws:x:{part.region}:{ACCOUNT}:"
    given = {name: arn + name for name in template(f"{part.template}.yaml").get("Outputs", {})}
    return Outputs({name: "5432" if name == "Port" else value for name, value in given.items()})


def deployed(config: DeployConfig) -> System:
    """Return a system of which every stack has given what its template says."""
    system = System(config, PACKAGE, {region: f"code-{region}" for region in config.regions})
    for part in parts(config):
        system.outputs[part.template, part.region] = outputs_of(part)
    return system


def parts(config: DeployConfig) -> Iterator[Part]:
    """Yield all stacks."""
    for wave in waves(config):
        yield from wave


def test_every_template_is_deployed() -> None:
    """No template lies there that nobody uses."""
    assert {f"{part.template}.yaml" for part in parts(BACKUP)} == set(NAMES)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.replication)
def test_deploying_passes_what_a_template_takes(config: DeployConfig) -> None:
    """No parameter is given that a template does not take; what is not given has a default."""
    system = deployed(config)
    for part in parts(config):
        stack = part.stack(system)
        taken = template(stack.template)["Parameters"]
        assert set(stack.parameters) <= set(taken), stack.template
        missing = set(taken) - set(stack.parameters)
        assert all("Default" in taken[name] for name in missing), stack.template


def test_every_parameter_is_given_by_some_system() -> None:
    """In one of both regions, by one way of replication; the others' defaults are the system's own."""
    taken, given = set(), set()
    for config in CONFIGS:
        system = deployed(config)
        for part in parts(config):
            stack = part.stack(system)
            taken |= {(stack.template, name) for name in template(stack.template)["Parameters"]}
            given |= {(stack.template, name) for name in stack.parameters}
    assert taken - given == DEFAULTS


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.replication)
def test_what_is_passed_is_allowed(config: DeployConfig) -> None:
    """A template's own rules for a parameter let the configuration's values through."""
    system = deployed(config)
    for part in parts(config):
        stack = part.stack(system)
        for name, value in stack.parameters.items():
            rules = template(stack.template)["Parameters"][name]
            assert value in rules.get("AllowedValues", [value]), (stack.template, name)
            assert re.search(rules.get("AllowedPattern", ""), value), (stack.template, name)
            assert rules["Type"] != "Number" or float(value) >= rules.get("MinValue", 0), (
                stack.template,
                name,
            )


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.replication)
def test_a_target_is_made_of_what_the_templates_give(config: DeployConfig) -> None:
    """Every output that the target is made of is one of a template."""
    target = target_of(deployed(config), ACCOUNT)
    assert target.primary.cluster_id
    assert target.dashboard


def test_a_default_is_the_same_everywhere() -> None:
    """A name that three stacks must agree on has one default."""
    for name in {name for _, name in DEFAULTS}:
        found = {
            str(template(one)["Parameters"][name]["Default"])
            for one in NAMES
            if name in template(one)["Parameters"]
        }
        assert len(found) == 1, name


def test_outputs_are_exported() -> None:
    """Other stacks of the account can import what a stack gives; CloudFormation exports nothing empty."""
    for name in NAMES:
        for key, output in template(name).get("Outputs", {}).items():
            if key not in MAY_BE_EMPTY:
                assert output["Export"]["Name"] == {"Fn::Sub": f"${{AWS::StackName}}-{key}"}, (name, key)
            else:
                assert "Export" not in output, (name, key)
