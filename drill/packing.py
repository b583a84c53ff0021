"""Observations as bytes: a few for each attempt, with a checksum. Pure.

Numbers that hardly change from one attempt to the next are kept as differences, all first bytes
of them before all second ones, so that what is left is mostly zeros and compresses well.
"""

import json
import sys
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import add
from typing import Any

from drill.columns import CODES, NEVER, Columns
from drill.model import Json, Observation

_COLUMNS = 6
_BYTES = 8
# Level 6 takes twice as long as 1 and saves a tenth: the sampler has the time, the disk is kept for years.
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Attempts:
    """Unpacked attempts, in columns as in :class:`drill.columns.Columns`."""

    number: "array[int]"
    due_ns: "array[int]"
    sent_ns: "array[int]"
    done_ns: "array[int]"
    goodness: bytes
    region: "array[int]"

    def append_to(self, columns: Columns) -> None:
        """Add them to what is known of their probe."""
        columns.number.extend(self.number)
        columns.due_ns.extend(self.due_ns)
        columns.sent_ns.extend(self.sent_ns)
        columns.done_ns.extend(self.done_ns)
        columns.goodness.extend(self.goodness)
        columns.region.extend(self.region)


def pack(observations: Sequence[Observation], codes: Mapping[str | None, int]) -> bytes:
    """Return the attempts of one probe as bytes.

    Args:
        observations: At least one.
        codes: A number for each region that answered.

    """
    values: array[int] = array("q")
    values.extend(_differences([one.number for one in observations]))
    values.extend(_differences([one.due_ns for one in observations]))
    values.extend(NEVER if one.sent_ns is None else one.sent_ns - one.due_ns for one in observations)
    values.extend(
        NEVER if one.done_ns is None else one.done_ns - (one.due_ns if one.sent_ns is None else one.sent_ns)
        for one in observations
    )
    values.extend(CODES[one.goodness] for one in observations)
    values.extend(codes[one.answered_by] for one in observations)
    plain = _little_endian(values).tobytes()
    ordered = b"".join(plain[place::_BYTES] for place in range(_BYTES))
    return min(zlib.compress(ordered, _LEVEL), ordered, key=len)


def unpack(packed: bytes, count: int) -> Attempts:
    """Return what :func:`pack` packed.

    Raises:
        ValueError: These are not the bytes of so many attempts.

    """
    size = count * _COLUMNS * _BYTES
    ordered = packed if len(packed) == size else _inflated(packed)
    if len(ordered) != size:
        msg = f"{len(ordered)} bytes are not those of {count} attempts"
        raise ValueError(msg)
    plain = bytearray(size)
    values_in_each = count * _COLUMNS
    for place in range(_BYTES):
        plain[place::_BYTES] = ordered[place * values_in_each : (place + 1) * values_in_each]
    values: array[int] = array("q", bytes(plain))
    values = _little_endian(values)
    numbers, dues, lags, tooks, goodness, regions = (
        values[place * count : (place + 1) * count] for place in range(_COLUMNS)
    )
    due_ns = array("q", accumulate(dues))
    sent_ns = _added(due_ns, lags)
    return Attempts(
        number=array("q", accumulate(numbers)),
        due_ns=due_ns,
        sent_ns=sent_ns,
        done_ns=_added(_or_due(sent_ns, due_ns), tooks),
        goodness=bytes(goodness.tolist()),  # bytes() of an array would be its memory
        region=array("I", regions),
    )


def pack_json(value: Json) -> bytes:
    """Return a value as JSON, compressed where that is shorter.

    Raises:
        TypeError: It holds something that is no JSON.

    """
    text = json.dumps(value, separators=(",", ":")).encode()
    return min(zlib.compress(text, _LEVEL), text, key=len)


def unpack_json(packed: bytes) -> Any:  # noqa: ANN401 (JSON)
    """Return what :func:`pack_json` packed.

    Raises:
        ValueError: These bytes are something else.

    """
    # A compressed value begins with a byte that no JSON text begins with.
    return json.loads(_inflated(packed) if packed[:1] == b"\x78" else packed)


def checksum(*parts: str | int | None | bytes) -> int:
    """Return a checksum over values: SQLite keeps none, and a flipped bit must be no other number."""
    total = 0
    for part in parts:
        whole = part if isinstance(part, bytes) else repr(part).encode()
        total = zlib.crc32(whole, zlib.crc32(b"%d:" % len(whole), total))
    return total


def _differences(values: Sequence[int]) -> list[int]:
    return [values[0], *(after - before for before, after in zip(values, values[1:], strict=False))]


def _added(since_ns: "array[int]", lasted_ns: "array[int]") -> "array[int]":
    if NEVER not in lasted_ns:
        return array("q", map(add, since_ns, lasted_ns))
    return array(
        "q",
        (
            NEVER if lasted == NEVER else since + lasted
            for since, lasted in zip(since_ns, lasted_ns, strict=True)
        ),
    )


def _or_due(sent_ns: "array[int]", due_ns: "array[int]") -> "array[int]":
    if NEVER not in sent_ns:
        return sent_ns
    return array("q", (due if sent == NEVER else sent for sent, due in zip(sent_ns, due_ns, strict=True)))


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error as problem:
        raise ValueError(str(problem)) from problem


def _little_endian(values: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        values.byteswap()
    return values
