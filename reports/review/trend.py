"""How the numbers of a scenario went from drill to drill, and what so many drills prove."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drill.model import Measurement
from reports.numbers import PHASE
from reports.review import index
from reports.review.significance import (
    BEFORE,
    LAST,
    confidence,
    drills_needed,
    p_value,
    worse,
)
from reports.series import Table
from reports.wording import limit, measured, wall_time

_QUANTILES = ((0.5, "half of all drills"), (0.9, "nine drills in ten"), (0.95, "19 drills in 20"))
_WANTED = 0.95
_ROWS = 10


@dataclass(frozen=True, slots=True)
class Point:
    """One drill's number."""

    run_id: str
    started: str
    low: float
    high: float | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One number over all drills of a series.

    Attributes:
        key: Unique on the page.
        label: What it is.
        phase: Whether it is a phase of the recovery.
        unit: As in a measurement.
        points: The oldest first.
        objective: What is wanted of it now; None if nothing is.
        p: How likely such a rise would be by chance; None for too few drills.
        worse: Whether the rise is marked.

    """

    key: str
    label: str
    phase: bool
    unit: str
    points: tuple[Point, ...]
    objective: float | None
    p: float | None
    worse: bool

    @property
    def tested(self) -> str:
        """Return what the test said, in words."""
        last, before = _parts(self.points)
        if self.p is None:
            return f"too few drills to test: {len(self.points)} of at least {2 * LAST}"
        verb = "it rose" if self.worse else "no sure rise"
        return f"{verb}: the last {len(last)} drills against the {len(before)} before, p = {_p(self.p)}"

    @property
    def proves(self) -> str:
        """Return what so many drills prove of its worst value."""
        highs = [one.high for one in self.points]
        if not highs or None in highs:
            return "The worst of them is not bounded, so they prove no upper limit."
        worst = max(high for high in highs if high is not None)
        sure = "; ".join(
            f"{words}: {_percent(confidence(len(highs), quantile))}" for quantile, words in _QUANTILES
        )
        return (
            f"At most {_text(worst, worst, self.unit)} in {len(highs)} drills. How surely it bounds {sure}. "
            f"For 19 in 20 with 95 % it takes {drills_needed(0.95, _WANTED)} drills."
        )

    @property
    def numbers(self) -> Table:
        """Return the newest of its points as a table."""
        rows = tuple(
            (
                one.run_id,
                wall_time(one.started)[:10],
                _text(one.low, one.high, self.unit),
                one.outcome or "\u2013",
            )
            for one in reversed(self.points[-_ROWS:])
        )
        return Table(f"{self.label}: the newest {len(rows)} drills", ("Run", "Day", "Value", "Judged"), rows)

    @property
    def latest(self) -> str:
        """Return the newest value."""
        return _text(self.points[-1].low, self.points[-1].high, self.unit) if self.points else "\u2013"

    @property
    def wanted(self) -> str:
        """Return the objective in words; empty if there is none."""
        return "" if self.objective is None else limit(self.objective, self.unit)


@dataclass(frozen=True, slots=True)
class Trend:
    """The numbers of one series.

    Attributes:
        scenario: The scenario.
        series: Which series of it is shown.
        words: What its drills have in common.
        choices: The scenarios that there are.
        others: The series of the scenario, the largest first: key, words, how many drills.
        drills: How many drills it has.
        curves: The judged numbers first, then the phases, then the others.

    """

    scenario: str
    series: str
    words: str
    choices: tuple[str, ...]
    others: tuple[tuple[str, str, int], ...]
    drills: int
    curves: tuple[Curve, ...]


def trend(path: Path, scenario: str, series: str) -> Trend:
    """Return the trend of a scenario; of its largest series if none is named.

    Raises:
        DrillError: The review's file can't be used.

    """
    choices = tuple(
        one["scenario"]
        for one in index.rows(
            path,
            "SELECT scenario, count(*) AS n FROM run WHERE series != '' GROUP BY scenario ORDER BY n DESC",
            (),
        )
    )
    chosen = scenario if scenario in choices else next(iter(choices), "")
    others = tuple(
        (one["series"], one["words"], one["n"])
        for one in index.rows(
            path,
            "SELECT series, max(series_words) AS words, count(*) AS n FROM run "
            "WHERE scenario = ? AND series != '' GROUP BY series ORDER BY n DESC, series",
            (chosen,),
        )
    )
    shown = next((one for one in others if one[0] == series), others[0] if others else ("", "", 0))
    found = index.rows(
        path,
        "SELECT run_id, started, place, name, part, label, unit, low, high, objective, number.outcome "
        "FROM run JOIN number USING (run_id) WHERE scenario = ? AND series = ? "
        "ORDER BY started, run_id, place",
        (chosen, shown[0]),
    )
    return Trend(chosen, shown[0], shown[1], choices, others, shown[2], _curves(found))


def _curves(found: Sequence[sqlite3.Row]) -> tuple[Curve, ...]:
    """Return the curves that the rows of an index make: the judged first, then the phases."""
    newest: dict[tuple[str, str], sqlite3.Row] = {}
    points: dict[tuple[str, str], list[Point]] = {}
    for one in found:
        key = (one["name"], one["part"])
        newest[key] = one
        points.setdefault(key, []).append(
            Point(one["run_id"], one["started"], one["low"], one["high"], one["outcome"])
        )
    p_values = {key: _tested(every) for key, every in points.items()}
    marked = worse(p_values)
    made = [
        Curve(
            key=f"curve-{number}",
            label=newest[key]["label"],
            phase=newest[key]["name"] == PHASE,
            unit=newest[key]["unit"],
            points=tuple(every),
            objective=newest[key]["objective"],
            p=p_values[key],
            worse=key in marked,
        )
        for number, (key, every) in enumerate(points.items())
    ]
    return tuple(sorted(made, key=lambda one: (one.objective is None, not one.phase)))


def _parts(points: Sequence[Point]) -> tuple[Sequence[Point], Sequence[Point]]:
    """Return the last drills, and those before that they are tested against."""
    return points[-LAST:], points[-LAST - BEFORE : -LAST]


def _tested(points: Sequence[Point]) -> float | None:
    last, before = _parts(points)
    if len(before) < LAST:
        return None
    return p_value([(one.low, one.high) for one in before], [(one.low, one.high) for one in last])


def _text(low: float, high: float | None, unit: str) -> str:
    return measured(Measurement("", low, high, unit, "", ""))


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def _percent(share: float) -> str:
    # Never rounded up to a certainty.
    return f"{int(share * 1000) / 10:g} %" if share < 0.999 else "above 99.9 %"
