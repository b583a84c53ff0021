"""``drill target`` against a deployed system: what is there, what is not, and what it carries."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill import target
from tests.e2e.conftest import Lab, tried


def _drill(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drill", "target", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def _changed(lab: Lab, folder: Path, part: str, **keys: Any) -> Path:
    document = yaml.safe_load(lab.target_path.read_text(encoding="utf-8"))
    (document[part] if part else document).update(keys)
    path = folder / "target.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _wrong(path: Path) -> dict[str, str]:
    """Return what ``drill target check`` finds wrong, by key."""
    ended = _drill("check", "--target", str(path), "--json")
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    wrong = {answer["key"]: answer["wrong"] for answer in answers if answer["wrong"]}
    assert ended.returncode == (1 if wrong else 0), ended.stderr
    return wrong


def test_all_that_a_deployed_system_names_is_there(lab: Lab) -> None:
    """The target file that a deployment writes is right in everything."""
    ended = _drill("check", "--target", str(lab.target_path))

    assert ended.returncode == 0, ended.stdout
    assert "are there" in ended.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("part", "key", "value", "said"),
    [
        ("primary", "vpc_id", "vpc-00000000", "vpc-00000000"),
        ("primary", "health_check_id", "00000000-0000-0000-0000-000000000000", "NoSuchHealthCheck"),
        ("standby", "function_alias", "absent", "ResourceNotFound"),
        ("standby", "edge_subnet_ids", ["subnet-00000000"], "InvalidSubnetID"),
        ("standby", "load_balancer", "other.example.test", "not other.example.test"),
        ("table", "name", "absent", "ResourceNotFound"),
        ("dns", "record_name", "other.example.test", "no record"),
        ("dns", "record_name", "orders.other.test", "does not hold"),
        ("", "peering_id", "pcx-00000000", ""),
        ("", "account", "999999999999", "these credentials are of account"),
    ],
)
def test_what_is_not_there_is_named(
    lab: Lab, tmp_path: Path, part: str, key: str, value: Any, said: str
) -> None:
    """Each thing that is missing or of another kind is named with what AWS says of it."""
    wrong = _wrong(_changed(lab, tmp_path, part, **{key: value}))

    assert any(said in why for why in wrong.values()), wrong
    assert all("\n" not in why for why in wrong.values())


def test_another_regions_things_are_wrong(lab: Lab, tmp_path: Path) -> None:
    """Things that exist, but elsewhere, are not taken for the right ones."""
    other = lab.target.standby

    wrong = _wrong(_changed(lab, tmp_path, "primary", app_subnet_ids=list(other.app_subnet_ids)))

    assert "primary.app_subnet_ids" in wrong


def test_both_regions_carry_the_same_load(lab: Lab, tmp_path: Path) -> None:
    """Throughput and latency of both regions are measured at one rate, and recorded."""
    asked = [
        "load",
        "--target",
        str(lab.target_path),
        "--rate",
        "5",
        "--seconds",
        "3",
        "--out",
        str(tmp_path),
        "--json",
    ]

    def measured() -> dict[str, Any]:
        ended = _drill(*asked)
        assert ended.returncode == 0, ended.stderr
        document: dict[str, Any] = json.loads(ended.stdout)
        return document

    # A machine that is busy with something else serves fewer, in either region.
    document = tried(measured, lambda found: any(one["served"] < one["sent"] for one in found["regions"]))

    recorded = max(tmp_path.glob("*/load.json"))
    assert json.loads(recorded.read_text(encoding="utf-8")) == document
    regions = {one["role"]: one for one in document["regions"]}
    assert [one["region"] for one in document["regions"]] == [
        lab.target.primary.name,
        lab.target.standby.name,
    ]
    for one in regions.values():
        assert one["served"] == one["sent"] > 0
        assert one["p50_s"] <= one["p95_s"] <= one["p99_s"]
    assert 0.5 < regions["standby"]["per_s"] / regions["primary"]["per_s"] < 2


def test_stacks_outputs_are_read_from_aws(lab: Lab, tmp_path: Path) -> None:
    """``--stack`` reads outputs where they are, and what they lack is named."""
    stack = f"{lab.target.primary.name}:{lab.target.name}-peering"
    out = tmp_path / "target.yaml"
    begun = ["init", "--stack", stack, "--endpoint", str(lab.target.endpoint_url), "--out", str(out)]

    lacking = _drill(*begun)
    document = yaml.safe_load(lab.target_path.read_text(encoding="utf-8"))
    settled = {
        f"{part}.{key}": ",".join(value) if isinstance(value, list) else value
        for part in ("service", "primary", "standby", "dns", "table")
        for key, value in document[part].items()
        if isinstance(value, (str, int, list))
    }
    settled |= {key: document[key] for key in ("name", "account")}
    done = _drill(*begun, *(word for key, value in settled.items() for word in ("--set", f"{key}={value}")))

    assert lacking.returncode == 64
    assert "peering_id" not in lacking.stderr
    assert "primary.vpc_id" in lacking.stderr
    assert done.returncode == 0, done.stderr
    assert target.load(out).peering_id == lab.target.peering_id
    assert target.load(out).primary.vpc_id == lab.target.primary.vpc_id
