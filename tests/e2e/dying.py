"""Runs the command line and dies by SIGKILL at one point of it.

Points are: right after each line of the journal is on disk, and right before and right after each
request that changes the drilled system. Usage::

    python -m tests.e2e.dying NUMBER PASSED_FILE WATCHDOG UNDO ARGUMENT…

NUMBER counts the points from 0, -1 lets it live; each point passed is written to PASSED_FILE.
WATCHDOG is ``alive``, or ``dead`` to take the run's watchdog along. UNDO is ``-``, or the kind of a
fault whose undo does nothing, for the test of the test.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.httpsession import URLLib3Session

from drill import aws, cli, watchdog
from drill.aws import Aws
from drill.faults import registry
from drill.faults.contract import Fault
from drill.journal import Journal
from drill.model import Json


class Points:
    """Counts the points that were passed, and kills this process at the chosen one."""

    def __init__(self, number: int, passed: Path, watchdogs: list[int]) -> None:
        """Take which point is the last, where to note them, and who dies along."""
        self._number, self._passed, self._watchdogs = number, passed, watchdogs
        self._count = 0

    def reached(self, name: str) -> None:
        """Note a point, and die if it is the chosen one."""
        with self._passed.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
        if self._count == self._number:
            for pid in (*self._watchdogs, os.getpid()):
                os.kill(pid, signal.SIGKILL)
        self._count += 1


def instrument(points: Points, watchdogs: list[int]) -> None:
    """Have journal, AWS clients and watchdog tell where they are."""
    write, before, send, start = (
        Journal._write,
        Aws._before_sending,
        URLLib3Session.send,
        watchdog.Watchdog.start,
    )
    under_way = threading.local()

    def writing(self: Journal, raw: bytes) -> None:
        write(self, raw)
        points.reached(f"line {json.loads(raw)['kind']}")

    def before_sending(self: Aws, event_name: str, **more: object) -> None:
        before(self, event_name, **more)
        action = event_name.rpartition(".")[2]
        if self._check is not aws._unfenced and not action.startswith(aws._READS):
            points.reached(f"before {action}")
            under_way.action = action

    def sending(self: URLLib3Session, request: Any) -> Any:
        response = send(self, request)
        action = getattr(under_way, "action", "")
        under_way.action = ""
        if action:
            points.reached(f"after {action}")
        return response

    def starting(folder: Path, lease_s: float) -> watchdog.Watchdog:
        started = start(folder, lease_s)
        watchdogs.append(started.pid)
        return started

    Journal._write = writing  # type: ignore[method-assign]
    Aws._before_sending = before_sending  # type: ignore[method-assign]
    URLLib3Session.send = sending
    watchdog.Watchdog.start = starting  # type: ignore[method-assign]


def forget_undo(forgotten: str) -> None:
    """Make the undo of a kind of fault do nothing and call itself done."""
    build = registry.build

    def building(kind: str, args: Mapping[str, Json]) -> Fault:
        fault = build(kind, args)
        if kind == forgotten:
            type(fault).undo = lambda *_: ()  # type: ignore[method-assign]
            type(fault).undone = lambda *_: True  # type: ignore[method-assign]
        return fault

    registry.build = building


def main() -> None:
    """Run it."""
    number, passed, fate, undo, *arguments = sys.argv[1:]
    watchdogs: list[int] = []
    instrument(Points(int(number), Path(passed), watchdogs if fate == "dead" else []), watchdogs)
    if undo != "-":
        forget_undo(undo)
    sys.exit(cli.outcome_of(arguments))


if __name__ == "__main__":
    main()
