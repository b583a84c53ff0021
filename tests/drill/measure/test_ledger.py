from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.ledger import ledger
from drill.model import (
    Finding,
    Goodness,
    Json,
    LedgerRead,
    LedgerRow,
    Marks,
    Measured,
    MeasureSpec,
    Observation,
    ProbeSpec,
    Severity,
)
from tests.drill.measure.worlds import EAST, WEST, attempt, history, marks, measured, ns, target, unsent

SPEC = MeasureSpec("ledger", "writer", {"primary": EAST, "standby": WEST})
WRITER = ProbeSpec("writer", "writer", 0.1, 2.0)
BOTH: Mapping[str, Json] = {"dynamodb": "written", "aurora": "written"}
PENDING: Mapping[str, Json] = {"dynamodb": "written", "aurora": "pending"}


def write(number: int, kind: str = "g", sent_s: float | None = None) -> Observation:
    """Return a write of a kind.

    ``g`` is acknowledged by the primary, ``w`` by the standby, ``p`` pending in Aurora, ``b``
    refused, ``?`` never answered.
    """
    goodness = {"b": "bad", "?": "unknown"}.get(kind, "good")
    detail: dict[str, Json] = {"nonce": f"nonce-{number}"}
    if goodness == "good":
        detail["stores"] = PENDING if kind == "p" else BOTH
    return attempt(
        number,
        number / 10 if sent_s is None else sent_s,
        goodness,
        probe="writer",
        answered_by=(WEST if kind == "w" else EAST) if goodness == "good" else None,
        detail=detail,
    )


def writes(pattern: str) -> list[Observation]:
    """Return writes from a pattern, one each 0.1 s."""
    return [write(number, kind) for number, kind in enumerate(pattern)]


def read(
    numbers: Sequence[int],
    store: str = "dynamodb",
    occasion: str = "cutover",
    at_s: float = 100.0,
    rows: Sequence[LedgerRow] = (),
) -> LedgerRead:
    """Return a reading that holds these writes, and more rows."""
    listed = tuple(LedgerRow(number, f"nonce-{number}") for number in numbers)
    region = WEST if occasion == "cutover" else EAST
    return LedgerRead(store, occasion, ns(at_s), ns(at_s + 0.1), region, (*listed, *rows))


def books(
    seen: Sequence[Observation], *reads: LedgerRead, at: Marks | None = None, spec: MeasureSpec = SPEC
) -> Measured:
    """Return what the ledger says."""
    return ledger(spec, history(seen, at, reads, [WRITER]), target())


def codes(found: Measured) -> Mapping[str, Finding]:
    """Return the findings by code."""
    return {one.code: one for one in found.findings}


def test_losses_at_the_end_have_the_defined_recovery_point() -> None:
    """The recovery point runs from the oldest lost write to the last that the primary acknowledged."""
    found = books(writes("g" * 60 + "?" * 10 + "w" * 20), read([*range(57), 62, *range(70, 90)]))
    (result,) = found.ledgers
    assert (result.lost, result.holes) == ((57, 58, 59), ())
    assert (result.acknowledged, result.failed, result.unknown, result.unknown_present) == (80, 0, 10, 1)
    point = measured(found, "recovery_point", "dynamodb/cutover")
    assert (point.low, point.high) == pytest.approx((5.9 - 5.71, 5.91 - 5.6))
    lost = measured(found, "recovery_point_writes", "dynamodb/cutover")
    assert (lost.low, lost.high, lost.unit) == (3, 3, "writes")


def test_nothing_lost_is_below_three_in_n() -> None:
    """No loss among n writes is told as a bound on the share, and the recovery point is next to nothing."""
    found = books(writes("g" * 60 + "w" * 40), read(range(100)))
    share = measured(found, "lost_share", "dynamodb/cutover")
    assert (share.low, share.high) == pytest.approx((0, 0.03))
    assert "3/100" in share.how
    point = measured(found, "recovery_point", "dynamodb/cutover")
    assert (point.low, point.high) == pytest.approx((0, 0.01))
    assert not found.findings


def test_losses_in_between_are_listed_as_holes() -> None:
    """Item-wise replication loses writes before survivors: one time would hide them."""
    found = books(writes("g" * 60), read([number for number in range(60) if number not in (50, 53, 59)]))
    assert found.ledgers[0].holes == (50, 53)
    assert "50, 53" in codes(found)["holes"].detail
    point = measured(found, "recovery_point", "dynamodb/cutover")
    assert (point.low, point.high) == pytest.approx((5.9 - 5.01, 5.91 - 4.9))


def test_everything_lost_has_no_upper_bound() -> None:
    """Without a survivor nothing bounds the recovery point from above."""
    point = measured(books(writes("g" * 60), read([])), "recovery_point", "dynamodb/cutover")
    assert point.low == pytest.approx(5.9 - 0.01)
    assert point.high is None


def test_a_pending_write_was_not_promised_by_that_store() -> None:
    """Accepted while Aurora was away: in DynamoDB's ledger, not in Aurora's."""
    seen = writes("g" * 20 + "p" * 10)
    found = books(seen, read(range(20), "aurora"), read(range(25), "dynamodb"))
    by_store = {one.store: one for one in found.ledgers}
    assert (by_store["aurora"].acknowledged, by_store["aurora"].lost) == (20, ())
    assert (by_store["dynamodb"].acknowledged, by_store["dynamodb"].lost) == (30, (25, 26, 27, 28, 29))
    # Reconciled afterwards, it may be there.
    assert not books(seen, read(range(30), "aurora")).findings


def test_what_was_answered_after_the_reading_began_is_not_lost() -> None:
    """A write that runs beside the reading may be missing from it."""
    found = books(writes("g" * 60), read(range(50), at_s=4.95))
    assert found.ledgers[0].lost == ()
    assert found.ledgers[0].acknowledged == 50


def test_lost_at_cutover_and_recovered_is_not_lost_for_good() -> None:
    """Both are told, with their numbers, and only the second is critical."""
    seen = writes("g" * 60 + "w" * 20)
    cutover = read([*range(55), *range(60, 80)])
    found = books(seen, cutover, read(range(80), occasion="resumed", at_s=200))
    assert codes(found)["lost_at_cutover"].severity is Severity.WARNING
    assert "55 to 59" in codes(found)["lost_at_cutover"].detail
    assert "lost_for_good" not in codes(found)
    found = books(seen, cutover, read([*range(57), *range(60, 80)], occasion="resumed", at_s=200))
    assert codes(found)["lost_for_good"].severity is Severity.CRITICAL
    assert "57 to 59" in codes(found)["lost_for_good"].detail
    assert "55 to 56" in codes(found)["lost_at_cutover"].detail
    assert "not known" in codes(books(seen, cutover))["lost_at_cutover"].detail


def test_a_service_that_keeps_nothing_is_named_as_such() -> None:
    """All that it acknowledged is in no store: it does nothing. One write that is there, and it is a loss."""
    seen = writes("g" * 60 + "w" * 20)
    nowhere = [read([], store, "resumed", 200) for store in ("dynamodb", "aurora")]
    found = codes(books(seen, *nowhere))
    assert found["kept_nowhere"].severity is Severity.CRITICAL
    assert found["kept_nowhere"].title == "The service acknowledged 80 writes and kept none of them"
    assert "DR10" in found["kept_nowhere"].detail
    assert "kept_nowhere" not in codes(books(seen, nowhere[0], read([7], "aurora", "resumed", 200)))
    assert "kept_nowhere" not in codes(books(writes("b" * 9), *nowhere))


def test_writes_after_the_rollback_are_no_anchor() -> None:
    """What the primary acknowledges after failing back does not stretch the recovery point."""
    seen = writes("g" * 60 + "w" * 20 + "g" * 20)
    resumed = read([*range(57), *range(60, 100)], occasion="resumed", at_s=200)
    found = books(seen, resumed, at=marks(undone=(7.95, 8.0)))
    point = measured(found, "recovery_point", "dynamodb/resumed")
    assert (point.low, point.high) == pytest.approx((5.9 - 5.71, 5.91 - 5.6))
    assert found.ledgers[0].holes == ()


def test_corruption_is_critical() -> None:
    """Twice there, or there with another nonce, is the worst finding."""
    rows = (LedgerRow(3, "nonce-3"), LedgerRow(7, "someone-else"))
    found = books(writes("g" * 10), read([n for n in range(10) if n != 7], rows=rows))
    assert (found.ledgers[0].duplicated, found.ledgers[0].corrupt, found.ledgers[0].lost) == ((3,), (7,), ())
    assert codes(found)["corruption"].severity is Severity.CRITICAL
    assert "3" in codes(found)["corruption"].detail
    assert "7" in codes(found)["corruption"].detail


def test_an_unreadable_store_is_a_note_and_no_measurement() -> None:
    """A store that could not be read says nothing about losses."""
    unread = LedgerRead("aurora", "cutover", ns(100), ns(101), None, error="timeout")
    found = books(writes("g" * 60), unread)
    assert not found.measurements
    assert not found.ledgers[0].readable
    assert codes(found)["store_unreadable"].severity is Severity.NOTE


def test_rows_that_contradict_the_books_are_told() -> None:
    """A refused write that is there, and a row that nobody wrote, are findings; one in flight is not."""
    seen = [*writes("gggbg"), unsent(5, 0.5), write(6)]
    found = books(seen, read([0, 1, 2, 3, 4, 5, 6, 7]))
    assert "3" in codes(found)["refused_but_there"].detail
    assert "Numbers 5 are" in codes(found)["unexplained_rows"].detail
    assert found.ledgers[0].failed == 1
    assert found.ledgers[0].unknown == 0


def test_divergence_is_listed_write_by_write() -> None:
    """What the old primary took after the cutover is split brain, worse if it is gone."""
    pattern = "g" * 60 + "?" * 5 + "w" * 10 + "g" + "w" * 10 + "g" + "w" * 20
    at = marks(undone=(10.6, 10.7), ended=10.5)
    everything = range(len(pattern))
    found = books(writes(pattern), read(everything, occasion="resumed", at_s=200), at=at)
    assert codes(found)["divergence"].severity is Severity.WARNING
    assert "75 (sent" in codes(found)["divergence"].detail
    assert "86 (sent" in codes(found)["divergence"].detail
    gone = read([n for n in everything if n != 86], occasion="resumed", at_s=200)
    found = books(writes(pattern), gone, at=at)
    split = [one for one in found.findings if one.code == "divergence"]
    assert [(one.severity, "75" in one.detail, "86" in one.detail) for one in split] == [
        (Severity.WARNING, True, False),
        (Severity.CRITICAL, False, True),
    ]


def test_the_primary_serving_before_cutover_and_after_rollback_is_no_divergence() -> None:
    """With an inverted check the primary goes on acknowledging until clients have moved."""
    at = marks(undone=(9.0, 9.1), ended=8.9)
    found = books(writes("g" * 70 + "w" * 20 + "g" * 20), read(range(110)), at=at)
    assert "divergence" not in codes(found)


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[Observation], list[LedgerRow]]:
    """Draw writes of every kind, and a reading with losses, duplicates and wrong nonces."""
    kinds = draw(st.lists(st.sampled_from("gwpb?."), max_size=60))
    seen = [unsent(n, n / 10) if kind == "." else write(n, kind) for n, kind in enumerate(kinds)]
    drawn = draw(
        st.lists(st.tuples(st.integers(0, 70), st.sampled_from(["right", "right", "wrong"])), max_size=80)
    )
    rows = [LedgerRow(n, f"nonce-{n}" if nonce == "right" else "another") for n, nonce in drawn]
    return [one if one.sent_ns else unsent(one.number, one.number / 10) for one in seen], rows


@given(case=ledgers(), store=st.sampled_from(["dynamodb", "aurora"]), mix=st.randoms(use_true_random=False))
def test_the_sets_are_exact_in_any_order(
    case: tuple[list[Observation], list[LedgerRow]], store: str, mix: object
) -> None:
    """Lost, duplicated, corrupt and unknown are the sets that a slow reading of the rules gives."""
    seen, rows = case
    found = books(seen, read([], store, rows=rows))
    (result,) = found.ledgers
    sent = {one.number: one for one in seen if one.sent_ns is not None}
    there = Counter(row.number for row in rows)
    promised = {
        n
        for n, one in sent.items()
        if one.goodness is Goodness.GOOD and dict(one.detail["stores"])[store] == "written"  # type: ignore[arg-type]
    }
    unknown = {n for n, one in sent.items() if one.goodness is Goodness.UNKNOWN}
    assert result.lost == tuple(n for n in sorted(promised) if n not in there)
    assert result.duplicated == tuple(n for n in sorted(there) if there[n] > 1)
    assert result.corrupt == tuple(
        sorted({r.number for r in rows if r.number in sent and r.nonce == "another"})
    )
    assert (result.acknowledged, result.unknown) == (len(promised), len(unknown))
    assert result.unknown_present == len(unknown & set(there))
    shuffled_seen, shuffled_rows = list(seen), list(rows)
    mix.shuffle(shuffled_seen)  # type: ignore[attr-defined]
    mix.shuffle(shuffled_rows)  # type: ignore[attr-defined]
    assert books(shuffled_seen, read([], store, rows=shuffled_rows)) == found


@given(
    acknowledged=st.integers(1, 50),
    kept=st.integers(0, 50),
    durations_s=st.lists(st.floats(0.001, 0.25), min_size=1, max_size=9),
    share=st.floats(0, 1),
)
def test_the_true_recovery_point_is_inside(
    acknowledged: int, kept: int, durations_s: list[float], share: float
) -> None:
    """For any suffix that is lost the true age of what is there lies inside the bounds.

    Writes take effect in the order of sending, somewhere between sending and answer.
    """
    kept = min(kept, acknowledged)
    seen, done_at_s = [], []
    for number in range(acknowledged):
        took_s = min(durations_s[number % len(durations_s)], 0.09)
        done_at_s.append(number / 10 + share * took_s)
        one = attempt(
            number,
            number / 10,
            probe="writer",
            done_s=number / 10 + took_s,
            detail={"nonce": f"nonce-{number}", "stores": BOTH},
        )
        seen.append(one)
    point = measured(books(seen, read(range(kept))), "recovery_point", "dynamodb/cutover")
    if kept < acknowledged:
        # What is there is all up to an instant after the newest survivor, before the oldest lost write.
        assert point.low <= done_at_s[-1] - done_at_s[kept] + 2e-9
    assert (point.high is None) is (kept == 0)
    if point.high is not None:
        assert done_at_s[-1] - done_at_s[kept - 1] <= point.high + 2e-9
