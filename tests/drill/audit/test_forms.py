"""An audit as JSON and as JUnit XML, whatever AWS's texts are made of."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from drill.audit import forms, runner
from tests.drill.audit.plain import check, fails, tells

NASTY = 'a <b> & "c"\x00\x1b[31m\ud800 \U0001f600'


class _Target:
    name = "shop"


def test_junit_counts_found_and_not_evaluated() -> None:
    """One test for each check: found is a failure, not evaluated an error; any text is XML."""
    checks = [check("DX91", tells(NASTY)), check("DX92", fails(KeyError(NASTY))), check("DX93", tells())]
    system: Any = Path()
    target: Any = _Target()

    text = forms.as_junit(target, checks, runner.run(checks, system, 60))
    suite = ET.fromstring(text)  # noqa: S314 (it is ours)

    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    first, second, third = suite
    assert "<b> & " in (first[0].text or "")
    assert second[0].tag == "error"
    assert len(third) == 0


def test_json_says_whether_it_is_whole() -> None:
    """Findings, what was not evaluated, and the exit code stand in one object."""
    checks = [check("DX91", tells(NASTY)), check("DX92", fails(KeyError("x")))]
    system: Any = Path()
    target: Any = _Target()

    document = json.loads(forms.as_json(target, runner.run(checks, system, 60)))

    assert (document["complete"], document["exit_code"]) == (False, 2)
    assert [one["check"] for one in document["findings"]] == ["DX91"]
    assert [one["check"] for one in document["not_evaluated"]] == ["DX92"]
