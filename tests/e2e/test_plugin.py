"""A plugin made by ``drill scenarios new`` is installed by pip, found, run, and conforms."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.e2e.conftest import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NAME = "cache-loss"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment that has drill, and in which the plugin is installed by pip."""
    place = tmp_path_factory.mktemp("plugin")
    new = [sys.executable, "-m", "drill", "scenarios", "new", NAME, "--out", str(place / "made")]
    subprocess.run(new, check=True, capture_output=True)
    environment = place / "environment"
    venv.create(environment, with_pip=True)
    (packages,) = (environment / "lib").glob("python*/site-packages")
    # All that is installed here is seen there, as if it were installed there.
    here = sysconfig.get_path("purelib")
    (packages / "drill-from-here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    python = environment / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--no-input"]
    subprocess.run([*pip, "--no-index", "--no-build-isolation", str(place / "made")], check=True, cwd="/")
    return python


def drill(python: Path, *arguments: str) -> str:
    """Type a command in that environment, from another folder; return what it printed."""
    command = [str(python), "-m", "drill", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    return ended.stdout


def test_it_appears(python: Path) -> None:
    """It is listed among the others, with its parameter, and shown with the package that it is from."""
    listed = drill(python, "scenarios")
    shown = drill(python, "scenarios", "show", NAME)

    assert f"{NAME}: A name that nobody asks for" in listed
    assert "region-outage: " in listed
    assert "--label: First part of the name" in listed
    assert f"From: drill-{NAME} 0.1.0 (drill_cache_loss.scenario:CacheLoss)" in shown
    assert "Breaks with:\n  cache-loss-record" in shown


def test_it_conforms_and_runs(python: Path, lab: Lab) -> None:
    """Its own tests, as they were written: the conformance suite, and a whole drill that is met."""
    before = lab.fingerprint()
    made = python.parent.parent.parent / "made"

    ended = subprocess.run(
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", "-q", "-n0", "-p", "no:randomly", str(made)],
        capture_output=True,
        text=True,
        check=False,
        cwd=made,
        env={**os.environ, "DRILL_TARGET": str(lab.target_path)},
    )

    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert "8 passed" in ended.stdout
    assert before == lab.fingerprint()
