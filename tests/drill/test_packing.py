"""Observations as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.columns import NEVER, NOWHERE, Columns
from drill.model import Goodness, Observation
from drill.packing import checksum, pack, pack_json, unpack, unpack_json

INSTANTS = st.integers(-(2**60), 2**60)
SEEN = st.lists(
    st.builds(
        Observation,
        probe=st.just("p"),
        number=st.integers(0, 2**40),
        due_ns=INSTANTS,
        sent_ns=st.none() | INSTANTS,
        done_ns=st.none() | INSTANTS,
        goodness=st.sampled_from(Goodness),
        answered_by=st.sampled_from([None, "a", "b"]),
    ),
    min_size=1,
    max_size=40,
)
CODES = {None: NOWHERE, "a": 1, "b": 2}


class TestAttempts:
    @given(SEEN)
    def test_come_back_as_they_were(self, seen: list[Observation]) -> None:
        """Whatever the instants, sent or not, every column is the same afterwards."""
        packed = pack([(7, len(seen))], seen, CODES)
        found = unpack(packed, 1, len(seen))
        made = Columns("p", [{}] * len(seen), {1: "a", 2: "b"})
        found.append_to(made, 0, len(seen))

        assert [(7, len(seen))] == found.probes
        assert seen == list(made)
        assert all(one.sent_ns is None or made.sent_ns[at] != NEVER for at, one in enumerate(seen))

    def test_regular_attempts_take_a_few_bytes_each(self) -> None:
        """Attempts on a schedule, each a little late, take less than a tenth of their numbers."""
        seen = [
            Observation("p", n, n * 10**8, n * 10**8 + n * 37 % 4096, n * 10**8 + 10**6, Goodness.GOOD, "a")
            for n in range(1000)
        ]

        assert len(pack([(1, 1000)], seen, CODES)) / 1000 < 6

    def test_other_bytes_are_told(self) -> None:
        """Bytes of another number of attempts, or of none, are an error."""
        seen = [Observation("p", 0, 1, 2, 3, Goodness.GOOD)]
        packed = pack([(1, 1)], seen, CODES)
        with pytest.raises(ValueError, match="not those of 2 attempts"):
            unpack(packed, 1, 2)
        with pytest.raises(ValueError, match="incorrect header"):
            unpack(b"no attempts", 1, 1)


class TestJson:
    @given(st.recursive(st.none() | st.text() | st.integers(), lambda one: st.lists(one, max_size=3)))
    def test_comes_back_as_it_was(self, value: object) -> None:
        """Short or long, compressed or not."""
        assert value == unpack_json(pack_json(value))  # type: ignore[arg-type]


class TestChecksum:
    @given(st.binary(min_size=1, max_size=60), st.data())
    def test_a_flipped_bit_is_another_sum(self, packed: bytes, data: st.DataObject) -> None:
        """No single flipped bit goes unseen, nor does a value that became another one."""
        place = data.draw(st.integers(0, len(packed) * 8 - 1))
        flipped = bytearray(packed)
        flipped[place // 8] ^= 1 << place % 8

        assert checksum(1, "a", packed=packed) != checksum(1, "a", packed=bytes(flipped))
        assert checksum(1, "a", packed=packed) != checksum(2, "a", packed=packed)
        assert checksum(1, "a", packed=packed) != checksum(1, None, packed=packed)
        assert checksum(1, packed="text") == -1
