"""The numbers that matter first: objectives against what was measured; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drill.model import Judgement, Measurement
from drill.record import Record
from reports.ledger import occasion
from reports.series import Bar
from reports.wording import limit, measured

_HEADLINES = ("recovery_time", "recovery_point", "recovery_point_writes", "client_outage", "failback")
_MOST_BESIDE = 3
Judged = Literal["met", "breached", "inconclusive", "unjudged"]


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
        bar: The interval against the objective; None if nothing was measured.
        beside: Other parts of the same measure, each with its interval.

    """

    key: str
    title: str
    part: str
    value: str
    tone: Judged
    word: str
    why: str
    bar: Bar | None
    beside: tuple[tuple[str, str], ...]


def tiles(record: Record) -> tuple[Tile, ...]:
    """Return the judged measures first, then the other headlines that were measured."""
    judged = record.judgements
    every = record.measured.measurements
    found = [_judged(f"tile-{number}", judgement, every) for number, judgement in enumerate(judged)]
    taken = {judgement.objective.measurement for judgement in judged}
    for name in _HEADLINES:
        parts = [measurement for measurement in every if measurement.name == name]
        if parts and name not in taken:
            found.append(_unjudged(f"tile-{name}", parts))
    return tuple(found)


def part(text: str) -> str:
    """Return a measurement's part in words: ``dynamodb/cutover`` as ``dynamodb, at cutover``."""
    return ", ".join(occasion(piece) for piece in text.split("/"))


def _judged(key: str, judgement: Judgement, every: Sequence[Measurement]) -> Tile:
    objective, measurement = judgement.objective, judgement.measurement
    tone: Judged = judgement.outcome.value
    allowed = limit(objective.limit, objective.unit)
    name = measurement.label if measurement else objective.measurement.replace("_", " ")
    value = measured(measurement) if measurement else "not measured"
    shown = None
    if measurement:
        words = f"{name}: {value}, objective {allowed}, {tone}"
        shown = Bar(words, measurement.low, measurement.high, objective.limit, allowed, tone)
    beside = _beside([one for one in every if one.name == objective.measurement and one.part != objective.part])
    return Tile(key, name, part(objective.part), value, tone, tone, judgement.why, shown, beside)


def _unjudged(key: str, parts: Sequence[Measurement]) -> Tile:
    first = parts[0]
    value = measured(first)
    return Tile(
        key,
        first.label,
        part(first.part),
        value,
        "unjudged",
        "",
        "",
        Bar(f"{first.label}: {value}, no objective", first.low, first.high, None, "", "unjudged"),
        _beside(parts[1:]),
    )


def _beside(parts: Sequence[Measurement]) -> tuple[tuple[str, str], ...]:
    return tuple((part(one.part) or one.label, measured(one)) for one in parts[:_MOST_BESIDE])
