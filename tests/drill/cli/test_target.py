"""``drill target``: what a person types, and what comes back."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from drill import target
from drill.cli import outcome_of
from drill.cli.target import command
from tests.drill.test_target_outputs import WANTED, flat

PUBLISHED = Path(__file__).parents[3] / "docs" / "schemas" / "target.json"


def _outputs(tmp_path: Path) -> str:
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(flat(WANTED)), encoding="utf-8")
    return str(path)


def test_init_writes_a_file_that_loads(tmp_path: Path) -> None:
    """What ``init`` writes is a target file, and the way on is named."""
    out = tmp_path / "target.yaml"

    told = CliRunner().invoke(command, ["init", _outputs(tmp_path), "--out", str(out)])

    assert told.exit_code == 0
    assert f"drill target check --target {out}" in told.output
    assert target.load(out).primary.vpc_id == "vpc-us-east-1"


def test_init_reads_standard_input(tmp_path: Path) -> None:
    """A pipe from the tool will do."""
    out = tmp_path / "target.yaml"

    told = CliRunner().invoke(command, ["init", "-", "--out", str(out)], input=json.dumps(WANTED))

    assert told.exit_code == 0
    assert target.load(out).name == "orders"


def test_init_writes_over_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is there stays as it is until told otherwise."""
    out = tmp_path / "target.yaml"
    out.write_text("mine", encoding="utf-8")
    arguments = ["target", "init", _outputs(tmp_path), "--out", str(out)]

    assert outcome_of(arguments) == 64
    assert out.read_text(encoding="utf-8") == "mine"
    assert "--force" in capsys.readouterr().err
    assert outcome_of([*arguments, "--force"]) == 0
    assert target.load(out).name == "orders"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a file of outputs"),
        (["absent.json"], "No such file"),
        (["-", "--stack", "us-east-1:x"], "give a file of outputs"),
        (["--stack", "orders"], "write it as REGION:NAME"),
        (["-", "--set", "primary.vpc_id"], "write it as KEY=VALUE"),
    ],
)
def test_init_refuses_bad_input(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad input ends with 64 and one line, and nothing is written."""
    out = tmp_path / "target.yaml"

    assert outcome_of(["target", "init", *arguments, "--out", str(out)]) == 64

    assert said in capsys.readouterr().err
    assert not out.exists()


def test_the_published_schema_is_the_present_one() -> None:
    """Editors are told what the program takes; ``drill target schema`` writes it anew."""
    printed = CliRunner().invoke(command, ["schema"]).output

    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == json.loads(printed)
