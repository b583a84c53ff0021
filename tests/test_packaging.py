"""The lock, the metadata and the Makefile agree with one another."""

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from drill.audit.contract import Check
from drill.faults.contract import Fault
from drill.scenario import Scenario

TREE = Path(__file__).resolve().parent.parent
LOCK = (TREE / "constraints.txt").read_text(encoding="utf-8")
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ;]+)", re.MULTILINE)


def project() -> dict[str, Any]:
    """Return the project table of pyproject.toml."""
    with (TREE / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


def wanted() -> list[Requirement]:
    """Return every requirement that pyproject.toml names, those of the extras too, each once."""
    extras = project()["optional-dependencies"].values()
    lists = [project()["dependencies"], *extras]
    return sorted({Requirement(text) for texts in lists for text in texts}, key=str)


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_lock_satisfies_every_requirement(requirement: Requirement) -> None:
    """Every requirement has a pin in the lock, of a version that it allows."""
    versions = {
        pin["version"] for pin in PIN.finditer(LOCK) if pin["name"] == canonicalize_name(requirement.name)
    }

    assert versions
    assert all(requirement.specifier.contains(version) for version in versions)


def test_every_pin_has_a_hash() -> None:
    """No pin can be installed without its archive being checked."""
    blocks = re.split(r"\n(?=\S)", LOCK)
    pins = [block for block in blocks if PIN.match(block)]

    assert len(pins) > len(wanted())
    assert [block for block in pins if "--hash=sha256:" not in block] == []


def test_lock_names_no_place() -> None:
    """Where packages come from is the installer's business: no host, no index, no folder."""
    assert not re.search(r"://|index-url|find-links|trusted-host|@ ", LOCK)


@pytest.mark.parametrize(
    ("group", "kind", "attribute"),
    [("drill.scenarios", Scenario, "name"), ("drill.faults", Fault, "kind"), ("drill.audits", Check, "id")],
)
def test_plugins_answer_to_their_names(group: str, kind: type, attribute: str) -> None:
    """Every entry point of ours loads to a plugin of the right kind that bears the same name."""
    declared = project()["entry-points"][group]
    found = {entry.name: entry for entry in entry_points(group=group)}

    assert declared == {name: found[name].value for name in declared}
    for name in declared:
        plugin = found[name].load()
        assert issubclass(plugin, kind)
        assert getattr(plugin, attribute) == name


def test_every_target_of_make_has_help() -> None:
    """`make` alone lists every target that a person may type."""
    makefile = (TREE / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE)
    helped = re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE)

    assert sorted(phony) == sorted(helped)
