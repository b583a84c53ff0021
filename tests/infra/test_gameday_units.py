"""What starts the scheduler of game days: the units and the container file name commands that there are."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from drill.cli import group

TREE = Path(__file__).parents[2]
UNITS = TREE / "infra" / "gameday"
SERVICES = sorted(UNITS.glob("*.service"))
CONTAINER = (UNITS / "Containerfile").read_text(encoding="utf-8")


def started(unit: Path) -> list[str]:
    """Return what a unit starts."""
    (command,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    return shlex.split(command)


def parsed(words: list[str]) -> click.Context:
    """Parse a command as it would be typed; what is no command, option or argument of it raises."""
    command: click.Command = group
    parent = None
    while isinstance(command, click.Group):
        parent = click.Context(command, parent=parent)
        found = command.get_command(parent, words[0])
        assert found is not None, words
        command, words = found, words[1:]
    return command.make_context(command.name, words, parent=parent)


def container(word: str) -> list[str]:
    """Return the list after a word of the container file."""
    (found,) = re.findall(rf"^{word} (\[.+\])$", CONTAINER, re.MULTILINE)
    listed: list[str] = json.loads(found)
    return listed


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_there_is(unit: Path) -> None:
    """Each option exists, and all that it writes is under the unit's own folder of state."""
    program, *words = started(unit)

    given = parsed(words).params

    assert "drill" == Path(program).name
    for name in ("days_root", "root"):
        assert given[name].is_relative_to("/var/lib/drill")
    assert "StateDirectory=drill\n" in unit.read_text(encoding="utf-8")


def test_the_container_starts_a_command_that_there_is() -> None:
    """Its health is asked where the scheduler answers, and its folders are on the volume."""
    program, *words = container("ENTRYPOINT")

    given = parsed([*words, *container("CMD")]).params

    assert "drill" == program
    assert f"http://{given['health']}/health" in CONTAINER
    assert given["root"].is_relative_to("/var/lib/drill")
    assert "VOLUME /var/lib/drill\n" in CONTAINER
    (name, value), *_ = re.findall(r"^ENV (\w+)=(.+)$", CONTAINER, re.MULTILINE)
    assert name in {one.envvar for one in parsed(["gameday", "history"]).command.params}
    assert value.startswith("/var/lib/drill/")


def test_the_container_takes_what_the_program_is_made_of() -> None:
    """All packages and what their build reads are copied in; the rest of a tree in use stays out."""
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    read = ["pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]]

    copied = [word for line in re.findall(r"^COPY (.+)$", CONTAINER, re.MULTILINE) for word in line.split()]

    assert {*packages, *read} == {word for word in copied if not word.startswith("/")}


def test_the_stop_is_longer_than_systemds_own() -> None:
    """A drill that is going is rolled back first, and nothing of it is told to end before its scheduler."""
    for unit in SERVICES:
        text = unit.read_text(encoding="utf-8")
        assert "KillMode=mixed\n" in text
        assert "TimeoutStopSec=30min\n" in text


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give the units as they are where the program is installed."""
    program = tmp_path / "drill"
    program.symlink_to(sys.executable)
    for unit in UNITS.iterdir():
        if unit.suffix in {".service", ".timer"}:
            text = unit.read_text(encoding="utf-8").replace("/opt/drill/bin/drill", str(program))
            (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
@pytest.mark.parametrize(
    "name", ["drill-gameday.service", "drill-gameday-tick.service", "drill-gameday-tick.timer"]
)
def test_systemd_takes_the_units(installed: Path, name: str) -> None:
    """``systemd-analyze verify`` knows every key, and finds what a unit starts."""
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(installed / name)],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{installed}:", "PATH": "/usr/bin:/bin"},
    )

    said = (verified.stdout + verified.stderr).splitlines()
    assert [] == [line for line in said if "drill-gameday" in line]
    assert 0 == verified.returncode, said
