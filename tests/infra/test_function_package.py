"""The function's package: the same bytes every time, and all that the handler needs."""

import io
import os
import re
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

from drill.errors import DrillError
from infra.function_package import DISTRIBUTIONS, HANDLER, application


def test_the_package_is_the_same_every_time() -> None:
    """The same sources give the same bytes, so that an unchanged function is not deployed again."""
    first, second = application(), application()
    assert (first.archive, first.key, first.sha256) == (second.archive, second.key, second.sha256)


def test_the_package_holds_the_application_and_its_libraries(tmp_path: Path) -> None:
    """With nothing but the package on its path, Python finds the handler and the database driver."""
    package = application()
    with zipfile.ZipFile(io.BytesIO(package.archive)) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert {
        f"infra/app/{item.name}" for item in files("infra.app").iterdir() if item.name.endswith(".py")
    } <= set(names)
    assert not [name for name in names if name.endswith(".pyc") or name.startswith(("/", ".."))]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import pg8000.native, infra.app.orders, infra.app.login_rotation\n"
        "assert pg8000.__file__.startswith(sys.argv[1]), pg8000.__file__\n"
        "assert infra.app.orders.__file__.startswith(sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code, str(tmp_path)], check=True, timeout=60)


def test_every_handler_that_a_template_names_is_in_the_package(tmp_path: Path) -> None:
    """Service, rotation and canary come in the one package, and Python finds each one's function."""
    handlers, settings = {HANDLER}, set()
    for template in (files("infra") / "stacks").iterdir():
        text = template.read_text(encoding="utf-8")
        handlers |= set(re.findall(r"^ +Handler: (infra\.\S+)$", text, re.MULTILINE))
        settings |= set(re.findall(r"^ +([A-Z][A-Z_]+): ", text, re.MULTILINE))
    assert len(handlers) == 3
    with zipfile.ZipFile(io.BytesIO(application().archive)) as archive:
        archive.extractall(tmp_path)
    code = (
        "import importlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "for handler in sys.argv[2:]:\n"
        "    module, _, function = handler.rpartition('.')\n"
        "    found = importlib.import_module(module)\n"
        "    assert found.__file__.startswith(sys.argv[1]), found.__file__\n"
        "    assert callable(getattr(found, function)), handler\n"
    )
    # What Lambda and the templates set; the functions read it when they are loaded. A 1 is text and number.
    regions = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**os.environ, **regions, **dict.fromkeys(settings, "1")}
    command = [sys.executable, "-I", "-c", code, str(tmp_path), *sorted(handlers)]
    subprocess.run(command, check=True, timeout=60, env=environment)


def test_the_package_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is not installed is a one-line error with the command that installs it."""
    monkeypatch.setattr("infra.function_package.DISTRIBUTIONS", (*DISTRIBUTIONS, "no-such-library"))
    with pytest.raises(DrillError, match=r"no-such-library is not installed; install it with: pip install"):
        application()
