"""The numbers of a drill that can be compared with those of another; pure.

Whatever was measured is among them, by its own name: nothing here knows a scenario.
"""

import hashlib
import json
from dataclasses import dataclass

from drill.model import Judgement, Outcome, Phase
from drill.record import Record
from reports.text import as_text
from reports.wording import seconds_since

PHASE = "phase"


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a drill.

    Attributes:
        name: Of the measure.
        part: What it belongs to, where one measure gives several.
        label: What it is called on a page.
        unit: As in a measurement.
        low: Lower bound.
        high: Upper bound; None if nothing bounds it.
        objective: What was wanted of it; None if nothing was.
        outcome: How it was judged; None if it was not.

    """

    name: str
    part: str
    label: str
    unit: str
    low: float
    high: float | None
    objective: float | None = None
    outcome: Outcome | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Return what makes it the same number in another drill."""
        return self.name, self.part


@dataclass(frozen=True, slots=True)
class Series:
    """Drills whose numbers may be compared: one scenario, the same parameters, the same place.

    Attributes:
        key: The same for two drills that may be compared.
        words: What they have in common.

    """

    key: str
    words: str


def numbers(record: Record) -> tuple[Number, ...]:
    """Return the judged numbers first, then the phases, then the others in the record's order."""
    judged = {(one.objective.measurement, one.objective.part): one for one in record.judgements}
    found = [
        Number(one.name, one.part, one.label, one.unit, one.low, one.high, *_judged(judged.get(key)))
        for one in record.measured.measurements
        for key in [(one.name, one.part)]
    ]
    if not any(one.name == PHASE for one in found):
        found += [
            _phase(phase, record.marks.recovery_ended_ns)
            for phase in record.measured.phases
            if phase.exercised
        ]
    return tuple(sorted(found, key=lambda one: (one.objective is None, one.name != PHASE)))


def series(record: Record) -> Series:
    """Return which drills this one may be compared with.

    A lab that a drill starts for itself has another name each time, so labs are told apart by profile.
    """
    found = record.environment
    lab = found.get("kind") == "lab"
    place = f"lab, profile {found.get('profile') or 'unnamed'}" if lab else f"{record.target} on AWS"
    typed = {key: value for key, value in sorted(record.params.items()) if value is not None}
    words = ", ".join([place, *(f"{key}={as_text(value)}" for key, value in typed.items())])
    identity = json.dumps([record.scenario, place, typed], sort_keys=True)
    return Series(hashlib.sha256(identity.encode()).hexdigest()[:12], words)


def _judged(judgement: Judgement | None) -> tuple[float | None, Outcome | None]:
    return (None, None) if judgement is None else (judgement.objective.limit, judgement.outcome)


def _phase(phase: Phase, ended_ns: int | None) -> Number:
    if phase.ends is None:
        until_ns = phase.begins.latest_ns if ended_ns is None else ended_ns
        low_s = max(0.0, seconds_since(until_ns, phase.begins.latest_ns))
        return Number(PHASE, phase.name, phase.label, "s", low_s, None)
    low_s = max(0.0, seconds_since(phase.ends.earliest_ns, phase.begins.latest_ns))
    high_s = max(low_s, seconds_since(phase.ends.latest_ns, phase.begins.earliest_ns))
    return Number(PHASE, phase.name, phase.label, "s", low_s, high_s)
