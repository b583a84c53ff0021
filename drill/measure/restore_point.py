"""The recovery point of a restore, by the age of what was restored; and whether the ledger agrees.

The step that restored tells when the data are from (:mod:`drill.faults.recovery_points`): the age of that
at the instant of the disaster is the recovery point without any assumption about the ledger. What the
restored database has and lacks of the writer's orders tells the same instant in another way: after the
newest survivor was sent, before the oldest lost order was answered.
"""

from collections.abc import Sequence
from itertools import compress

from drill.measure.accounts import account, both, compare, declared
from drill.measure.bounds import seconds
from drill.measure.options import optional_text
from drill.measure.recovery import Window
from drill.measure.writes import sent_writes
from drill.model import Between, Finding, History, Measurement, MeasureSpec, Severity

NAME = "recovery_point"
PART = "snapshot"
CUTOVER = "cutover"


def measurements(spec: MeasureSpec, history: History, window: Window) -> tuple[Measurement, ...]:
    """Return the recovery point by the snapshot's age; nothing if nothing was restored."""
    told = _told(spec, history)
    if told is None:
        return ()
    at, certain = told
    low = seconds(max(0, window.begin.earliest_ns - at.latest_ns))
    high = seconds(max(0, window.begin.latest_ns - at.earliest_ns)) if certain else None
    how = "From when the restored recovery point was taken to the instant of the disaster, by AWS's clock."
    if not certain:
        how += " What it was copied from could not be asked, so that only its copy's stamp is known."
    return (Measurement(NAME, low, high, "s", how, "recovery point, by the snapshot's age", PART),)


def findings(spec: MeasureSpec, history: History, window: Window) -> tuple[Finding, ...]:
    """Return that both ways contradict one another, if they do."""
    told, ledger = _told(spec, history), _by_ledger(spec, history)
    if told is None or ledger is None:
        return ()
    at, certain = told
    first, last = ledger
    too_old = first is not None and at.latest_ns < first
    too_young = last is not None and certain and at.earliest_ns > last
    if not too_old and not too_young:
        return ()
    by_ledger = " and ".join(
        text
        for text in (
            "" if first is None else f"at most {_before(window, first)} s",
            "" if last is None else f"at least {_before(window, last)} s",
        )
        if text
    )
    return (
        Finding(
            "recovery_points_disagree",
            Severity.CRITICAL,
            "The snapshot's age and the ledger tell different recovery points",
            f"By its stamp the snapshot is {_before(window, at.latest_ns)} to "
            f"{_before(window, at.earliest_ns)} s older than the disaster; by the orders in it {by_ledger}.",
            "See which snapshot was restored, and whether it is one of this database.",
        ),
    )


def _before(window: Window, instant_ns: int) -> str:
    return f"{seconds(window.begin.earliest_ns - instant_ns):.3f}"


def _told(spec: MeasureSpec, history: History) -> tuple[Between, bool] | None:
    step = optional_text(spec, "restore")
    mark = next((one for one in history.marks.steps if one.step == step), None)
    bounds = None if mark is None else mark.told.get("data_from_ns")
    if mark is None or not isinstance(bounds, Sequence) or len(bounds) != 2:
        return None
    earliest, latest = (int(str(bound)) for bound in bounds)
    return Between(earliest, latest), bool(mark.told.get("data_from_certain"))


def _by_ledger(spec: MeasureSpec, history: History) -> tuple[int | None, int | None] | None:
    """Return between which instants the restored database's orders end; None where nothing tells."""
    store, writer = optional_text(spec, "store"), optional_text(spec, "writer")
    reads = [one for one in history.ledgers if one.store == store and one.occasion == CUTOVER]
    if writer is None or not reads:
        return None
    writes = sent_writes(history, writer, (reads[0].store,))
    books = account(writes, reads[0], declared_ns=declared(history))
    compared = compare(books, reads[0])
    if not compared.ledger.readable or not any(books.acknowledged):
        return None
    kept = both(books.acknowledged, bytes(not lost for lost in compared.lost))
    return (
        max(compress(writes.sent_ns, kept), default=None),
        min(compress(writes.done_ns, compared.lost), default=None),
    )
