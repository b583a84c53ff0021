"""What this process serves game days with: DBOS, up and down, and how many drills are going."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dbos import DBOS, DBOSClient, DBOSConfig

from drill.gameday import folder as days
from drill.gameday import store
from drill.gameday.answers import Answer

# Kept the same as long as days that began under one version can be gone on with by the next.
_VERSION = "gameday-1"
VETO, APPROVAL = "veto", "approval"
YES, NO = "yes", "no"


@dataclass(slots=True)
class Serving:
    """What this process serves with; DBOS calls plain functions, which read it here."""

    runs: Path = Path("runs")
    root: Path = days.DEFAULT
    stopping: threading.Event = field(default_factory=threading.Event)
    # How many drills are going; told of whenever one has ended and rolled back.
    going: int = 0
    ended: threading.Condition = field(default_factory=threading.Condition)
    report: Callable[[Path, Path, Path], object] = lambda *_: None


SERVING = Serving()


class Stopping(BaseException):
    """Ends this process's part of a day, which stays as it is for the next one to go on with."""


def launch(url: str, root: Path, runs_root: Path, report: Callable[[Path, Path, Path], object]) -> None:
    """Begin to serve: days that a process before left are gone on with at once.

    Args:
        url: The store.
        root: The folder of all days.
        runs_root: The folder of all runs.
        report: Writes a day's report, from its folder and these two.

    """
    SERVING.runs, SERVING.root, SERVING.report = runs_root, root, report
    SERVING.stopping.clear()
    config: DBOSConfig = {
        "name": "drill-gamedays",
        "system_database_url": url,
        "application_version": _VERSION,
        # One name for all: only who holds the store's lock serves, so what is pending is its to go on with.
        "executor_id": "drill",
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": 0.2,
    }
    store.quiet()
    with store.explained():
        DBOS(config=config)
        DBOS.launch()


def shut_down() -> None:
    """Stop serving: a drill that is going is stopped, and awaited until it has rolled back.

    Its day, like one that waits for a person, stays in the store as it is, to be gone on with later.
    """
    SERVING.stopping.set()
    with SERVING.ended:
        SERVING.ended.wait_for(lambda: not SERVING.going)
    DBOS.destroy(workflow_completion_timeout_sec=1)


def left() -> bool:
    """Say whether a thread of a day that waits is left behind, which nothing but the process's end ends."""
    return any(one.name.startswith("dbos-executor-") for one in threading.enumerate())


def give(url: str, answer: Answer, by: str) -> None:
    """Give a day an answer, from any process.

    Args:
        url: The store.
        answer: The answer.
        by: Whose it is.

    Raises:
        UsageError: The store can't be used, or knows nothing of the day.

    """
    topic = VETO if answer.number is None else f"{APPROVAL}-{answer.number}"
    said = {"answer": YES if answer.agreed else NO, "by": by}
    store.there(url)
    with store.explained():
        client = DBOSClient(system_database_url=url, retry_connection_errors=False)
        try:
            client.send(answer.day, said, topic=topic)
        finally:
            client.destroy()


@contextmanager
def under_way() -> Iterator[None]:
    """Count a drill as going, unless this process is about to end: then none is begun."""
    with SERVING.ended:
        check_stopping()
        SERVING.going += 1
    try:
        yield
    finally:
        with SERVING.ended:
            SERVING.going -= 1
            SERVING.ended.notify_all()


def check_stopping() -> None:
    """End this process's part of a day if it was told to end."""
    if SERVING.stopping.is_set():
        raise Stopping
