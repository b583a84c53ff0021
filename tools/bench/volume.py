"""A million observations from store to page, and the bytes that one takes beside Chaos Toolkit's journal."""

import json
import sys
import tempfile
from pathlib import Path

from bench.running import JOURNAL, TREE, Table, chaos_hypothesis, endpoint, ran

MILLION = TREE / "tools" / "million.py"
SECONDS, RATE = 10.0, 100


def measured() -> Table:
    """Return what measuring and rendering took, and what is kept of one observation."""
    rows = [_drill("drill, a region outage"), _drill("drill, writes of the ledger alone", "--writes")]
    rows.append(_chaos())
    how = (
        "A drill of a million observations, as another process finds it: from the store to measurements, "
        "verdict and record, and from those to the finished page. Chaos Toolkit's continuous hypothesis "
        f"kept its results of {SECONDS:g} s at {RATE}/s in its journal; its report is another program's."
    )
    heads = (
        "client",
        "observations",
        "measure, s",
        "render, s",
        "memory, MB",
        "page, MB",
        "bytes an observation",
    )
    return Table("Many observations", how, heads, tuple(rows))


def _drill(name: str, *arguments: str) -> tuple[str, ...]:
    told = json.loads(ran([sys.executable, MILLION, "--json", *arguments]).printed)
    return (
        name,
        f"{told['observations']:,}",
        f"{told['measured_s']:.1f}",
        f"{told['rendered_s']:.1f}",
        f"{told['peak_mb']:.0f}",
        f"{told['report_mb']:.2f}",
        f"{told['bytes_an_observation']:.0f}",
    )


def _chaos() -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as name, endpoint() as place:
        folder = Path(name)
        chaos_hypothesis(folder, place, RATE, SECONDS)
        text = (folder / JOURNAL).read_text(encoding="utf-8")
        kept = len(json.loads(text)["steady_states"]["during"])
    return ("Chaos Toolkit", f"{kept:,}", "-", "-", "-", "-", f"{len(text.encode()) / kept:.0f}")
