"""``drill scenarios``: list, show, new."""

import ast
import tomllib
from pathlib import Path

import pytest

from drill import target
from drill.cli import outcome_of
from drill.testing import made_up_target


def test_without_more_it_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """What is typed most needs no second word."""
    assert 0 == outcome_of(["scenarios"])
    plain = capsys.readouterr().out
    assert 0 == outcome_of(["scenarios", "list"])

    assert "region-outage: The primary region fails" in plain
    assert plain == capsys.readouterr().out


def test_show_says_what_is_known_without_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    """What it breaks, proves, watches and calls, by way; parameters with their range and default."""
    assert 0 == outcome_of(["scenarios", "show", "region-outage"])
    page = capsys.readouterr().out

    for shown in (
        "DR14: a whole region fails",
        "(a switch, by default off)",
        "(a number, at least 0, left away by default)",
        "  health-check-inversion\n  with --blackout: own-network-acl, replication-pause, network-blackout",
        "  health check (global)\n  with --blackout: subnet (primary), table (primary)",
        "clients (http)",
        "recovery_time",
        "AWS FIS's experiment (pause-replication)",
        "route53:UpdateHealthCheck",
        "docs/scenarios/region-outage.md",
        "drill scenarios show region-outage --target FILE",
    ):
        assert shown in page
    assert "made-up" not in page


def test_show_with_a_target_says_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Resources, time and cost are those of the target."""
    file = tmp_path / "target.yaml"
    target.dump(made_up_target(), file)

    assert 0 == outcome_of(["scenarios", "show", "region-outage", "--target", str(file)])
    page = capsys.readouterr().out

    for shown in ("DR14", "health check 11111111-", "Takes 120 s at least", "prices looked up on"):
        assert shown in page


def test_new_writes_a_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every file is whole: Python parses, the entry points name what is there, nothing stands open."""
    folder = tmp_path / "made"
    assert 0 == outcome_of(["scenarios", "new", "2nd-cache-loss", "--out", str(folder)])
    told = capsys.readouterr().out

    assert f"pip install -e '{folder}[test]'" in told
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    points = {**project["entry-points"]["drill.scenarios"], **project["entry-points"]["drill.faults"]}
    assert "drill_2nd_cache_loss.scenario:Drill2ndCacheLoss" == points["2nd-cache-loss"]
    for value in points.values():
        module, _, name = value.partition(":")
        source = folder / "src" / Path(*module.split(".")).with_suffix(".py")
        assert f"class {name}(" in source.read_text(encoding="utf-8")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert 9 == len(files)
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "$" not in text or path.name == "scenario.py"  # the end of a regular expression
        if path.suffix == ".py":
            ast.parse(text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new", "Cache Loss"], "is no name of a scenario: small letters, digits and dashes"),
        (["new", "../up"], "is no name of a scenario"),
        (["new", "region-outage"], "is installed already; choose another name"),
        (["new", "cache-loss", "--out", "."], "is there already; write elsewhere with: --out DIR"),
        (["new", "cache-loss", "--out", "/proc/nowhere"], "can't be written"),
        (["show", "region-outrage"], "did you mean region-outage"),
        (["show", "region-outage", "--target", "none.yaml"], "can't be read"),
    ],
)
def test_bad_input_is_told_and_writes_nothing(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line says what is wrong and what to do."""
    monkeypatch.chdir(tmp_path)

    assert 64 == outcome_of(["scenarios", *arguments])

    assert said in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())
