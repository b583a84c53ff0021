"""Measures and renders a drill of a million observations, and says what that took.

    python tools/million.py [--count 1000000] [--writes] [--keep FOLDER] [--json]

The observations are those of a region outage as its probes would see it, at about a thousand
attempts a second, with the details of real ones, added a batch every 50 ms as the sampler does.
What is timed is another process that knows nothing but the run's folder: from the store to
measurements, verdict and record, and from the store and the record to the finished page. With
``--writes`` all of them are writes of the ledger, each looked for in four readings.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TREE))

from million_world import WEST, World, batches, target  # noqa: E402 (beside this file)

from drill import plan, runs  # noqa: E402
from drill import record as records  # noqa: E402
from drill.assemble import Happened, record  # noqa: E402
from drill.clock import Instant  # noqa: E402
from drill.model import Goodness, LedgerRead, LedgerRow  # noqa: E402
from drill.observations import Store  # noqa: E402
from drill.order import Order  # noqa: E402
from drill.record import Action  # noqa: E402
from drill.watch import Watch  # noqa: E402
from reports import render  # noqa: E402
from scenarios.region_outage import WRITER, RegionOutage, RegionOutageParams  # noqa: E402

RUN = "20260101t000000-region-outage-0000"
LOST = 9
WALL = "2026-01-01T00:00:00.000000+00:00"
# What a report of a million may cost on a quiet machine; with writes alone it may take longer.
MOST_S, MOST_MB, MOST_REPORT_MB = 10, 500, 2
PROBES = RegionOutage().probes(target(), RegionOutageParams(blackout=True))
ALL = tuple(spec.name for spec in PROBES)


@dataclass(frozen=True, slots=True)
class Took:
    """What it took.

    Attributes:
        observations: How many there were.
        writes: Acknowledged writes that were looked for in each of four readings.
        measured_s: From the store to measurements, verdict and record.
        rendered_s: From the store and the record to the page.
        peak_mb: The most memory that the process held.
        bytes_an_observation: In the store, details and all.
        report_mb: The page.

    """

    observations: int
    writes: int
    measured_s: float
    rendered_s: float
    peak_mb: float
    bytes_an_observation: float
    report_mb: float


def main() -> None:
    """Make the run, and have another process measure and render it."""
    parser = argparse.ArgumentParser(description="Measure and render a drill of a million observations.")
    parser.add_argument("--count", type=int, default=1_000_000, help="how many observations")
    parser.add_argument("--writes", action="store_true", help="only writes of the ledger")
    parser.add_argument("--keep", type=Path, help="leave the run in this folder")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--timed", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.timed:
        print(json.dumps(asdict(timed(chosen.timed))))
        return
    with tempfile.TemporaryDirectory(prefix="drill-million-") as name:
        folder = (chosen.keep or Path(name)) / RUN
        folder.mkdir(parents=True)
        make(folder, chosen.count, (WRITER,) if chosen.writes else ALL)
        command = [sys.executable, __file__, "--timed", str(folder)]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    if chosen.json:
        print(told.strip())
        return
    took = Took(**json.loads(told))
    for key, value in asdict(took).items():
        print(f"{key:24} {value:>14,.2f}" if isinstance(value, float) else f"{key:24} {value:>14,}")
    quick = chosen.writes or took.measured_s + took.rendered_s < MOST_S
    if not (quick and took.peak_mb < MOST_MB and took.report_mb < MOST_REPORT_MB):
        sys.exit(f"more than {MOST_S} s, {MOST_MB} MB of memory or {MOST_REPORT_MB} MB of a page")


def make(folder: Path, count: int, names: Collection[str]) -> None:
    """Write the store of a drill of so many observations of some probes."""
    specs = [spec for spec in PROBES if spec.name in names]
    world = World(count / sum(1 / spec.interval_s for spec in specs))
    kept: list[tuple[int, LedgerRow]] = []
    with Store.create(folder / runs.OBSERVATIONS) as store:
        for batch in batches(world, specs, count):
            store.add(batch)
            kept += [
                (one.done_ns or 0, LedgerRow(one.number, str(one.detail["nonce"])))
                for one in batch
                if one.probe == "writer" and one.goodness is Goodness.GOOD
            ]
        for occasion, at_ns in (("cutover", world.recovered_ns), ("resumed", world.settled_ns)):
            there = [row for done_ns, row in kept if done_ns < at_ns]
            if occasion == "cutover":
                before = sum(1 for done_ns, _ in kept if done_ns < world.dark_ns)
                del there[before - LOST : before]
            for name in ("aurora", "dynamodb"):
                store.add_ledger(LedgerRead(name, occasion, at_ns, at_ns + 900_000_000, WEST, there))
    (folder / "lasts_s").write_text(str(world.lasts_s))


def timed(folder: Path) -> Took:
    """Measure, judge and render what is in a folder."""
    chosen = RegionOutageParams(blackout=True)
    order = Order(
        RegionOutage(),
        chosen,
        plan.make(RegionOutage(), chosen, target()),
        folder.parent,
        "",
        "bench",
        "bench",
    )
    world = World(float((folder / "lasts_s").read_text()))
    begun = time.perf_counter()
    with Store.open(folder / runs.OBSERVATIONS) as store:
        watch = Watch(store, order.plan.probes, world.marks())
        watch.ledgers = store.ledgers()
        history = watch.last()
        finished = record(order, happened(folder.name, world), history)
        records.write(finished, folder / runs.RECORD)
        observations = sum(map(len, history.observations.values()))
    measured_s = time.perf_counter() - begun
    del history, watch
    begun = time.perf_counter()
    page = render.write(folder)
    return Took(
        observations=observations,
        writes=finished.measured.ledgers[-1].acknowledged,
        measured_s=measured_s,
        rendered_s=time.perf_counter() - begun,
        peak_mb=peak_mb(),
        bytes_an_observation=(folder / runs.OBSERVATIONS).stat().st_size / observations,
        report_mb=page.stat().st_size / 1e6,
    )


def happened(run_id: str, world: World) -> Happened:
    """Return what the engine would know."""
    marks = world.marks()
    injected, undone = marks.injected, marks.undone
    assert injected is not None and undone is not None  # noqa: PT018 (the world's are there)
    cut = Action(
        "cut-network", "network-blackout", "Cut the network", "injected", injected.earliest_ns,
        injected.latest_ns, "undone", undone.earliest_ns, undone.latest_ns,
    )  # fmt: skip
    ended = Instant(world.at_ns(1.0), WALL)
    return Happened(
        run_id=run_id,
        started=Instant(marks.probes_started_ns, WALL),
        ended=ended,
        versions={},
        steady_before=True,
        took_effect=True,
        failed="",
        recovery_failed="",
        stopped_by="",
        interrupted=False,
        actions=(cut,),
        rolled_back=True,
    )


def peak_mb() -> float:
    """Return the most memory that this process held; the usage counters would tell of its parent too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
