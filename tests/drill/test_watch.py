"""What the engine sees of the probes while they run."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from drill.clock import Instant
from drill.errors import DrillError
from drill.model import ClockReading, Goodness, LedgerRead, LedgerRow, Marks, Observation, ProbeSpec
from drill.observations import Store
from drill.watch import Watch

SPEC = ProbeSpec("clients", "http", 0.1, 1.0)


def seen(number: int) -> Observation:
    """Return one plain observation."""
    return Observation("clients", number, number, number, number, Goodness.GOOD, "us-east-1", {"status": 200})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give the file that the probes write to."""
    with Store.create(tmp_path / "observations.sqlite") as made:
        yield made


def test_each_look_knows_more(store: Store) -> None:
    """What was added since is there at the next look, and a probe that saw nothing has a place too."""
    watch = Watch(store, [SPEC, ProbeSpec("writer", "writer", 1, 1)], Marks(0))
    assert {name: list(every) for name, every in watch.look().observations.items()} == {
        "clients": [],
        "writer": [],
    }
    store.add([seen(0), seen(1)])
    assert [seen(0), seen(1)] == watch.look().observations["clients"]
    store.add([seen(2)])
    assert 3 == len(watch.look().observations["clients"])


def test_a_file_that_is_gone_ends_the_watching_and_keeps_what_was_seen(store: Store) -> None:
    """The next look says so; at the end what was read before is there, and that it is not all."""
    watch = Watch(store, [SPEC], Marks(0))
    store.add([seen(0)])
    watch.look()
    store.path.unlink()
    with pytest.raises(DrillError, match="are gone"):
        watch.look()

    last = watch.last()
    assert 1 == len(last.observations["clients"])
    assert "are gone" in last.damage


def test_the_end_is_held_to_the_seal(store: Store) -> None:
    """What was added and can't be found again is missing, however well the rest reads."""
    watch = Watch(store, [SPEC], Marks(0))
    store.add([seen(0)])
    store.add([seen(1)])
    store.add_clock(Instant(5, "2026-01-01T00:00:00+00:00"))
    store.seal()
    store._file._connection.execute("DELETE FROM segment WHERE id = 2")
    store._file._connection.commit()

    assert "it holds {'segment': 1" in watch.last().damage


def test_the_end_knows_the_clocks(store: Store) -> None:
    """A drill that ended in order has nothing missing, and tells what the wall clock did."""
    watch = Watch(store, [SPEC], Marks(0))
    store.add_clock(Instant(5, "2026-01-01T00:00:00+00:00"))
    store.seal()

    last = watch.last()
    assert ("", [ClockReading(5, "2026-01-01T00:00:00+00:00")]) == (last.damage, list(last.clocks))


def test_a_ledger_is_streamed_and_begun_again(store: Store) -> None:
    """A reading that is dropped leaves nothing; the one that is kept is there whole, more than once over."""
    watch = Watch(store, [SPEC], Marks(0))
    rows = [LedgerRow(n, f"n{n}") for n in range(4500)]

    def streamed(listed: Sequence[LedgerRow]) -> LedgerRead:
        draft = watch.draft()
        draft.add(rows[:700])
        draft.clear()
        for begin in range(0, len(listed), 500):
            draft.add(listed[begin : begin + 500])
        return LedgerRead("dynamodb", "resumed", 1, 2, "us-west-2", draft.rows())

    watch.drop(streamed(rows[:3000]))
    watch.add(read := streamed(rows))

    (found,) = watch.look().ledgers
    assert (4500, rows, rows) == (len(found.rows), list(found.rows), list(found.rows))
    assert rows[17] in found.rows
    assert store.ledgers() == [read]
    pages = store._file._connection.execute("SELECT count(*), sum(count) FROM ledger_page").fetchone()
    assert (3, 4500) == pages
