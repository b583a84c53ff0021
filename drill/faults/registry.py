"""Faults by name, so that any later process can build one from a journal and undo it."""

from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import entry_points

from drill.errors import DrillError
from drill.faults.contract import Fault
from drill.model import Json

GROUP = "drill.faults"


def arguments(fault: Fault) -> dict[str, Json]:
    """Return a fault's arguments as they go into plans and journals."""
    return {field.name: getattr(fault, field.name) for field in fields(fault)}  # type: ignore[arg-type]


def build(kind: str, args: Mapping[str, Json]) -> Fault:
    """Build a fault from its name and arguments.

    Raises:
        DrillError: No installed package offers that fault.

    """
    found = entry_points(group=GROUP, name=kind)
    if not found:
        msg = f"no fault {kind!r} is installed; install the plugin that made the run, then: drill runs"
        raise DrillError(msg)
    fault_class = next(iter(found)).load()
    # JSON has no tuples; faults declare sequences as tuples so that they stay hashable.
    whole = {name: tuple(value) if isinstance(value, list) else value for name, value in args.items()}
    fault: Fault = fault_class(**whole)
    return fault
