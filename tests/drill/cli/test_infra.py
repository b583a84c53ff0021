"""``drill infra`` where nothing is deployed: files, refusals, prices."""

import json
from pathlib import Path

import pytest
import yaml

from drill.cli import outcome_of
from infra import deploy_config


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every command in an empty folder, without credentials, so that what it leaves behind shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


def write(path: Path = Path("system.yaml"), **values: object) -> None:
    """Write a small system file."""
    least = {
        "name": "shop",
        "primary_region": "us-east-1",
        "standby_region": "us-west-2",
        "domain": "drill.example.com",
    }
    path.write_text(yaml.safe_dump({**least, **values}), encoding="utf-8")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a command; returns its exit code and its one line on standard error."""
    code = outcome_of(["infra", *arguments])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return code, lines[0]


@pytest.mark.parametrize("command", ["deploy", "status", "outputs", "destroy", "cost"])
def test_without_a_system_file_the_way_to_one_is_named(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Every command ends with 64 and names the command that writes the file."""
    code, line = said(capsys, command)
    assert code == 64
    assert line.endswith("write one with: drill infra init system.yaml")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["deploy", "--yes"], ["deploy", "--plan-only"], ["status"], ["outputs"]])
def test_without_credentials_the_way_to_some_is_named(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is called; one line and 64."""
    write()
    code, line = said(capsys, *command)
    assert code == 64
    assert line.startswith("drill: no AWS credentials: ")
    assert line.endswith("aws configure")


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_where_nobody_can_be_asked_nothing_begins(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal, --yes is needed, and the line says so with the whole command."""
    write(Path("other.yaml"))
    code, line = said(capsys, command, "--config", "other.yaml")
    assert code == 64
    assert "nobody can be asked here, so nothing was touched" in line
    assert line.endswith(f"drill infra {command} --config other.yaml --yes")


def test_a_wrong_key_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The file, the key and what was expected."""
    write(standby_region="us-east-1")
    code, line = said(capsys, "deploy", "--yes")
    assert code == 64
    assert "system file system.yaml: primary and standby must be two regions" in line


def test_init_writes_a_file_and_says_what_next(capsys: pytest.CaptureFixture[str]) -> None:
    """The example can be used, and is not written over."""
    assert outcome_of(["infra", "init"]) == 0
    assert "drill infra deploy --plan-only" in capsys.readouterr().out
    assert deploy_config.load(Path("system.yaml")).name == "orders"
    code, line = said(capsys, "init")
    assert code == 64
    assert line.endswith("write another with: drill infra init system-new.yaml")


def test_init_where_no_file_can_be(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is one line."""
    code, line = said(capsys, "init", "none/system.yaml")
    assert code == 64
    assert "system file none/system.yaml can't be written" in line


def test_cost_needs_no_account(capsys: pytest.CaptureFixture[str]) -> None:
    """The estimate shows each part in each region, the total, a drill, and what it assumes."""
    write()
    assert outcome_of(["infra", "cost"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {tuple(line.split()[:2]) for line in lines if line.startswith("  ")}
    assert {("data", "us-east-1"), ("app", "us-west-2"), ("dns", "global")} <= rows
    assert any(line.startswith("  total ") for line in lines)
    assert "one drill, besides" in lines
    assert any("looked up on 20" in line for line in lines)
    assert lines[-1] == "- every single price, with its source: drill infra cost --json"


def test_cost_says_where_prices_are_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Regions whose prices differ are named."""
    write(standby_region="eu-west-1")
    outcome_of(["infra", "cost"])
    assert "- eu-west-1 may cost more: its prices are not known here" in capsys.readouterr().out


def test_cost_as_json_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Machines read every line, and each price with its source."""
    write()
    outcome_of(["infra", "cost", "--json"])
    document = json.loads(capsys.readouterr().out)
    total = sum(line["low_usd"] for line in document["monthly"])
    assert document["total_low_usd"] == pytest.approx(total)
    assert document["total_low_usd"] < document["total_high_usd"]
    assert document["prices"]["acu_hour"]["source"].startswith("https://aws.amazon.com/")
    assert document["assumptions"]
