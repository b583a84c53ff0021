"""The command line: bad input is one line that names the next command, and nothing is touched."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from drill import runs
from drill.cli import outcome_of
from tests.drill.test_target import make_document


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every command in an empty folder, so that what it leaves behind shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRILL_TARGET", raising=False)


def left(folder: Path) -> list[str]:
    """Return what a command left in the folder."""
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "region-otage"], "did you mean region-outage"),
        (["run", "quite-another"], "list them with: drill scenarios"),
        (["run", "region-outage", "--blackot"], "Did you mean '--blackout'?"),
        (["run", "region-outage", "--rto", "soon"], "see: drill run region-outage --help"),
        (["run", "region-outage", "--rto", "-1"], "objective rto-s: Input should be greater than 0"),
        (["run", "region-outage", "--rpo-writes", "-1"], "objective rpo-writes: "),
        (["run", "region-outage", "--target", "none.yaml"], "can't be read"),
        (["run", "region-outage", "--profile", "slow"], "no lab profile 'slow': it is one of fast, aws"),
        (["run", "region-outage", "--lag-s", "-1"], "parameter of region-outage lag-s: "),
        (["run", "region-outage", "--lag-s", "inf"], "parameter of region-outage lag-s: "),
        (["plan", "region-outage"], "a plan needs a target file: --target FILE"),
        (["plan", "region-outage", "--target", "none.yaml"], "can't be read"),
        (["recover", "20260101t000000-none-0000"], "list them with: drill runs"),
        (["recover", "a", "b"], "see: drill recover --help"),
        (["report", "nothing"], "no run 'nothing'"),
        (["report"], "no run 'latest'"),
        (["lab", "status"], "no lab is up in .drill/lab; start one with: drill lab up"),
        (["lab", "down"], "no lab is up in .drill/lab; start one with: drill lab up"),
        (["lab", "up", "--profile", "slow"], "no lab profile 'slow'"),
        (["lab", "up", "--port", "80"], "80 is not in the range"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad input ends with 64 and one line on standard error; no file is made."""
    code = outcome_of(arguments)
    printed = capsys.readouterr()

    assert 64 == code
    assert said in printed.err
    assert 1 == len(printed.err.splitlines())
    assert "drill " in printed.err.removeprefix("drill: ")
    assert [] == left(tmp_path)


def test_a_wrong_key_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An invalid target file is refused with the key and what was expected."""
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(make_document(account=7)), encoding="utf-8")

    code = outcome_of(["run", "region-outage", "--target", "target.yaml"])

    assert 64 == code
    assert "target file target.yaml: account: " in capsys.readouterr().err
    assert [] == [name for name in left(tmp_path) if name not in {"target.yaml", "runs"}]
    assert [] == list(runs.folders(tmp_path / "runs"))


def test_a_target_that_does_not_answer_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A guard that can't be evaluated refuses, with 4; no run is made."""
    timing = {"api_timeout_s": 0.2}
    document = make_document(endpoint_url="http://127.0.0.1:9", disposable=True, timing=timing)
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    code = outcome_of(["run", "region-outage", "--target", "target.yaml"])

    assert 4 == code
    assert "could not be evaluated" in capsys.readouterr().err
    assert [] == [name for name in left(tmp_path) if name not in {"target.yaml", "runs"}]
    assert [] == list(runs.folders(tmp_path / "runs"))


def test_what_is_not_disposable_must_be_confirmed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its name typed back, a system that is not disposable is not touched."""
    document = make_document(endpoint_url="http://127.0.0.1:9", timing={"api_timeout_s": 0.2})
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    code = outcome_of(["run", "region-outage", "--target", "target.yaml", "--confirm", "order"])

    assert 4 == code
    assert "type its name back: --confirm orders" in capsys.readouterr().err


def test_plan_shows_what_is_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan names the resource, the calls and what is watched, and touches nothing."""
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(make_document()), encoding="utf-8")

    code = outcome_of(["plan", "region-outage", "--target", "target.yaml", "--rto", "30"])
    page = capsys.readouterr().out

    assert 0 == code
    for shown in ("health check check-us-east-1", "route53:UpdateHealthCheck (inject, undo)", "at most 30 s"):
        assert shown in page
    assert [] == [name for name in left(tmp_path) if name not in {"target.yaml", "runs"}]
    assert [] == list(runs.folders(tmp_path / "runs"))


def test_plan_as_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Machines read the whole plan."""
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(make_document()), encoding="utf-8")

    outcome_of(["plan", "region-outage", "--blackout", "--target", "target.yaml", "--json"])

    names = [step["name"] for step in json.loads(capsys.readouterr().out)["steps"]]
    assert ["own-network-acl", "cut-network"] == names


def test_help_imports_nothing_heavy() -> None:
    """``drill --help`` loads neither boto3 nor pydantic nor a scenario: it must be instant."""
    program = (
        "import sys\nsys.argv = ['drill', '--help']\nfrom drill.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'boto3', 'pydantic', 'jinja2', 'pycurl', 'scenarios'}\n"
        "    print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "[]" == ended.stdout.splitlines()[-1]


def test_a_bug_is_no_breach(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An internal error shows its traceback and ends with 70, never with 1, which means breached."""
    from drill import cli

    def broken(_arguments: list[str]) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "outcome_of", broken)

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert 70 == ended.value.code
    assert "ZeroDivisionError" in capsys.readouterr().err
