"""The tool that measures and renders a drill of a million observations."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent.parent / "tools" / "million.py"


@pytest.mark.parametrize("only", [(), ("--writes",)])
def test_a_small_one_is_measured_and_rendered(tmp_path: Path, only: tuple[str, ...]) -> None:
    """What it says is there: all observations, a record, a page, and fewer bytes than the peer."""
    command = [sys.executable, str(TOOL), "--count", "6000", "--json", "--keep", str(tmp_path), *only]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    (folder,) = tmp_path.iterdir()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert told["observations"] == 6000
    assert told["writes"] > (2000 if only else 200)
    assert told["bytes_an_observation"] < 977 / 4
    assert told["report_mb"] * 1e6 == pytest.approx(len(page.encode()))
    assert "9 of" in page or only
