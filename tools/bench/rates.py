"""Rates that one process holds, and what they cost: this project's sampler, Locust, Chaos Toolkit."""

import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from bench.running import LOCUST, Table, chaos_hypothesis, client_context, endpoint, ran, share

from drill.model import ProbeSpec
from drill.observations import Store
from drill.probes.process import Sampler

SECONDS = 10.0
RATES = (100, 500, 1000, 2000)

_LOCUST_FILE = """
from locust import FastHttpUser, constant_throughput, task


class Client(FastHttpUser):
    wait_time = constant_throughput({each})
    connection_timeout = 2.0
    network_timeout = 2.0

    @task
    def ask(self):
        self.client.get("/health/regional", headers={{"Connection": "close"}})
"""


def measured() -> Table:
    """Return, for each client and rate, what it held and what that cost."""
    rows = [_drill(rate) for rate in RATES]
    rows += [_locust(rate) for rate in RATES]
    rows += [_chaos(rate) for rate in (10, 100, 1000)]
    how = (
        f"{SECONDS:g} s each on one endpoint, one process, a new connection for each attempt (this project "
        "also resolves the name each time, and writes every attempt to disk). Send lag is sent minus due, "
        "by the client's own record; uneven is how far the gaps between arrivals at the endpoint are from "
        "the rate's, 99th percentile. CPU is that of the client's process alone."
    )
    heads = ("client", "asked/s", "held/s", "send lag p99, ms", "uneven p99, ms", "CPU s per 1,000 attempts")
    return Table("Probes: rate, evenness, cost", how, heads, tuple(rows))


def _drill(rate: int) -> tuple[str, ...]:
    spec = ProbeSpec("clients", "http", 1 / rate, 2.0)
    with tempfile.TemporaryDirectory() as folder, endpoint() as place:
        context = client_context(place)
        path = Path(folder) / "observations.sqlite"
        sampler = Sampler.start((spec,), context, path)
        before_s = cpu_s(sampler.pid)
        time.sleep(SECONDS)
        used_s = cpu_s(sampler.pid) - before_s
        sampler.stop()
        with Store.open(path) as store:
            every = list(store.by_probe(spec.name))
    lags = [(one.sent_ns - one.due_ns) / 1e6 for one in every if one.sent_ns is not None]
    return _row("drill", rate, place.seen["arrivals_ns"], used_s, f"{share(lags, 0.99):.2f}")


def _locust(rate: int) -> tuple[str, ...]:
    users = min(rate, 50)
    with tempfile.TemporaryDirectory() as folder, endpoint() as place:
        script = Path(folder) / "locustfile.py"
        script.write_text(_LOCUST_FILE.format(each=rate / users), encoding="utf-8")
        common = ("--headless", "--only-summary", "-u", str(users), "-r", str(users), "-f", str(script))
        host = f"http://127.0.0.1:{place.port}"
        one = ran([LOCUST, *common, "--host", host, "-t", f"{SECONDS:g}s"])
    return _row("Locust, FastHttpUser", rate, place.seen["arrivals_ns"], one.cpu_s, "-")


def _chaos(rate: int) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder, endpoint() as place:
        one = chaos_hypothesis(Path(folder), place, rate, SECONDS)
    return _row("Chaos Toolkit, continuous hypothesis", rate, place.seen["arrivals_ns"], one.cpu_s, "-")


def _row(client: str, rate: int, arrivals_ns: list[int], used_s: float, lag: str) -> tuple[str, ...]:
    gaps_ms = [(after - before) / 1e6 for before, after in pairwise(arrivals_ns)]
    held = len(arrivals_ns) / ((arrivals_ns[-1] - arrivals_ns[0]) / 1e9)
    uneven = share([abs(gap - 1000 / rate) for gap in gaps_ms], 0.99)
    return (
        client,
        str(rate),
        f"{held:.0f}",
        lag,
        f"{uneven:.2f}",
        f"{used_s / len(arrivals_ns) * 1000:.2f}",
    )


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    ticks = int(subprocess.run(["getconf", "CLK_TCK"], check=True, capture_output=True, text=True).stdout)
    return (int(fields[11]) + int(fields[12])) / ticks
