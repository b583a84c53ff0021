"""The target file: what is wrong with it is said by key, and it reads back as written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from drill import target
from drill.errors import TargetError
from drill.target import Objectives


def make_document(**changes: Any) -> dict[str, Any]:
    """Return a valid target file as a document, with changes."""

    def region(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "load_balancer": f"edge.{name}.elb.amazonaws.com",
            "load_balancer_arn": f"arn:aws:elasticloadbalancing:{name}:123456789012:loadbalancer/app/edge/1",
            "vpc_id": f"vpc-{name}",
            "edge_subnet_ids": [f"subnet-edge-{name}"],
            "app_subnet_ids": [f"subnet-app-{name}"],
            "health_check_id": f"check-{name}",
            "function_name": "orders",
            "function_alias": "live",
            "cluster_id": "orders",
        }

    return {
        "schema": 1,
        "name": "orders",
        "account": "123456789012",
        "service": {"host": "orders.example.test"},
        "primary": region("us-east-1"),
        "standby": region("us-west-2"),
        "dns": {"hosted_zone_id": "Z1", "record_name": "orders.example.test"},
        "table": {"name": "orders"},
        "peering_id": "pcx-1",
        **changes,
    }


def write_target(folder: Path, text: str) -> Path:
    """Write a target file and return where it is."""
    path = folder / "target.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_back_as_written(tmp_path: Path) -> None:
    """What ``dump`` writes is what ``load`` returns."""
    first = target.load(write_target(tmp_path, yaml.safe_dump(make_document())))

    target.dump(first, tmp_path / "again.yaml")

    assert first == target.load(tmp_path / "again.yaml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"account": "12"}, "account: "),
        ({"name": "Not A Name"}, "name: "),
        ({"primary": {}}, r"primary.name: Field required.*\d+ more"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"timing": {"warm_up_s": 0}}, "timing.warm_up_s: "),
        ({"service": {"host": "x", "port": 70000}}, "service.port: "),
        ({"schema": 2}, "schema: "),
        ({"objectives": {"region-outage": {"rto_s": -1}}}, "objectives.region-outage.rto_s: "),
    ],
)
def test_names_the_key_that_is_wrong(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """A wrong value is refused in one line with its key, what was expected and what to type."""
    path = write_target(tmp_path, yaml.safe_dump(make_document(**change)))

    with pytest.raises(TargetError, match=said) as refused:
        target.load(path)

    assert "\n" not in str(refused.value)
    assert "drill " in str(refused.value)


@pytest.mark.parametrize("text", ["a: [", "just words", "- a\n- b", ""])
def test_what_is_no_mapping_is_said(tmp_path: Path, text: str) -> None:
    """Broken YAML, a list or an empty file are each one line that says so."""
    with pytest.raises(TargetError, match=r"is not YAML|must be a mapping") as refused:
        target.load(write_target(tmp_path, text))

    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A missing file names the command that makes one."""
    with pytest.raises(TargetError, match=r"can't be read: .*drill target init"):
        target.load(tmp_path / "none.yaml")


def test_binary_rubbish_is_said(tmp_path: Path) -> None:
    """Bytes that are no text are no crash."""
    path = tmp_path / "target.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")

    with pytest.raises(TargetError, match="can't be read"):
        target.load(path)


def test_objectives_fall_back(tmp_path: Path) -> None:
    """A scenario without objectives of its own has the default ones."""
    document = make_document(objectives={"default": {"rto_s": 60}, "region-outage": {"rpo_writes": 0}})
    read = target.load(write_target(tmp_path, yaml.safe_dump(document)))

    assert Objectives(rpo_writes=0) == read.objectives_for("region-outage")
    assert Objectives(rto_s=60) == read.objectives_for("peering-deletion")
