"""The numbers that matter first: objectives against what was measured; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from drill.model import Judgement, Measurement
from drill.record import Record
from reports import audited
from reports.ledger import occasion, store_name
from reports.series import Bar
from reports.wording import limit, measured

_TITLES: Mapping[str, str] = {
    "recovery_time": "recovery time",
    "recovery_point": "recovery point",
    "recovery_point_writes": "lost writes",
    "client_outage": "client outage",
    "failback": "failback",
}
_PARTS: Mapping[str, str] = {
    "impact": "from the impact",
    "before": "before the fault",
    "during": "during the fault",
}
_MOST_BESIDE = 3


@dataclass(frozen=True, slots=True)
class Tile:
    """One measure, large.

    Attributes:
        key: Unique on the page.
        title: What was measured.
        part: Of what.
        value: The interval.
        tone: How it was judged.
        word: The same as a word; empty if there was no objective.
        why: The judge's sentence.
        bar: The interval against the objective; None without either.
        beside: Other parts of the same measure, each with its interval.
        because: What an audit found before that explains it, one line each.

    """

    key: str
    title: str
    part: str
    value: str
    tone: str
    word: str
    why: str
    bar: Bar | None
    beside: tuple[tuple[str, str], ...]
    because: tuple[str, ...] = ()


def tiles(record: Record) -> tuple[Tile, ...]:
    """Return the judged measures first, then the other headlines that were measured."""
    judged = record.judgements
    every = record.measured.measurements
    found = [
        replace(_judged(f"tile-{number}", one, every), because=audited.because(record.audit, one))
        for number, one in enumerate(judged)
    ]
    taken = {judgement.objective.measurement for judgement in judged}
    for name in _TITLES:
        parts = [measurement for measurement in every if measurement.name == name]
        if parts and name not in taken:
            found.append(_unjudged(f"tile-{name}", parts))
    return tuple(found)


def part(text: str) -> str:
    """Return a measurement's part in words: ``dynamodb/cutover`` as ``dynamodb, at cutover``."""
    return ", ".join(_PARTS.get(piece) or store_name(occasion(piece)) for piece in text.split("/"))


def _judged(key: str, judgement: Judgement, every: Sequence[Measurement]) -> Tile:
    objective, measurement = judgement.objective, judgement.measurement
    outcome = judgement.outcome
    allowed = limit(objective.limit, objective.unit)
    name = _title(objective.measurement, measurement)
    value = measured(measurement) if measurement else "not measured"
    shown = None
    if measurement:
        words = f"{name}: {value}, objective {allowed}, {outcome.value}"
        shown = Bar(words, measurement.low, measurement.high, objective.limit, allowed, outcome)
    beside = _beside([one for one in every if one.name == objective.measurement], objective.part)
    return Tile(
        key,
        name,
        part(objective.part),
        _unbroken(value),
        outcome.value,
        outcome.value,
        judgement.why,
        shown,
        beside,
    )


def _unjudged(key: str, parts: Sequence[Measurement]) -> Tile:
    first = parts[0]
    value = measured(first)
    return Tile(
        key,
        _title(first.name, first),
        part(first.part),
        _unbroken(value),
        "unjudged",
        "",
        "",
        None,
        _beside(parts, first.part),
    )


def _unbroken(value: str) -> str:
    """Keep the unit on the line of its number."""
    return "\u00a0".join(value.rsplit(" ", 1))


def _title(name: str, measurement: Measurement | None) -> str:
    label = measurement.label if measurement else name.replace("_", " ")
    return _TITLES.get(name, label)


def _beside(every: Sequence[Measurement], shown: str) -> tuple[tuple[str, str], ...]:
    """Return the other parts; of a ledger's those of the same occasion, since the rest is told below."""
    others = [one for one in every if one.part != shown and _occasion(one.part) == _occasion(shown)]
    return tuple((part(one.part) or "from the fault", measured(one)) for one in others[:_MOST_BESIDE])


def _occasion(text: str) -> str:
    return text.partition("/")[2]
