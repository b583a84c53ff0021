"""The error of a measured outage whose true length is known: this project, Chaos Toolkit, a shell loop.

Each client asks the same endpoint, whose outage (nobody listens, requests hang, or 503) is logged where
it happens. From each client's own log of attempts the same estimate is made: from the middle between the
last good and the first bad attempt to the middle between the last bad and the next good one, by when
they were *sent*. This project gives bounds besides.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.running import CHAOS, Endpoint, Table, client_context, endpoint

from drill.measure.attempts import attempts
from drill.model import History, Marks, ProbeSpec
from drill.observations import Store
from drill.probes.process import Sampler

AFTER_S, LASTS_S, TIMEOUT_S = 2.0, 2.345, 2.0
WHOLE_S = AFTER_S + LASTS_S + 2 * TIMEOUT_S
KINDS = ("refuse", "hang", "503")

# What one attempt was, to anybody: when it was sent (in any seconds), and whether it was good.
Tried = tuple[float, bool]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client saw of an outage."""

    tried: tuple[Tried, ...]
    low_s: float | None = None
    high_s: float | None = None


def measured() -> Table:
    """Return every client's error on every kind of outage."""
    clients: tuple[tuple[str, Callable[[Endpoint], Seen]], ...] = (
        ("drill, 10/s", lambda place: _drill(place, 0.1)),
        ("drill, 100/s", lambda place: _drill(place, 0.01)),
        ("Chaos Toolkit, continuous hypothesis, 10/s", lambda place: _chaos(place, 0.1)),
        ("Chaos Toolkit, continuous hypothesis, 100/s", lambda place: _chaos(place, 0.01)),
        ("curl in a shell loop, 10/s", lambda place: _shell(place, 0.1)),
        ("curl in a shell loop, 100/s", lambda place: _shell(place, 0.01)),
    )
    rows = []
    held = 0
    for name, client in clients:
        cells = [name]
        for kind in KINDS:
            with endpoint(kind, AFTER_S, LASTS_S) as place:
                seen = client(place)
            true_s = (place.seen["end_ns"] - place.seen["begin_ns"]) / 1e9
            cells.append(_told(seen, true_s))
            held += bool(seen.low_s is not None and seen.high_s and seen.low_s <= true_s <= seen.high_s)
        rows.append(tuple(cells))
    how = (
        f"One outage of {LASTS_S} s, attempts given up after {TIMEOUT_S:g} s; the estimate's error in "
        "milliseconds, and the bounds where the client gives some."
    )
    said = (f"The truth lay within this project's bounds in {held} of {2 * len(KINDS)} outages.",)
    return Table("Error of a measured outage", how, ("client", *KINDS), tuple(rows), said)


def estimate_s(tried: Sequence[Tried]) -> float | None:
    """Return the length of the one outage among attempts; None if there is none, or its end was not seen."""
    ordered = sorted(tried)
    bad = [place for place, (_, good) in enumerate(ordered) if not good]
    if not bad or bad[0] == 0 or bad[-1] + 1 >= len(ordered):
        return None
    begin = (ordered[bad[0] - 1][0] + ordered[bad[0]][0]) / 2
    end = (ordered[bad[-1]][0] + ordered[bad[-1] + 1][0]) / 2
    return end - begin


def _told(seen: Seen, true_s: float) -> str:
    estimated_s = estimate_s(seen.tried)
    if estimated_s is None:
        return "no outage seen"
    text = f"{(estimated_s - true_s) * 1000:+.1f} ms"
    if seen.low_s is not None and seen.high_s is not None:
        text += f" [{(seen.low_s - true_s) * 1000:+.1f}, {(seen.high_s - true_s) * 1000:+.1f}]"
    return text


def _drill(place: Endpoint, interval_s: float) -> Seen:
    """Watch with this project's sampler, a process of its own."""
    spec = ProbeSpec("clients", "http", interval_s, TIMEOUT_S)
    context = client_context(place)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "observations.sqlite"
        sampler = Sampler.start((spec,), context, path)
        time.sleep(WHOLE_S)
        sampler.stop()
        with Store.open(path) as store:
            every = list(store.by_probe(spec.name))
    history = History({spec.name: spec}, {spec.name: every}, Marks(sampler.started_ns))
    sent = attempts(history, spec.name)
    tried = tuple((one.sent_ns / 1e9, one.good) for one in sent)
    bad = [place for place, one in enumerate(sent) if not one.good]
    before, first, last, after = (sent[place] for place in (bad[0] - 1, bad[0], bad[-1], bad[-1] + 1))
    low_ns = max(0, last.sent_ns - first.done_ns)
    return Seen(tried, low_ns / 1e9, (after.done_ns - before.sent_ns) / 1e9)


def _chaos(place: Endpoint, interval_s: float) -> Seen:
    """Watch with Chaos Toolkit's continuous hypothesis while its method waits."""
    probe = {
        "type": "probe",
        "name": "answers",
        "tolerance": 200,
        "provider": {"type": "http", "url": place.url, "timeout": TIMEOUT_S},
    }
    pause = {
        "type": "action",
        "name": "wait",
        "provider": {"type": "process", "path": sys.executable, "arguments": ["-c", _SLEEP]},
    }
    experiment = {
        "title": "outage",
        "description": "a scripted outage",
        "steady-state-hypothesis": {"title": "answers", "probes": [probe]},
        "method": [pause],
        "rollbacks": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "experiment.json").write_text(json.dumps(experiment), encoding="utf-8")
        strategy = ("--hypothesis-strategy", "during-method-only", "--hypothesis-frequency", str(interval_s))
        subprocess.run(
            [CHAOS, "--no-version-check", "run", *strategy, "experiment.json"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        journal = json.loads((Path(folder) / "journal.json").read_text(encoding="utf-8"))
    during = [one["probes"][0] for one in journal["steady_states"]["during"] if one["probes"]]
    return Seen(tuple((_instant_s(one["start"]), bool(one["tolerance_met"])) for one in during))


_SLEEP = f"import time; time.sleep({WHOLE_S})"


def _instant_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _shell(place: Endpoint, interval_s: float) -> Seen:
    """Watch with curl in a loop, as scripts for a failover do."""
    loop = (
        'end=$(( $(date +%s) + $3 )); while [ "$(date +%s)" -lt "$end" ]; do began=$(date +%s.%N); '
        'code=$(curl -s -o /dev/null -m $4 -w \'%{http_code}\' "$1"); echo "$began $code"; sleep $2; done'
    )
    arguments = (place.url, str(interval_s), str(round(WHOLE_S) + 1), str(TIMEOUT_S))
    printed = subprocess.run(
        ["bash", "-c", loop, "loop", *arguments], check=True, capture_output=True, text=True
    ).stdout
    lines = [line.split() for line in printed.splitlines()]
    return Seen(tuple((float(began), code == "200") for began, code in lines))
