"""The system file: what it takes, what it refuses, and how it says so."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.errors import UsageError
from drill.target import Environment, Objectives, Timing
from infra import deploy_config
from infra.deploy_config import DeployConfig

LEAST = {
    "name": "shop",
    "primary_region": "us-east-1",
    "standby_region": "us-west-2",
    "domain": "drill.example.com",
}
EAST_ARN = "arn:aws:acm:us-east-1:123456789012:certificate/a"
WEST_ARN = "arn:aws:acm:us-west-2:123456789012:certificate/b"


def written(folder: Path, text: str) -> Path:
    """Write a system file."""
    path = folder / "system.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"standby_region": "us-east-1"}, "must be two regions, not us-east-1 twice"),
        ({"standby_region": "mars"}, "standby_region: String should match pattern"),
        ({"standby_cidr": "10.0.0.0/16"}, "the CIDRs 10.0.0.0/16 and 10.0.0.0/16 overlap"),
        ({"primary_cidr": "10.10.0.0/24"}, "primary_cidr: 10.10.0.0/24 must be a /16 within 10.0.0.0/8"),
        ({"primary_cidr": "192.168.0.0/16"}, "must be a /16 within 10.0.0.0/8"),
        ({"standby_cidr": "10.20.0.1/16"}, "standby_cidr: '10.20.0.1/16' is not a CIDR"),
        ({"standby_cidr": "ten"}, "standby_cidr: 'ten' is not a CIDR"),
        ({"name": "Shop"}, "name: String should match pattern"),
        ({"name": "a" * 25}, "name: String should have at most 24 characters"),
        ({"account": 123456789012}, "account: Input should be a valid string"),
        ({"domain": "example"}, "domain: String should match pattern"),
        ({"http_port": 0}, "http_port: Input should be greater than or equal to 1"),
        ({"database_port": 65536}, "database_port: Input should be less than or equal to 65535"),
        ({"provisioned_concurrency": -1}, "provisioned_concurrency: "),
        ({"acu_min": 8, "acu_max": 4}, "acu_min 8 must not be more than acu_max 4"),
        ({"acu_min": 0.75}, "acu_min: Input should be a multiple of 0.5"),
        ({"table_min_capacity": 9, "table_max_capacity": 8}, "table_min_capacity 9 must not be more than"),
        ({"table_billing": "FREE"}, "table_billing: Input should be 'PROVISIONED' or 'PAY_PER_REQUEST'"),
        ({"replication": "hope"}, "replication: Input should be 'backup' or 'global'"),
        ({"nat": "two"}, "nat: Input should be 'none', 'one' or 'per-az'"),
        ({"engine_version": 16}, "engine_version: Input should be a valid string"),
        ({"name": "orders-"}, "name: String should match pattern"),
        ({"name": "a--b"}, "name: String should match pattern"),
        ({"backup_schedule": "hourly"}, "backup_schedule: 'hourly' is not cron(minutes hours"),
        ({"backup_schedule": "cron(99 * * * ? *)"}, "backup_schedule: '99' is no minutes"),
        ({"backup_schedule": "cron(0 * * * * *)"}, "must have ? as day-of-month or as day-of-week"),
        ({"backup_schedule": "cron(0/15 * * * ? *)"}, "more often than once an hour"),
        ({"retention_days": 0}, "retention_days: "),
        ({"rotation_days": 1001}, "rotation_days: "),
        ({"budget_usd": 0}, "budget_usd: "),
        ({"alert_email": "me"}, "alert_email: String should match pattern"),
        ({"alert_webhook": "http://plain.example"}, "alert_webhook: String should match pattern"),
        ({"primary_certificate_arn": EAST_ARN}, "both regions need a certificate, or neither"),
        (
            {"primary_certificate_arn": EAST_ARN, "standby_certificate_arn": EAST_ARN},
            "standby_certificate_arn must be of a certificate in us-west-2",
        ),
        ({"timing": {"poll_s": -1}}, "timing.poll_s: Input should be greater than 0"),
        ({"colour": "blue"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_what_can_not_work_is_refused(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    """One line names the file, the key and what was expected."""
    path = written(tmp_path, yaml.safe_dump({**LEAST, **wrong}))
    with pytest.raises(UsageError, match=re.escape(said)) as refused:
        deploy_config.load(path)
    assert str(refused.value).startswith(f"system file {path}: ")
    assert "nothing was touched" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not YAML"),
        ("- a", "must be a mapping, not list"),
        ("", "must be a mapping, not NoneType"),
        ("name: shop", "primary_region: Field required (2 more)"),
    ],
)
def test_a_file_that_is_no_system_file_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """What is not a mapping with the needed keys is told apart."""
    with pytest.raises(UsageError, match=re.escape(said)):
        deploy_config.load(written(tmp_path, text))


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    """The way out is in the error."""
    path = tmp_path / "none.yaml"
    with pytest.raises(UsageError, match=f"write one with: drill infra init {re.escape(str(path))}"):
        deploy_config.load(path)


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    """A system file keeps every value."""
    config = DeployConfig.model_validate(
        {
            **LEAST,
            "primary_certificate_arn": EAST_ARN,
            "standby_certificate_arn": WEST_ARN,
            "environment": Environment(kind="lab", profile="fast"),
            "timing": Timing(warm_up_s=3),
            "objectives": {"default": Objectives(rto_s=9)},
            "name_servers": ("127.0.0.1:53",),
        }
    )
    deploy_config.dump(config, tmp_path / "system.yaml")
    assert deploy_config.load(tmp_path / "system.yaml") == config


def test_the_least_file_has_defaults_that_hold_together(tmp_path: Path) -> None:
    """Four keys are enough; data is protected and the networks are apart."""
    config = deploy_config.load(written(tmp_path, yaml.safe_dump(LEAST)))
    assert (config.primary_cidr, config.standby_cidr) == ("10.0.0.0/16", "10.1.0.0/16")
    assert (config.protect_data, config.replication, config.nat) == (True, "backup", "none")
    assert (config.scheme, config.port) == ("http", 80)
    assert config.subnet_cidr("us-west-2", 21) == "10.1.21.0/24"


def test_certificates_make_it_https(tmp_path: Path) -> None:
    """With a certificate in each region, clients come by HTTPS on its port."""
    both = {"primary_certificate_arn": EAST_ARN, "standby_certificate_arn": WEST_ARN}
    config = deploy_config.load(written(tmp_path, yaml.safe_dump({**LEAST, **both})))
    assert (config.scheme, config.port) == ("https", 443)
    assert config.certificate_arn("us-west-2") == WEST_ARN


def test_changing_a_value_checks_it_too() -> None:
    """A changed copy is held to the same rules."""
    config = DeployConfig.model_validate(LEAST)
    assert config.changed(acu_max=2).acu_max == 2
    with pytest.raises(UsageError, match="overlap"):
        config.changed(standby_cidr="10.0.0.0/16")


def test_the_example_explains_every_key(tmp_path: Path) -> None:
    """`drill infra init` writes a file that works, and that shows each key with its default."""
    deploy_config.write_example(tmp_path / "system.yaml")
    config = deploy_config.load(tmp_path / "system.yaml")
    assert config.name == "orders"

    text = (files("infra") / deploy_config.EXAMPLE).read_text(encoding="utf-8")
    for key, field in DeployConfig.model_fields.items():
        shown = re.search(rf"^(?:# )?{key}:(.*)$", text, re.MULTILINE)
        assert shown, f"the example does not show {key}"
        if not field.is_required() and isinstance(field.default, (str, int, float)):
            assert yaml.safe_load(shown[1]) == field.default, key


def test_the_example_touches_no_file_that_is_there(tmp_path: Path) -> None:
    """A file of the same name stays as it is."""
    path = written(tmp_path, "mine")
    with pytest.raises(FileExistsError):
        deploy_config.write_example(path)
    assert path.read_text(encoding="utf-8") == "mine"
