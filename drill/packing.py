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
from itertools import accumulate, pairwise
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
    """Unpacked attempts of several probes, in columns as in :class:`drill.columns.Columns`.

    Attributes:
        probes: Each probe's number, and how many of the attempts are its own, in their order.

    """

    probes: Sequence[tuple[int, int]]
    number: "array[int]"
    due_ns: "array[int]"
    sent_ns: "array[int]"
    done_ns: "array[int]"
    goodness: bytes
    region: "array[int]"

    def append_to(self, columns: Columns, begin: int, end: int) -> None:
        """Add those from one place to another to what is known of their probe."""
        columns.number.extend(self.number[begin:end])
        columns.due_ns.extend(self.due_ns[begin:end])
        columns.sent_ns.extend(self.sent_ns[begin:end])
        columns.done_ns.extend(self.done_ns[begin:end])
        columns.goodness.extend(self.goodness[begin:end])
        columns.region.extend(self.region[begin:end])


def pack(
    probes: Sequence[tuple[int, int]], observations: Sequence[Observation], codes: Mapping[str | None, int]
) -> bytes:
    """Return attempts as bytes.

    Args:
        probes: Each probe's number, and how many of the attempts are its own.
        observations: At least one; one probe's after the other's.
        codes: A number for each region that answered.

    """
    values: array[int] = array("q")
    for probe in probes:
        values.extend(probe)
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


def unpack(packed: bytes, probes: int, count: int) -> Attempts:
    """Return what :func:`pack` packed.

    Args:
        packed: The bytes.
        probes: Of how many probes.
        count: How many attempts.

    Raises:
        ValueError: These are not the bytes of so many attempts.

    """
    heads = 2 * probes
    length = heads + count * _COLUMNS
    ordered = packed if len(packed) == length * _BYTES else _inflated(packed)
    if len(ordered) != length * _BYTES:
        msg = f"{len(ordered)} bytes are not those of {count} attempts"
        raise ValueError(msg)
    plain = bytearray(length * _BYTES)
    for place in range(_BYTES):
        plain[place::_BYTES] = ordered[place * length : (place + 1) * length]
    values = _little_endian(array("q", bytes(plain)))
    numbers, dues, lags, lasted, goodness, regions = (
        values[begin : begin + count] for begin in range(heads, length, count)
    )
    due_ns = array("q", accumulate(dues))
    sent_ns = _added(due_ns, lags)
    return Attempts(
        probes=[(values[place], values[place + 1]) for place in range(0, heads, 2)],
        number=array("q", accumulate(numbers)),
        due_ns=due_ns,
        sent_ns=sent_ns,
        done_ns=_added(_or_due(sent_ns, due_ns), lasted),
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


def checksum(*parts: str | int | None, packed: object = b"") -> int:
    """Return a checksum over values and bytes: SQLite keeps none, and a flipped bit must not be a number."""
    if not isinstance(packed, bytes):  # a damaged file gives back another type
        return -1
    return zlib.crc32(packed, zlib.crc32(repr(parts).encode(errors="surrogatepass")))


def _differences(values: Sequence[int]) -> list[int]:
    return [values[0], *(after - before for before, after in pairwise(values))]


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
