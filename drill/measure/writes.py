"""The writer's writes in columns: a million of them with their nonces take some 60 MB, not a gigabyte."""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from drill.columns import GOOD, NEVER, Columns, columns
from drill.model import History, Json

WRITTEN = "written"
# No text encodes to this byte: what has no nonce is equal to none.
_NO_NONCE = b"\xff"


@dataclass(frozen=True, slots=True)
class Writes:
    """Every write that was sent, in the order of numbers; each has a place.

    Attributes:
        number: Their numbers, each once.
        sent_ns: When each was sent.
        done_ns: When it was answered or given up.
        goodness: As codes of :mod:`drill.columns`.
        region: Who answered, as keys of ``regions``.
        regions: The regions by their codes.
        promised: For each store, 1 where the answer promises that the store holds the write.
        nonces: Their nonces, one after the other.
        nonce_ends: Where in ``nonces`` each begins and ends.

    """

    number: "array[int]"
    sent_ns: "array[int]"
    done_ns: "array[int]"
    goodness: bytes
    region: "array[int]"
    regions: Mapping[int, str]
    promised: Mapping[str, bytes]
    nonces: bytes
    nonce_ends: "array[int]"

    def __len__(self) -> int:
        return len(self.number)

    def place(self, number: int) -> int | None:
        """Return the place of a number; None if no such write was sent."""
        # Numbers are mostly without a gap: then the first look finds it.
        guess = number - self.number[0] if self.number else 0
        if 0 <= guess < len(self.number) and self.number[guess] == number:
            return guess
        found = bisect_left(self.number, number)
        return found if found < len(self.number) and self.number[found] == number else None

    def has_nonce(self, place: int, nonce: str) -> bool:
        """Say whether a write was sent with this nonce."""
        begin, end = self.nonce_ends[2 * place], self.nonce_ends[2 * place + 1]
        return self.nonces[begin:end] == _encoded(nonce)

    def answered_by(self, region: str | None) -> bytes:
        """Return 1 where a region answered (None: where the answer did not tell)."""
        codes = {code for code in {*self.region} if self.regions.get(code) == region}
        return bytes(code in codes for code in self.region)

    def numbers_of(self, mask: Iterable[int]) -> tuple[int, ...]:
        """Return the numbers where a mask is 1, ascending."""
        return tuple(compress(self.number, mask))


def sent_writes(history: History, probe: str, stores: Collection[str]) -> Writes:
    """Return the writes that were sent; one never sent can be in no store.

    Args:
        history: What was observed.
        probe: The writer.
        stores: Which promises are looked for.

    """
    seen = columns(history, probe)
    places = [place for place in range(len(seen)) if NEVER not in (seen.sent_ns[place], seen.done_ns[place])]
    last = {seen.number[place]: at for at, place in enumerate(places)}
    order = [last[number] for number in sorted(last)]
    details = _Read.of(seen, places, stores)
    chosen = [places[at] for at in order]
    return Writes(
        number=_picked(seen.number, chosen, "q"),
        sent_ns=_picked(seen.sent_ns, chosen, "q"),
        done_ns=_picked(seen.done_ns, chosen, "q"),
        goodness=bytes(map(seen.goodness.__getitem__, chosen)),
        region=_picked(seen.region, chosen, "I"),
        regions=seen.regions,
        promised={store: bytes(map(mask.__getitem__, order)) for store, mask in details.promised.items()},
        nonces=bytes(details.nonces),
        nonce_ends=array("Q", (end for at in order for end in details.ends[2 * at : 2 * at + 2])),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What the details of writes tell, in the order of adding: so each part of the store is read once."""

    promised: Mapping[str, bytearray]
    nonces: bytearray
    ends: "array[int]"

    @classmethod
    def of(cls, seen: Columns, places: Sequence[int], stores: Collection[str]) -> "_Read":
        promised = {store: bytearray() for store in stores}
        nonces, ends = bytearray(), array("Q")
        for place in places:
            detail = seen.details[place]
            said = detail.get("stores")
            good = seen.goodness[place] == GOOD and isinstance(said, Mapping)
            for store, mask in promised.items():
                mask.append(good and _says_written(said, store))
            ends.append(len(nonces))
            nonces += _encoded(detail.get("nonce"))
            ends.append(len(nonces))
        return cls(promised, nonces, ends)


def _says_written(said: Json, store: str) -> bool:
    return isinstance(said, Mapping) and said.get(store) == WRITTEN


def _encoded(nonce: Json) -> bytes:
    return nonce.encode(errors="surrogatepass") if isinstance(nonce, str) else _NO_NONCE


def _picked(column: "array[int]", places: Sequence[int], code: str) -> "array[int]":
    return array(code, map(column.__getitem__, places))
