"""What is put in a drill's way, while it runs: rows that are wrong, two primaries, probes that stand still.

The plants come through the systems' own doors (AWS's API, the load balancer) or strike the
sampler's process; the engine, the measures and the verdict know nothing of them.
"""

import os
import signal
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drill.aws import Aws
from drill.model import Goodness, History, Observation
from drill.probes.writer import token
from drill.target import Target
from scenarios.region_outage import CLIENTS, WRITER
from tests.truth.draw import Drill
from tests.truth.service import DIVERT_PATH

WRONG_NONCE = "planted"
ROWS = 2


class Plants:
    """A :class:`drill.progress.Progress` that listens for the right moment."""

    def __init__(self, drill: Drill, target: Target, aws: Aws) -> None:
        """Take what is drilled, and how."""
        self._drill, self._target, self._aws = drill, target, aws
        self._done = not drill.plant or drill.starves
        self._timers: list[threading.Timer] = []
        self.rows: list[int] = []
        """Numbers of the orders that were tampered with."""

    def phase(self, name: str, detail: str = "") -> None:
        """Have the sampler stand still in the phase that the plant is about."""
        del detail
        if name == "observe" and self._drill.plant == "stall-edge":
            self._stall(0.0, self._drill.failover_s[1])
        if name == "settle" and self._drill.plant == "stall-share":
            self._stall(0.0, 1.5 + 2 * self._drill.window_s)

    def seen(self, history: History) -> None:
        """Plant once there is something to plant in."""
        if self._done or history.marks.injected is None or history.marks.undone is not None:
            return
        if self._drill.plant == "diverge":
            self._done = self._diverted(history)
        else:
            self._done = self._tampered(history)

    def said(self, line: str) -> None:
        """Take no note."""

    def _tampered(self, history: History) -> bool:
        injected = history.marks.injected
        assert injected is not None
        since_ns = injected.earliest_ns
        known = [one for one in _acknowledged(history, self._target.primary.name) if _sent(one) < since_ns]
        chosen = known[-ROWS - 3 : -3]
        if len(chosen) < ROWS:
            return False
        for one in chosen:
            self._tamper(one)
            self.rows.append(one.number)
        return True

    def _tamper(self, one: Observation) -> None:
        table: Any = self._aws.client("dynamodb", self._target.standby.name)
        customer = _customer(self._aws, self._target, one.number)
        key = {"customer": {"S": customer}, "token": {"S": token(one.number)}}
        if self._drill.plant == "lose":
            table.delete_item(TableName=self._target.table.name, Key=key)
            return
        row = {
            **key,
            "number": {"N": str(one.number)},
            "nonce": {"S": str(one.detail["nonce"])},
            "region": {"S": self._target.primary.name},
            "pending": {"S": "aurora"},
        }
        if self._drill.plant == "corrupt":
            row["nonce"] = {"S": WRONG_NONCE}
        else:
            row["token"] = {"S": f"{token(one.number)}-again"}
        table.put_item(TableName=self._target.table.name, Item=row)

    def _diverted(self, history: History) -> bool:
        """Have the primary take orders once the standby has served all for a while."""
        injected = history.marks.injected
        assert injected is not None
        standby = self._target.standby.name
        needed = max(4, round(0.4 * self._drill.window_s / self._drill.write_s))
        newest = sorted(history.observations.get(WRITER, ()), key=lambda one: one.number)[-needed:]
        moved = [one for one in newest if _sent(one) > injected.latest_ns and one.answered_by == standby]
        if len(moved) < needed or not history.observations.get(CLIENTS):
            return False
        address = _address(self._target)
        url = f"http://{address}:{self._target.service.port}{DIVERT_PATH}?writes={ROWS}"
        urllib.request.urlopen(url, timeout=5).close()
        return True

    def _stall(self, after_s: float, lasts_s: float) -> None:
        pid = _sampler()
        for wait_s, number in ((after_s, signal.SIGSTOP), (after_s + lasts_s, signal.SIGCONT)):
            timer = threading.Timer(wait_s, os.kill, (pid, number))
            timer.start()
            self._timers.append(timer)

    def end(self) -> None:
        """Wait for what is still to come."""
        for timer in self._timers:
            timer.join()


def _sent(one: Observation) -> int:
    return one.sent_ns or 0


def _acknowledged(history: History, region: str) -> Sequence[Observation]:
    every = history.observations.get(WRITER, ())
    good = [one for one in every if one.goodness is Goodness.GOOD and one.answered_by == region]
    return sorted(good, key=lambda one: one.number)


def _customer(aws: Aws, target: Target, number: int) -> str:
    """Return whose order a number is: the run's id, as the primary's table has it."""
    client: Any = aws.client("dynamodb", target.primary.name)
    pages = client.get_paginator("scan").paginate(TableName=target.table.name)
    wanted = token(number)
    found = [item for page in pages for item in page["Items"] if item["token"]["S"] == wanted]
    return next(str(item["customer"]["S"]) for item in found if "drill-marker" not in item["customer"]["S"])


def _address(target: Target) -> str:
    """Return where the standby's load balancer answers."""
    from dns.resolver import Resolver

    host, _, port = str(target.service.resolver).partition(":")
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], int(port)
    return str(resolver.resolve(target.standby.load_balancer, "A")[0])


def _sampler() -> int:
    """Return the process id of this drill's sampler: a child of this process."""
    for _ in range(100):
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()
        for child in children:
            if b"drill.probes.sampler" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        time.sleep(0.01)
    msg = "there is no sampler"
    raise LookupError(msg)
