"""The frozen values that the rooms hand to one another.

Instants are integers in nanoseconds on the monotonic clock and end in ``_ns``; durations
are seconds and end in ``_s``. Everything here is plain data: no clock, no files, no network.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from typing_extensions import TypeAliasType

# A named alias: pydantic, which reads and writes records, can't resolve a recursive one without a name.
Json = TypeAliasType("Json", "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None")

LONG_POLL_S = 1.0
"""How long a poll of a queue waits for a message before it comes back empty, in seconds."""
REFUSED_FOR_CAPACITY = frozenset(
    {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
)
"""DynamoDB's codes of a request that it refused for want of capacity: nothing was done.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""


class Outcome(StrEnum):
    """What a drill, or a part of one, came to; the worst part decides: met < inconclusive < breached."""

    MET = "met"
    INCONCLUSIVE = "inconclusive"
    BREACHED = "breached"

    def merge(self, other: "Outcome") -> "Outcome":
        """Return the worse of two outcomes (a lattice: order and grouping do not matter)."""
        order = list(Outcome)
        return max(self, other, key=order.index)


class Goodness(StrEnum):
    """What one attempt of a probe showed.

    ``unknown`` is an attempt whose effect nobody saw (a time-out of a write, or an attempt
    that was due and never sent); it is never counted as good.
    """

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Between:
    """A moment known to lie in ``[earliest_ns, latest_ns]``."""

    earliest_ns: int
    latest_ns: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with what is known of it.

    Attributes:
        name: Which measure, for example ``recovery_time``.
        low: Lower bound, in ``unit``.
        high: Upper bound, in ``unit``; None where nothing bounds it (censored).
        unit: ``s``, ``writes``, ``share`` (0 to 1) or ``1`` (a count).
        how: One sentence: how the bounds were obtained.
        label: What it is called on a page, for example ``recovery time``.
        part: What it belongs to, where one measure gives several (a store, a phase, ``p99``).

    """

    name: str
    low: float
    high: float | None
    unit: str
    how: str
    label: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One probe: what it asks, how often, from where.

    Attributes:
        name: Unique in a drill; observations carry it.
        kind: Which probe of ``drill.probes``, one of :data:`drill.probes.catalogue.KINDS`.
        interval_s: The n-th attempt is due at start + n x interval, whatever the others did.
        timeout_s: When one attempt is given up.
        options: What the kind needs besides (addresses, names, regions); documented there.
        vantage: Where it runs, for the report.

    """

    name: str
    kind: str
    interval_s: float
    timeout_s: float
    options: Mapping[str, Json] = field(default_factory=dict)
    vantage: str = "runner"


@dataclass(frozen=True, slots=True)
class Observation:
    """One attempt of one probe.

    Attributes:
        probe: Name of its :class:`ProbeSpec`.
        number: n: the attempt was due at start + n x interval.
        due_ns: When its schedule wanted it sent.
        sent_ns: When it was sent; None if it never was.
        done_ns: When its result was known; None if it never was sent.
        goodness: What it showed.
        answered_by: The region that answered, where the answer tells; else None.
        detail: What the kind saw besides; documented in the probe's file.

    """

    probe: str
    number: int
    due_ns: int
    sent_ns: int | None
    done_ns: int | None
    goodness: Goodness
    answered_by: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One order as a store of the recovered system shows it."""

    number: int
    nonce: str


@dataclass(frozen=True, slots=True)
class LedgerRead:
    """All that one store held when it was asked.

    Attributes:
        store: ``aurora`` or ``dynamodb``.
        occasion: ``cutover`` (right after recovery) or ``resumed`` (after rollback and settling).
        sent_ns: When the reading began.
        done_ns: When it ended.
        region: The region that answered; None when the store could not be read.
        rows: Every row found, in the order of the answer; a row can be there twice. There may be
            more than fit in memory: they are gone over, and read again at every pass.
        error: Why the store could not be read; empty when it could.

    """

    store: str
    occasion: str
    sent_ns: int
    done_ns: int
    region: str | None
    rows: Collection[LedgerRow] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class StepMark:
    """When a step was made, and when it was complete.

    Attributes:
        step: Its name.
        called: From its call sent to its call answered, whatever the answer.
        ready: Between the sending of the last look that showed it incomplete and the end of the first
            that showed it complete; None where it never was, or was not asked.
        told: What its fault tells of what it captured, for measures; documented there.

    """

    step: str
    called: Between
    ready: Between | None = None
    told: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marks:
    """When the engine did what.

    Attributes:
        probes_started_ns: First probe was due.
        injected: From the first step's call sent to the last one's call done; None if nothing
            was injected. Where a scenario breaks nothing, the instant that it declares the disaster.
        recovery_ended_ns: When the scenario's end condition held or its deadline passed.
        undone: From the first undo's call sent to the last one's call done.
        settled_ns: When steady state held again after the rollback, or was given up.
        deadline_passed: Whether the end condition never came.
        steps: Every step that was made, injections and the recovery procedure, in order.

    """

    probes_started_ns: int
    injected: Between | None = None
    recovery_ended_ns: int | None = None
    undone: Between | None = None
    settled_ns: int | None = None
    deadline_passed: bool = False
    steps: tuple[StepMark, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The same moment on both clocks.

    Attributes:
        monotonic_ns: On the clock that everything is measured by.
        wall: On the clock of the wall, as RFC 3339.

    """

    monotonic_ns: int
    wall: str


@runtime_checkable
class Windowed(Protocol):
    """Observations that find the late ones without going over the early ones."""

    def due_since(self, instant_ns: int) -> Sequence[Observation]:
        """Return what was due at an instant or later."""

    def sent_since(self, instant_ns: int, goodness: Goodness | None = None) -> Iterable[Observation]:
        """Return what was sent at an instant or later and showed this."""

    def last_due_ns(self, otherwise: int) -> int:
        """Return when the newest was due."""

    def first_number(self) -> int | None:
        """Return the least number; None if there is none."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything observed in one drill, which all measures are functions of.

    Who looks again and again while a drill runs asks for the late ones alone, with
    :meth:`due_since` and :meth:`sent_since`: then a long drill is no slower than a short one.

    Attributes:
        probes: The probes' specs by name.
        observations: Every probe's observations by name, in any order.
        marks: The engine's own instants.
        ledgers: The readings of the stores.
        clocks: Readings of both clocks while the probes ran.
        damage: Why not all that the probes saw is here; empty if it is.

    """

    probes: Mapping[str, ProbeSpec]
    observations: Mapping[str, Sequence[Observation]]
    marks: Marks
    ledgers: Sequence[LedgerRead] = ()
    clocks: Sequence[ClockReading] = ()
    damage: str = ""

    def due_since(self, probe: str, instant_ns: int) -> Sequence[Observation]:
        """Return what of a probe was due at an instant or later."""
        seen = self.observations.get(probe, ())
        if isinstance(seen, Windowed):
            return seen.due_since(instant_ns)
        return [one for one in seen if one.due_ns >= instant_ns]

    def sent_since(
        self, probe: str, instant_ns: int, goodness: Goodness | None = None
    ) -> Iterable[Observation]:
        """Return what of a probe was sent at an instant or later and showed this (None: anything)."""
        seen = self.observations.get(probe, ())
        if isinstance(seen, Windowed):
            return seen.sent_since(instant_ns, goodness)
        return [
            one
            for one in seen
            if one.sent_ns is not None and one.sent_ns >= instant_ns and goodness in (None, one.goodness)
        ]

    def last_due_ns(self, probe: str, otherwise: int = 0) -> int:
        """Return when the newest observation of a probe was due; ``otherwise`` if there is none."""
        seen = self.observations.get(probe, ())
        if isinstance(seen, Windowed):
            return seen.last_due_ns(otherwise)
        return max((one.due_ns for one in seen), default=otherwise)

    def first_number(self, probe: str) -> int | None:
        """Return the least number of a probe's observations; None if there is none."""
        seen = self.observations.get(probe, ())
        if isinstance(seen, Windowed):
            return seen.first_number()
        return min((one.number for one in seen), default=None)


@dataclass(frozen=True, slots=True)
class MeasureSpec:
    """A measure that a scenario asks for.

    Attributes:
        kind: Which measure of ``drill.measure``.
        probe: The probe it reads.
        options: What the kind needs besides; documented in its file.

    """

    kind: str
    probe: str = ""
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardSpec:
    """A precondition of a scenario, checked by ``drill.guard`` before anything is touched."""

    kind: str
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of the time line; phases follow one another without a gap.

    Attributes:
        name: For example ``detection``.
        label: What it is called on a page.
        begins: When it began, as bounds.
        ends: When it ended, as bounds; None if it never did (censored).
        exercised: False when the drill's method skips this phase (an inverted health check
            does not exercise detection).
        note: One sentence for the reader; may be empty.

    """

    name: str
    label: str
    begins: Between
    ends: Between | None
    exercised: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class CostItem:
    """Something that AWS bills because of a drill: so many units of what.

    Attributes:
        what: What is billed, in a few words: ``its capacity``.
        unit: The name of its unit price, whose last part is the unit: ``acu_hour``. Who shows a plan
            knows the prices; see ``infra/prices.yaml``.
        low: How many units at least.
        high: How many at most.
        hourly: Both are units an hour, for as long as the drill lasts.

    """

    what: str
    unit: str
    low: float
    high: float
    hourly: bool = False


class Severity(StrEnum):
    """How much a finding matters."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the reader must know besides the numbers.

    Attributes:
        code: Stable id, for example ``divergence``.
        severity: How much it matters.
        title: One line.
        detail: What was seen, with the evidence.
        mend: What to do about it; may be empty.

    """

    code: str
    severity: Severity
    title: str
    detail: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """Something that an audit found wrong with a deployed system.

    Attributes:
        check: The check's id, for example ``DR05``.
        severity: How much it matters.
        title: What is wrong, in one line.
        where: The resource, and where it is.
        what: What was seen there.
        mend: How to mend it.
        caused_by: Checks with findings that explain this one; empty for a root.
        explains: Measures of a drill whose bad values it explains; ``recovery_point/snapshot`` is one
            part of a measure.

    """

    check: str
    severity: Severity
    title: str
    where: str
    what: str
    mend: str
    caused_by: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit of the system said before a drill.

    Attributes:
        findings: What was wrong then, roots first, in order of severity.
        unevaluated: What could not be looked at, one line each.

    """

    findings: tuple[AuditFinding, ...]
    unevaluated: tuple[str, ...]

    def explaining(self, measurement: str, part: str = "") -> tuple[AuditFinding, ...]:
        """Return the roots that explain a bad value of a measure: of all of it, or of this part."""
        names = {measurement, f"{measurement}/{part}"}
        return tuple(one for one in self.findings if not one.caused_by and names & {*one.explains})


@dataclass(frozen=True, slots=True)
class LedgerResult:
    """What a ledger says of one store on one occasion.

    Attributes:
        store: ``aurora`` or ``dynamodb``.
        occasion: ``cutover`` or ``resumed``.
        readable: Whether the store could be read; when not, the counts are about nothing.
        acknowledged: Writes that the system said this store holds.
        failed: Writes that the server refused before doing them.
        unknown: Writes whose answer never came.
        unknown_present: Unknown writes that are there all the same.
        lost: Numbers of the acknowledged writes that are not there, ascending.
        duplicated: Numbers that are there more than once, ascending.
        corrupt: Numbers that are there with another nonce, ascending.
        holes: Lost numbers with a later survivor (losses that are no suffix), ascending.
        read: When the reading was, sent to done.
        error: Why it could not be read; empty when it could.

    """

    store: str
    occasion: str
    readable: bool
    acknowledged: int
    failed: int
    unknown: int
    unknown_present: int
    lost: tuple[int, ...]
    duplicated: tuple[int, ...]
    corrupt: tuple[int, ...]
    holes: tuple[int, ...]
    read: Between
    error: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """What was wanted of a measurement: not more than ``limit``, in the measurement's unit."""

    name: str
    measurement: str
    limit: float
    unit: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One objective against what was measured."""

    objective: Objective
    measurement: Measurement | None
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Measured:
    """All that the measures made of a history."""

    measurements: tuple[Measurement, ...]
    phases: tuple[Phase, ...]
    ledgers: tuple[LedgerResult, ...]
    findings: tuple[Finding, ...]
