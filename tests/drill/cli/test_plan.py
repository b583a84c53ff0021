"""``drill plan``: what is touched and what is not, calls, permissions, time, cost, and what undoes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from drill import target
from drill.cli import outcome_of
from drill.testing import made_up_target


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a target file that names everything."""
    path = tmp_path / "target.yaml"
    target.dump(made_up_target(), path)
    return path


def page(file: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, list[str]]:
    """Return the paragraphs of a plan by their headings."""
    assert outcome_of(["plan", "region-outage", "--target", str(file), *flags]) == 0
    parts = [part.splitlines() for part in capsys.readouterr().out.split("\n\n")]
    return {part[0]: part[1:] for part in parts}


def test_it_says_what_undoes_each_step(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By which calls, until when, and what happens if nobody is left to do it."""
    steps = page(file, capsys)["Will change:"]

    assert (
        "    put back by: route53:GetHealthCheck, route53:UpdateHealthCheck; checked, within 120 s" in steps
    )
    assert any(line.startswith("    if nobody is left to undo it: ") for line in steps)


def test_it_says_what_stays_as_it_is(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that the target file names and no step touches, whether it is called by name or by ARN."""
    bare = made_up_target()
    plain = "\n".join(page(file, capsys)["Will not change:"])
    dark = "\n".join(page(file, capsys, "--blackout")["Will not change:"])

    assert bare.primary.health_check_id not in plain
    assert bare.primary.health_check_id in dark
    assert bare.standby.health_check_id in plain
    assert f"subnet {', '.join((*bare.primary.edge_subnet_ids, *bare.primary.app_subnet_ids))}" in plain
    assert bare.primary.edge_subnet_ids[0] not in dark
    assert f"us-west-2: Aurora cluster {bare.standby.cluster_id}" in plain
    assert "us-east-1: global table orders" not in dark
    assert "global: hosted zone Z0MADEUP" in plain


def test_it_says_what_is_called_and_permitted(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each call once with all that it is made for; each statement of the policy."""
    parts = page(file, capsys, "--blackout")

    assert "  ec2:DescribeNetworkAcls (capture, inject, undo, undone)" in parts["AWS calls:"]
    assert "scheduler:CreateSchedule" in parts["AWS calls:"][-1]
    (permitted,) = [lines for heading, lines in parts.items() if heading.startswith("Permissions")]
    assert any("fis:StopExperiment on" in line and "drill:run-id" in line for line in permitted)


def test_it_says_what_it_costs_and_how_long_it_takes(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the durations of the target file, and from prices that have a day."""
    parts = page(file, capsys, "--blackout")

    (pause,) = [line for line in parts["Costs:"] if line.startswith("  pause-replication: ")]
    assert "0.10 to 3.20 USD" in pause
    assert any("prices looked up on 20" in line for line in parts["Costs:"])
    assert any(heading.startswith("Takes 120 s at least; gives up after 2820 s.") for heading in parts)


def test_as_json_it_is_the_plan_with_all_of_that(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine reads the same."""
    assert outcome_of(["plan", "region-outage", "--target", str(file), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)

    assert "region-outage" == document["scenario"]
    assert [120.0, 2820.0] == document["expected_s"]
    assert {"Effect", "Action"} <= set(document["permissions"][0])
    assert {"part", "unit", "low", "high", "usd", "source"} <= set(document["billed"][0])
    assert "peering" in " ".join(one["kind"] for one in document["untouched"])
