"""Observations in columns: they read like the sequence that they stand for."""

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.columns import NEVER, Columns, columns
from drill.errors import DrillError
from drill.model import Goodness, History, Json, Marks, Observation, Windowed
from drill.observations import Store

INSTANTS = st.integers(0, 3000)


@st.composite
def attempts(draw: st.DrawFn) -> Observation:
    """Draw an attempt: any instants, sent or not."""
    due_ns = draw(INSTANTS)
    sent_ns = draw(st.none() | INSTANTS)
    done_ns = None if sent_ns is None else sent_ns + draw(INSTANTS)
    goodness = draw(st.sampled_from(Goodness))
    region = draw(st.sampled_from([None, "us-east-1", "us-west-2"]))
    return Observation(
        "p", draw(st.integers(0, 50)), due_ns, sent_ns, done_ns, goodness, region, {"a": due_ns}
    )


def history(seen: Sequence[Observation]) -> History:
    """Return a history of one probe."""
    return History({}, {"p": seen}, Marks(0))


class TestSequence:
    @given(st.lists(attempts(), max_size=30))
    def test_is_what_it_was_made_of(self, seen: list[Observation]) -> None:
        """Every place, every slice and every field is that of the observations."""
        made = Columns.of("p", seen)

        assert seen == list(made)
        assert made == seen
        assert (len(seen), seen[-3:], seen[::2]) == (len(made), made[-3:], made[::2])
        assert [one.detail["a"] for one in made] == [one.due_ns for one in seen]
        assert isinstance(made, Windowed)

    def test_a_place_beyond_the_end(self) -> None:
        """A place that is not there is an error, as of every sequence."""
        with pytest.raises(IndexError):
            Columns.of("p", [])[0]


class TestWindows:
    @given(
        st.lists(attempts(), max_size=30), INSTANTS, st.none() | st.sampled_from(Goodness), st.integers(1, 8)
    )
    def test_late_ones_are_those_of_a_plain_list(
        self, seen: list[Observation], since_ns: int, goodness: Goodness | None, block: int
    ) -> None:
        """What was due or sent since an instant is the same, however it is held and however it grew."""
        plain = history(seen)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("drill.columns._BLOCK", block)
            whole = Columns.of("p", seen)
            made = Columns("p", whole.details, whole.regions)
            for name in ("number", "due_ns", "sent_ns", "done_ns", "goodness", "region"):
                getattr(made, name).extend(getattr(whole, name))
            fast = history(made)

            assert plain.due_since("p", since_ns) == fast.due_since("p", since_ns)
            assert list(plain.sent_since("p", since_ns, goodness)) == list(
                fast.sent_since("p", since_ns, goodness)
            )
            assert plain.last_due_ns("p", -1) == fast.last_due_ns("p", -1)
            assert plain.first_number("p") == fast.first_number("p") == fast.first_number("p")

    def test_a_probe_that_saw_nothing(self) -> None:
        """Nothing is late, and the newest is the one that was asked for instead."""
        for nothing in (History({}, {}, Marks(0)), history(Columns.of("p", []))):
            assert list(nothing.due_since("p", 0)) == []
            assert list(nothing.sent_since("p", 0)) == []
            assert nothing.last_due_ns("p", 7) == 7
            assert nothing.first_number("p") is None


class TestOrder:
    @given(st.lists(attempts(), max_size=30), st.randoms(use_true_random=False))
    def test_order_of_sending_is_one_whatever_the_order_of_adding(
        self, seen: list[Observation], mix: object
    ) -> None:
        """What was sent stands in the order of sending, what never was is left out."""
        shuffled = list(seen)
        mix.shuffle(shuffled)  # type: ignore[attr-defined]
        orders = []
        for every in (seen, shuffled):
            made = Columns.of("p", every)
            orders.append([(made.sent_ns[at], made.number[at], made.done_ns[at]) for at in made.by_sending()])

        assert orders[0] == orders[1] == sorted(orders[0])
        assert len(orders[0]) == sum(1 for one in seen if one.sent_ns is not None)
        assert all(NEVER not in one for one in orders[0])

    def test_it_is_made_anew_when_more_was_added(self) -> None:
        """An order that was asked for before more came does not hide what came."""
        made = Columns.of("p", [])
        assert list(made.by_sending()) == []
        for column, value in (("number", 0), ("due_ns", 5), ("sent_ns", 5), ("done_ns", 6), ("region", 0)):
            getattr(made, column).append(value)
        made.goodness.append(0)

        assert list(made.by_sending()) == [0]


class TestWhateverItIsHeldIn:
    def test_columns_are_taken_as_they_are(self) -> None:
        """Columns are not copied, a list becomes columns, a probe that is not there has none."""
        made = Columns.of("p", [])

        assert columns(history(made), "p") is made
        assert len(columns(history([]), "nobody")) == 0

    def test_a_detail_is_read_when_a_key_is_asked_for(self, tmp_path: Path) -> None:
        """Going over a million attempts reads no detail; asking for one reads it."""
        due = Observation("p", 0, 1, 2, 3, Goodness.GOOD, None, {"a": 1})
        with Store.create(tmp_path / "observations.sqlite") as store:
            store.add([due])
            reader = store.reader()
            reader.more()
            (one,) = reader.seen["p"]
            store._file._connection.execute("DELETE FROM detail")

            assert one.goodness is Goodness.GOOD
            with pytest.raises(DrillError, match=r"details .* are not as they were written"):
                one.detail["a"]


def test_a_long_drill_takes_little_memory(tmp_path: Path) -> None:
    """Read from a run's file, an observation takes less than 80 bytes, however much it saw besides."""
    count = 20_000
    detail: dict[str, Json] = {
        "status": 200,
        "address": "127.0.71.1",
        "connect_s": 0.000123,
        "first_byte_s": 0.004567,
    }
    with Store.create(tmp_path / "observations.sqlite") as store:
        for begin in range(0, count, 500):
            store.add(
                Observation("p", n, 10**15 + n, 10**15 + n, 10**15 + n, Goodness.GOOD, "us-east-1", detail)
                for n in range(begin, begin + 500)
            )
        reader = store.reader()
        tracemalloc.start()
        reader.more()
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()

    assert kept / count < 80
    assert len(reader.seen["p"]) == count
