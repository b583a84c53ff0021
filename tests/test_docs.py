"""The documents name what is there, and nothing that is not."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from drill import catalogue, cli, errors, exit_codes, guard
from drill.faults.contract import Fault
from infra.deploy_stacks import waves
from tests.infra.deploylab import CONFIG

TREE = Path(__file__).resolve().parent.parent
README = (TREE / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (TREE / "CONTRIBUTING.md").read_text(encoding="utf-8")
GUARDS = (TREE / "docs" / "guards.md").read_text(encoding="utf-8")
MAKEFILE = (TREE / "Makefile").read_text(encoding="utf-8")


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Give every command below a group with the words that are typed for it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_command_is_in_the_readme_and_has_help() -> None:
    """A command that is not written down is one that nobody finds."""
    found = dict(commands(cli.group, "drill"))

    assert [typed for typed in found if f"`{typed}" not in README] == []
    assert [typed for typed, command in found.items() if not command.help] == []


def test_the_readme_names_no_command_that_is_not_there() -> None:
    """Everything after `drill` at the start of a code span is a command or a group of the program."""
    typed = set(re.findall(r"`drill ([a-z-]+)", README))
    context = click.Context(cli.group)

    assert typed <= set(cli.group.list_commands(context))


def test_the_stacks_of_the_architecture_are_those_that_are_deployed() -> None:
    """The table names every stack, where it is and in which wave it goes up."""
    page = (TREE / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d, ]+) \| `([a-z-]+)` \| ([a-z, ]+) \|", page, re.MULTILINE)
    listed = {
        (int(wave), name, place)
        for numbers, name, places in rows
        for wave, place in _paired(re.findall(r"\d+", numbers), re.findall("primary|standby|both", places))
    }
    regions = {"us-east-1": "primary", "us-west-2": "standby"}
    deployed = {
        (number, part.template, regions[part.region])
        for number, wave in enumerate(waves(CONFIG), 1)
        for part in wave
    }

    assert listed == deployed


def _paired(waves: list[str], places: list[str]) -> list[tuple[str, str]]:
    """Return each place with its wave; one wave is that of both places."""
    every = ["primary", "standby"] if places == ["both"] else places
    return list(zip(waves * len(every) if len(waves) == 1 else waves, every, strict=True))


def test_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    """The table in the README has every exit code with the meaning that `drill --help` gives."""
    table = dict(re.findall(r"^\| (\d+) \| (.+?) +\|$", README, re.MULTILINE))

    assert table == {str(code): meaning for code, meaning in exit_codes.MEANING.items()}


@pytest.mark.parametrize("document", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_make_target_named_is_there(document: str) -> None:
    """A document tells nobody to type `make` something that the Makefile does not have."""
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", document)) <= targets


def test_the_error_tree_is_drawn_whole() -> None:
    """Every error that a person can act on is in the tree of its module's docstring."""
    names = [name for name, thing in vars(errors).items() if isinstance(thing, type)]

    assert errors.__doc__
    assert [name for name in names if name not in errors.__doc__] == []


def test_every_guard_is_told_of_in_order() -> None:
    """The table of the guards has those that every drill asks, in the order in which they are told."""
    table = GUARDS.partition("| Guard |")[2].partition("\n\n")[0]
    assert [name for name, _ in guard.EVERY] == re.findall(r"^\| ([a-z][a-z-]+) \|", table, re.MULTILINE)


HEADINGS = ("breaks", "proves", "blast radius", "permissions", "costs", "report")


@pytest.mark.parametrize("name", [name for name in catalogue.names() if catalogue.is_own(name)])
def test_every_scenario_has_a_page_of_the_common_shape(name: str) -> None:
    """Whoever is about to break something finds, under these words, what they must know first."""
    folder = TREE / "docs" / "scenarios"
    page = (folder / f"{name}.md").read_text(encoding="utf-8")
    headings = " ".join(re.findall(r"^## (.+)$", page, re.MULTILINE))

    assert [words for words in HEADINGS if words not in headings.lower()] == []
    assert f"[{name}]({name}.md)" in (folder / "README.md").read_text(encoding="utf-8")


def test_every_link_between_documents_leads_somewhere() -> None:
    """A page that is linked to is there."""
    pages = [TREE / "README.md", TREE / "CONTRIBUTING.md", *(TREE / "docs").rglob("*.md")]
    links = {
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    }

    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_guide_shows_what_new_scenarios_begin_with() -> None:
    """The methods that its table names are those of a fault, and its commands those of the program."""
    guide = (TREE / "docs" / "writing-a-scenario.md").read_text(encoding="utf-8")
    methods = re.findall(r"^\| `([a-z_]+)` \|", guide, re.MULTILINE)
    context = click.Context(cli.group)

    assert [name for name in methods if not hasattr(Fault, name)] == []
    assert set(re.findall(r"^drill ([a-z-]+)", guide, re.MULTILINE)) <= set(cli.group.list_commands(context))
