import pytest

from drill.measure.accounts import unreconciled_in
from drill.measure.failback import failback
from drill.measure.fallback import fallback
from drill.model import History, Json, LedgerRead, LedgerRow, Measured, MeasureSpec, Observation, ProbeSpec
from tests.drill.measure.worlds import WEST, attempt, history, marks, measured, ns, stores, target

SPEC = MeasureSpec("fallback", "standby-writer", {"store": "aurora"})
PROBE = ProbeSpec("standby-writer", "writer", 1.0, 4.0)


def write(number: int, aurora: str, goodness: str = "good") -> Observation:
    """Return the order that was sent at the second of its number, and what was said of the database."""
    detail: dict[str, Json] = {
        "nonce": f"n{number}",
        **(stores(dynamodb="written", aurora=aurora) if aurora else {}),
    }
    return attempt(number, float(number), goodness, probe=PROBE.name, answered_by=WEST, detail=detail)


def read(*numbers: int, occasion: str = "resumed", error: str = "") -> LedgerRead:
    """Return what the database held at 40 s."""
    rows = tuple(LedgerRow(number, f"n{number}") for number in numbers)
    return LedgerRead("aurora", occasion, ns(40), ns(40.1), None if error else WEST, rows, error)


def made(writes: list[Observation], *reads: LedgerRead) -> History:
    """Return a history in which the store was cut off from 5.05 to 12 s."""
    found = history(writes, marks(undone=(12.0, 12.1), settled=30.0), specs=[PROBE])
    return History(found.probes, found.observations, found.marks, reads)


def of(writes: list[Observation], *reads: LedgerRead) -> Measured:
    """Measure it."""
    return fallback(SPEC, made(writes, *reads), target())


WRITES = [
    write(3, "written"),
    write(6, "pending"),
    write(7, "pending"),
    write(8, "", "bad"),
    write(9, "", "unknown"),
    write(10, "pending"),
    write(13, "written"),
    write(14, "pending"),
]


def test_only_what_was_sent_during_the_cut_counts() -> None:
    """Refused is failed, never answered is failed at most, and what came before and after is neither."""
    found = of(WRITES)

    pending = measured(found, "pending_writes")
    failed = measured(found, "failed_share")
    assert (pending.low, pending.high) == (3, 3)
    assert (failed.low, failed.high) == pytest.approx((1 / 5, 2 / 5))
    assert "unreconciled_writes" not in {one.name for one in found.measurements}


def test_every_pending_write_must_come_to_the_store() -> None:
    """One that is not there after the undo is told by its number; one sent after the undo may be late."""
    whole, short = of(WRITES, read(3, 6, 7, 10)), of(WRITES, read(3, 6, 10))

    assert (measured(whole, "unreconciled_writes").high, whole.findings) == (0, ())
    assert measured(short, "unreconciled_writes").low == 1
    assert "Numbers 7 " in short.findings[0].detail
    assert unreconciled_in(read(3, 6, 10), made(WRITES), PROBE.name) == (7,)


def test_a_store_that_could_not_be_read_tells_nothing() -> None:
    """Nor does a reading from before the undo."""
    found = of(WRITES, read(error="timeout"), read(3, occasion="cutover"))
    assert "unreconciled_writes" not in {one.name for one in found.measurements}


def test_failback_may_ask_for_a_store() -> None:
    """An order accepted as pending after the undo is not yet back to normal."""
    writes = [write(number, "pending" if number < 15 else "written") for number in range(3, 25)]
    spec = MeasureSpec("failback", PROBE.name, {"served_by": WEST, "store": "aurora"})
    plain = MeasureSpec("failback", PROBE.name, {"served_by": WEST})

    whole = measured(failback(spec, made(writes), target()), "failback")

    assert (whole.low, whole.high) == pytest.approx((1.9, 3.01))
    assert "wrote into aurora" in whole.how
    assert measured(failback(plain, made(writes), target()), "failback").low == 0
