"""Times the review's list and trend over 1,000 runs, through the real server and a real connection.

Usage: ``make bench-review`` (ARGS: how many runs, 1000 if not said).
"""

import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from waitress.server import create_server

from drill.clock import Instant
from drill.record import Record
from reports.review import app, index, keys
from reports.review.app import Settings
from reports.review.sign_off import sign_off
from reports.review.trail import Trail

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.reports import factory
from tests.reports.factory import Drill
from tests.reports.review import stand

_TIMES = 15
_LIST_MS, _TREND_MS = 200, 500


def main() -> None:
    """Make the runs, serve them, ask and print; end with 1 if a limit is passed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="drill-bench-") as name:
        root = Path(name) / "runs"
        settings = Settings(root, keys.signer(Path(name) / "keys", root))
        _say(f"making {runs} runs", lambda: _make(root, runs))
        _say("first index of all of them", lambda: index.refresh(settings.source))
        _say("signing every tenth off", lambda: _sign(settings))
        _say("index of what was signed", lambda: index.refresh(settings.source))
        with _served(settings) as address:
            late = [_asked(address, page, limit_ms) for page, limit_ms in _pages()]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    sys.exit(any(late))


def _pages() -> Iterator[tuple[str, int]]:
    yield "/", _LIST_MS
    yield "/?outcome=breached", _LIST_MS
    yield "/?text=missing&page=3", _LIST_MS
    yield "/trend", _TREND_MS


def _make(root: Path, runs: int) -> None:
    """Write runs of two kinds, with all of their numbers and some of their observations."""
    plain, slow = factory.blackout(), factory.breached()
    for number in range(runs):
        drill = slow if number % 40 == 39 else plain
        stand.save(root, _numbered(drill, number))


def _numbered(drill: Drill, number: int) -> Drill:
    day, hour = f"{2020 + number // 336}-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}", number % 24
    record: Record = replace(
        drill.record,
        run_id=f"{day.replace('-', '')}t{hour:02d}0000-region-outage-{number:04x}",
        started=Instant(drill.record.started.monotonic_ns, f"{day}T{hour:02d}:00:00.000000+00:00"),
    )
    return Drill(record, drill.observations[:300])


def _sign(settings: Settings) -> None:
    trail = Trail(settings.source.path)
    for folder in sorted(settings.root.glob("2*"))[::10]:
        sign_off(folder, trail, settings.signer, ("Nora", "Within both objectives."), 0)


@contextmanager
def _served(settings: Settings) -> Iterator[str]:
    server = create_server(app.create(settings), host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)


def _asked(address: str, page: str, limit_ms: int) -> bool:
    """Ask for a page again and again, print how long it took, and say whether it is too slow."""
    took_ms, used_ms, size = [], [], 0
    for _ in range(_TIMES):
        began, used = time.perf_counter(), time.process_time()
        with urllib.request.urlopen(address + page) as answer:  # noqa: S310 (our own server)
            size = len(answer.read())
        took_ms.append((time.perf_counter() - began) * 1000)
        used_ms.append((time.process_time() - used) * 1000)
    middle = statistics.median(took_ms)
    used = statistics.median(used_ms)
    waited = f"{middle:5.0f} ms median, {max(took_ms):5.0f} ms at most"
    print(f"{page:<24} {used:4.0f} ms of the processor of {limit_ms}; {waited}; {size / 1024:.0f} KiB")
    # On a machine that does nothing else the two are the same; on a busy one the clock tells of the others.
    return used > limit_ms


def _say(words: str, do: Callable[[], object]) -> None:
    began = time.perf_counter()
    do()
    print(f"{words}: {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
