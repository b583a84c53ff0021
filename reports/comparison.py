"""One drill against others: numbers side by side, and what else is not the same; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from drill.model import Measurement
from drill.record import Record
from reports.numbers import Number, numbers, series
from reports.series import Table
from reports.text import as_text
from reports.wording import measured, wall_time

_MISSING = "\u2013"
_ALIKE = "can\u2019t be told apart"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The drills that a report compares with.

    Attributes:
        previous: The one before, with the same parameters in the same place; None if there is none.
        best: The one of those that recovered quickest; None if there is none.

    """

    previous: Record | None = None
    best: Record | None = None


NONE = Earlier()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a page shows of one drill against others.

    Attributes:
        numbers: Side by side.
        others: What else is not the same: verdicts, findings, versions, parameters.
        sentence: Better or worse than the previous one, in one sentence; empty if there is none.

    """

    numbers: Table
    others: Table
    sentence: str


def earlier(mine: Record, candidates: Sequence[Record]) -> Earlier:
    """Choose the previous and the best drill of those that came before, in any order.

    The best is the one whose first judged number, or else first number, has the least upper bound.
    """
    before = sorted(
        (one for one in candidates if one.run_id != mine.run_id and _comparable(one, mine)),
        key=lambda one: one.started.wall,
    )
    if not before:
        return Earlier()
    leading = numbers(mine)[:1]
    rated = [(one, _high(one, leading[0])) for one in before] if leading else []
    bounded = [(high, one) for one, high in rated if high is not None]
    best = min(bounded, key=lambda pair: pair[0])[1] if bounded else None
    return Earlier(before[-1], best)


def compare(mine: Record, others: Mapping[str, Record]) -> Comparison:
    """Compare a drill with others, which are given by what each is called (``previous``, ``best``)."""
    columns = {name: {one.key: one for one in numbers(other)} for name, other in others.items()}
    own = numbers(mine)
    extra = [one for found in columns.values() for key, one in found.items() if key not in _keys(own)]
    rows = [_row(one, one, columns) for one in own]
    rows += [_row(one, None, columns) for one in {one.key: one for one in extra}.values()]
    head = ["Number", "This drill"]
    for name, other in others.items():
        head += [f"{name}: {_when(other)}", f"against {name}"]
    caption = (
        "Each number beside that of others; what the intervals can\u2019t tell apart is called no change"
    )
    table = Table(caption, tuple(head), tuple(rows), frozenset(range(1, len(head))))
    return Comparison(table, _others(mine, others), _sentence(mine, others))


def change(mine: Number, other: Number) -> str:
    """Return how much more one number is than another, for example ``0.3 to 0.5 s longer``."""
    more, less = ("longer", "shorter") if mine.unit == "s" else ("more", "less")
    if other.high is not None and mine.low > other.high:
        return f"{_between(mine, other)} {more}"
    if mine.high is not None and mine.high < other.low:
        return f"{_between(other, mine)} {less}"
    return (
        "the same" if (mine.low, mine.high) == (other.low, other.high) and mine.low == mine.high else _ALIKE
    )


def _between(larger: Number, smaller: Number) -> str:
    """Return by how much one number surely is larger than another, and by how much at most."""
    least = larger.low - (smaller.high or 0.0)
    return _by(least, None if larger.high is None else larger.high - smaller.low, larger.unit)


def _keys(found: Sequence[Number]) -> set[tuple[str, str]]:
    return {one.key for one in found}


def _comparable(one: Record, other: Record) -> bool:
    """Say whether a drill came before another and its numbers may stand beside that one's."""
    return series(one).key == series(other).key and one.started.wall < other.started.wall


def _high(record: Record, wanted: Number) -> float | None:
    return next((one.high for one in numbers(record) if one.key == wanted.key), None)


def _row(
    named: Number, mine: Number | None, columns: Mapping[str, Mapping[tuple[str, str], Number]]
) -> tuple[str, ...]:
    cells = [named.label, _interval(mine)]
    for found in columns.values():
        other = found.get(named.key)
        cells += [_interval(other), change(mine, other) if mine and other else _MISSING]
    return tuple(cells)


def _interval(one: Number | None) -> str:
    return _MISSING if one is None else _by(one.low, one.high, one.unit)


def _by(low: float, high: float | None, unit: str) -> str:
    return measured(Measurement("", low, high, unit, "", ""))


def _others(mine: Record, others: Mapping[str, Record]) -> Table:
    """Return what differs besides the numbers, one row a thing, a column a drill."""
    every = [mine, *others.values()]
    told = [dict(_told(record)) for record in every]
    names = list(dict.fromkeys(name for one in told for name in one))
    rows = tuple(
        (name, *cells)
        for name in names
        for cells in [[one.get(name, _MISSING) for one in told]]
        if len(set(cells)) > 1
    )
    head = ("What", "This drill", *(f"{name}: {_when(other)}" for name, other in others.items()))
    return Table("What else is not the same", head, rows)


def _told(record: Record) -> Iterator[tuple[str, str]]:
    yield "verdict", f"{record.outcome.value}: {record.reason}"
    yield "put back", "yes" if record.rolled_back else "not everything"
    for finding in record.measured.findings:
        yield f"finding {finding.code}", f"{finding.severity.value}: {finding.title}"
    for one in record.judgements:
        yield f"objective {one.objective.name}", f"{one.objective.limit:g} {one.objective.unit}"
    for key, value in record.params.items():
        yield f"parameter {key}", as_text(value)
    for key, value in {**record.environment, "target": record.target}.items():
        yield key, value
    for key, value in record.versions.items():
        yield f"version of {key}", value


def _sentence(mine: Record, others: Mapping[str, Record]) -> str:
    """Say how the leading number moved against the first of the others; empty if nothing was judged."""
    leading = numbers(mine)[:1]
    if not leading or leading[0].objective is None or not others:
        return ""
    name, other = next(iter(others.items()))
    found = next((one for one in numbers(other) if one.key == leading[0].key), None)
    if found is None:
        return ""
    told = change(leading[0], found)
    words = "no difference that the intervals prove" if told == _ALIKE else told
    return f"Against the {name} drill ({_when(other)}): {leading[0].label} {words}."


def _when(record: Record) -> str:
    return wall_time(record.started.wall)[:16]
