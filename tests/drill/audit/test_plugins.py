"""Checks of other packages: found, asked, and when they are broken, named."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from drill import clock
from drill.audit import before, catalogue, runner
from drill.audit.contract import Check, Found, Part
from drill.audit.reads import Reads
from drill.audit.system import System
from drill.cli import outcome_of
from drill.model import AuditFinding, History, Severity
from drill.testing.made_up import made_up_target
from tests.drill.audit.plain import check, tells
from tests.infra.deploylab import quick_control_plane
from tests.infra.lab.planelab import EAST, WEST

GUIDE = (Path(__file__).parents[3] / "docs" / "writing-an-audit-check.md").read_text(encoding="utf-8")


class Plain(Check):
    """A check that says all that it must, and finds nothing."""

    id: ClassVar = "ACME01"
    title: ClassVar = "Something is wrong"
    why: ClassVar = "It matters."
    severity: ClassVar = Severity.NOTE
    mend: ClassVar = "mend it"
    source: ClassVar = ("https://docs.aws.amazon.com/",)
    calls: ClassVar = ()

    def parts(self, system: System) -> Iterator[Part]:
        """Yield nothing."""
        yield from ()


class Loose:
    """No check."""

    id = "ACME01"


class Silent(Plain):
    """It does not say how to mend what it finds."""

    mend: ClassVar = ""


class Blind(Check):
    """It looks at nothing."""

    id: ClassVar = Plain.id
    title: ClassVar = Plain.title
    why: ClassVar = Plain.why
    severity: ClassVar = Plain.severity
    mend: ClassVar = Plain.mend
    source: ClassVar = Plain.source


class Renamed(Plain):
    """Its entry point calls it something else."""

    id: ClassVar = "ACME02"


class Unmade(Plain):
    """It can't be made."""

    def __init__(self) -> None:
        """Fail."""
        msg = "no\nluck"
        raise RuntimeError(msg)


@dataclass
class _Told:
    """Hears what is said before a drill."""

    lines: list[str]

    def phase(self, name: str, detail: str = "") -> None:
        """Hear nothing of it."""

    def seen(self, history: History) -> None:
        """Hear nothing of it."""

    def said(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)


BROKEN = [
    (
        "acme_never_written:Absent",
        "can't be loaded: ModuleNotFoundError: No module named 'acme_never_written'",
    ),
    (f"{__name__}:Absent", "can't be loaded: AttributeError"),
    (f"{__name__}:Unmade", "can't be loaded: RuntimeError: no luck"),
    (f"{__name__}:Loose", "is no subclass of drill.audit.contract.Check"),
    (f"{__name__}:Silent", "does not declare mend"),
    (f"{__name__}:Blind", "does not declare what it looks at"),
    (f"{__name__}:Renamed", "calls itself 'ACME02'"),
]


def _install(folder: Path, value: str) -> None:
    """Write what ``pip`` would write of a package with this plugin."""
    written = folder / "acme_checks-1.dist-info"
    written.mkdir(parents=True)
    (written / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-checks\nVersion: 1\n")
    (written / "entry_points.txt").write_text(f"[drill.audits]\nACME01 = {value}\n")


def _install_broken(folder: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    _install(folder, value)
    monkeypatch.syspath_prepend(folder)


@pytest.mark.parametrize(("value", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_a_broken_plugin_is_named_with_its_package(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: str,
    said: str,
) -> None:
    """One line says what is wrong with it and how to be rid of it, and the exit code is 64."""
    _install_broken(tmp_path, monkeypatch, value)

    code = outcome_of(["audit", "--list"])

    told = capsys.readouterr().err
    assert code == 64
    assert f"audit plugin ACME01 ({value}) of package acme-checks {said}" in told
    assert "pip uninstall acme-checks" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("value", [BROKEN[0][0], BROKEN[4][0]], ids=["not importable", "says too little"])
def test_a_broken_plugin_stops_no_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The audit before a drill lists it as not evaluated, and all other checks are asked."""
    _install_broken(tmp_path, monkeypatch, value)
    nobody = made_up_target().model_copy(update={"endpoint_url": "http://127.0.0.1:1"})
    told = _Told([])

    audit = before.look(nobody, tmp_path, told)

    assert [one for one in audit.unevaluated if one.startswith("ACME01 its plugin: audit plugin ACME01")]
    assert [one for one in audit.unevaluated if one.startswith("DR05 ")]
    assert "parts could not be looked at" in told.lines[-1]


def test_a_check_that_can_not_say_what_it_looks_at_is_listed() -> None:
    """Nor does one that fails over what the others found: the others are evaluated."""

    class Lost(Plain):
        def parts(self, system: System) -> Iterator[Part]:
            raise LookupError(self.id)

        def conclude(self, findings: Sequence[AuditFinding]) -> Iterator[Found]:
            raise LookupError(self.id)

    system: Any = None
    audited = runner.run([Lost(), check("DX90", tells("a"))], system, 60)

    assert [one.what for one in audited.findings] == ["a"]
    assert [one.check for one in audited.unevaluated] == ["ACME01", "ACME01"]
    assert all("LookupError: ACME01; tell whoever wrote it" in one.why for one in audited.unevaluated)


def test_the_check_of_the_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written and installed as it says, it is found, finds what it is for, and asks what it declares."""
    (code,) = re.findall(r"```python\n(.+?)```", GUIDE, re.DOTALL)
    (value,) = re.findall(r'^ACME01 = "(.+)"$', GUIDE, re.MULTILINE)
    (tmp_path / "acme_checks.py").write_text(code, encoding="utf-8")
    _install(tmp_path, value)
    monkeypatch.syspath_prepend(tmp_path)
    target = made_up_target()

    with quick_control_plane() as lab:
        for region, protected in ((EAST, True), (WEST, False)):
            lab.client("dynamodb", region).create_table(
                TableName=target.table.name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                DeletionProtectionEnabled=protected,
            )
        reads = Reads(lab.aws)
        at = datetime.fromisoformat(clock.now().wall)
        (found,) = catalogue.chosen(["ACME01"])
        audited = runner.run([found], System(target, reads, at, tmp_path, 90), 60)

    assert [one.where for one in audited.findings] == [f"table orders in {WEST}"]
    assert audited.unevaluated == ()
    assert reads.made["ACME01"] == set(found.calls)
