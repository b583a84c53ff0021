"""``make bench``: run every benchmark and write docs/benchmarks.md; with names only those, to the screen."""

import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from bench import accuracy, drills, rates, startup, volume
from bench.running import TREE, Table

from drill import clock

ALONE: dict[str, Callable[[], Table]] = {
    "startup": startup.measured,
    "rates": rates.measured,
    "accuracy": accuracy.measured,
    "volume": volume.measured,
}
ON_A_LAB: dict[str, Callable[[drills.Lab], Table]] = {
    "overhead": drills.overhead,
    "memory": drills.memory,
    "rescue": drills.rescue,
}


def main(names: list[str]) -> None:
    """Run what is named, or everything."""
    unknown = set(names) - ALONE.keys() - ON_A_LAB.keys()
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join((*ALONE, *ON_A_LAB))}")
    wanted = names or [*ALONE, *ON_A_LAB]
    tables = [told(ALONE[name]()) for name in wanted if name in ALONE]
    on_a_lab = [name for name in wanted if name in ON_A_LAB]
    if on_a_lab:
        with drills.lab() as place:
            tables += [told(ON_A_LAB[name](place)) for name in on_a_lab]
    if not names:
        page = TREE / "docs" / "benchmarks.md"
        page.write_text("\n".join([_head(), *(table.markdown() for table in tables)]), encoding="utf-8")
        print(f"written: {page.relative_to(TREE)}")


def told(table: Table) -> Table:
    """Show a table as soon as it is there."""
    print(table.markdown(), flush=True)
    return table


def _head() -> str:
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in cpu if line.startswith("model name")), "unknown")
    machine = f"{os.cpu_count()} cores ({model}), Linux {platform.release().split('-')[0]}"
    programs = f"Python {platform.python_version()}, drill {version('drill')}"
    return f"""# Benchmarks

Written by `make bench`; the tables are its output. Clients, endpoint and lab share the same cores, so
read ratios within a table and not the figures alone.

- {clock.now().wall[:10]}, {machine}, {programs}.
- Peers, from PyPI, each in an environment of its own (`tools/bench/*.txt` are their locks):
  {", ".join(_peers())}.
"""


def _peers() -> list[str]:
    pins = (TREE / "tools" / "bench" / "plugins.txt", TREE / "tools" / "bench" / "peers.txt")
    lines = [line for path in pins for line in path.read_text(encoding="utf-8").splitlines()]
    named = ("chaostoolkit==", "chaostoolkit-aws==", "chaostoolkit-reporting==", "locust==")
    found = {line.split()[0].replace("==", " ") for line in lines if line.startswith(named) and _holds(line)}
    return sorted(found)


def _holds(pin: str) -> bool:
    """Say whether a pin is for this Python."""
    if "python_full_version" not in pin:
        return True
    return ("< '3.12'" in pin) is (sys.version_info < (3, 12))


if __name__ == "__main__":
    main(sys.argv[1:])
