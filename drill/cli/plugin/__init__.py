"""Writes the package of a new scenario from the templates beside this file."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from drill import catalogue
from drill.errors import UsageError

_SUFFIX = ".txt"


def write(name: str, folder: Path) -> Path:
    """Write a plugin package into a new folder, and return that.

    Raises:
        UsageError: The name is none for a scenario, or is taken; the folder is there or can't be made.

    """
    catalogue.check_name(name)
    if name in catalogue.names():
        msg = f"scenario {name!r} is installed already; choose another name; see: drill scenarios"
        raise UsageError(msg)
    if folder.exists():
        msg = f"{folder} is there already; write elsewhere with: --out DIR"
        raise UsageError(msg)
    words = _words(name)
    try:
        _copy(files("drill.cli.plugin") / "template", folder, words)
        (folder / "src" / words["module"]).mkdir()
        for file in (folder / "src").glob("*.*"):
            file.rename(folder / "src" / words["module"] / file.name)
    except OSError as problem:
        msg = f"{folder} can't be written: {problem.strerror}; write elsewhere with: --out DIR"
        raise UsageError(msg) from problem
    return folder


def _words(name: str) -> dict[str, str]:
    """Return what stands for what in the templates."""
    class_name = "".join(part.capitalize() for part in name.split("-"))
    return {
        "name": name,
        "module": f"drill_{name.replace('-', '_')}",
        "scenario": class_name if class_name[0].isalpha() else f"Drill{class_name}",
    }


def _copy(template: Traversable, folder: Path, words: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for entry in template.iterdir():
        if entry.is_dir():
            _copy(entry, folder / entry.name, words)
        else:
            text = Template(entry.read_text(encoding="utf-8")).substitute(words)
            (folder / entry.name.removesuffix(_SUFFIX)).write_text(text, encoding="utf-8")
