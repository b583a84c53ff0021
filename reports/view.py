"""Record and observations into a page of ready strings and series; pure.

Templates get nothing but what is here: they neither compute nor look anything up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from drill.columns import Columns
from drill.evidence import Manifest
from drill.journal import Entry
from drill.model import Finding, Observation, Outcome, Severity
from drill.record import Action, Record
from reports import audited, clients, edges, ledger, tables, tiles, timeline, trace
from reports.cause import cause
from reports.comparison import NONE, Comparison, Earlier, compare
from reports.glossary import GLOSSARY
from reports.ledger import StoreView
from reports.series import Picture, Table
from reports.text import as_text
from reports.tiles import Tile
from reports.wording import plain_duration, seconds_since, wall_time

# What probes saw: by probe, or in any order; None where it is gone.
Seen: TypeAlias = Mapping[str, Columns] | Iterable[Observation] | None
Tone = Literal["met", "breached", "inconclusive", "broken"]
_WORDS: Mapping[Outcome, str] = {
    Outcome.MET: "Met",
    Outcome.BREACHED: "Breached",
    Outcome.INCONCLUSIVE: "Inconclusive",
}
_ORDER = list(Severity)
_EFFECT = {True: "yes", False: "was not seen to", None: "nothing was injected"}
_CHANGES = {1: "The one change was", 2: "Both changes were"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the drill came to, in one word and one sentence.

    Attributes:
        word: The word.
        tone: Its colour and sign.
        reason: The sentence.
        cause_is: What the next one is: a cause, or only where the time went.
        cause: The likely cause, or what took longest; empty if nothing points to one.
        besides: What qualifies it: stopped early, not put back, the fault did not bite.

    """

    word: str
    tone: Tone
    reason: str
    cause_is: str
    cause: str
    besides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """Whether the system is as it was.

    Attributes:
        whole: Everything was put back and checked.
        sentence: The same in words.
        command: What to type if it was not; empty if it was.
        left: The changes that are still there.

    """

    whole: bool
    sentence: str
    command: str
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the drill ran, for the header: the lab's numbers must never be taken for AWS's."""

    lab: bool
    name: str
    caution: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What a report shows besides the record and the observations.

    Attributes:
        before: The drills that it is compared with.
        journal: The journal's lines.
        manifest: The hashes of the run's files; None if there is none.
        missing: What could not be read, in words.

    """

    before: Earlier = NONE
    journal: tuple[Entry, ...] = ()
    manifest: Manifest | None = None
    missing: tuple[str, ...] = ()


NOTHING = Beside()


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report."""

    title: str
    run_id: str
    place: Place
    verdict: Verdict
    restored: Restored
    facts: tuple[tuple[str, str], ...]
    hypothesis: str
    covers: tuple[str, ...]
    tiles: tuple[Tile, ...]
    timeline: Picture
    phases: Table
    clients: Picture | None
    counts: Table | None
    over_time: Table | None
    edges: tuple[tuple[Picture, Table], ...]
    regions: tuple[tuple[str, str], ...]
    ledger: Table
    stores: tuple[StoreView, ...]
    lag: Table
    replication: Picture | None
    findings: tuple[Finding, ...]
    tally: str
    actions: Table
    journal: Table
    compared: Comparison | None
    notes: tuple[str, ...]
    measurements: Table
    probes: Table
    environment: tuple[Table, ...]
    hashes: Table
    missing: tuple[str, ...]
    glossary: tuple[tuple[str, str], ...]


def page(record: Record, observations: Seen, beside: Beside = NOTHING) -> Page:
    """Return the page of a finished drill; without observations it has fewer pictures."""
    axis = timeline.axis(record)
    probes = timeline.watched(record, _by_probe(observations), axis.zero_ns)
    every = (*record.measured.findings, *audited.findings(record.audit))
    findings = tuple(sorted(every, key=lambda finding: _ORDER.index(finding.severity)))
    return Page(
        title=record.title,
        run_id=record.run_id,
        place=_place(record),
        verdict=_verdict(record),
        restored=_restored(record),
        facts=_facts(record),
        hypothesis=record.hypothesis,
        covers=record.covers,
        tiles=tiles.tiles(record),
        timeline=timeline.picture(record, axis, probes),
        phases=timeline.phases(record, axis, beside.before.previous),
        clients=clients.picture(record, axis, probes),
        counts=clients.counts(probes) if probes else None,
        over_time=clients.over_time(axis, probes),
        edges=edges.edges(record, axis, probes),
        regions=tuple((region, tone) for region, tone in axis.tones.items()),
        ledger=ledger.table(record.measured.ledgers),
        stores=ledger.stores(record.measured.ledgers),
        lag=tables.lag(record),
        replication=clients.replication(record, axis, probes),
        findings=findings,
        tally=_tally(findings),
        actions=tables.actions(record, axis),
        journal=trace.journal(beside.journal, axis),
        compared=_compared(record, beside.before),
        notes=record.notes,
        measurements=tables.measurements(record),
        probes=tables.probes(record),
        environment=tables.environment(record),
        hashes=trace.hashes(beside.manifest),
        missing=beside.missing,
        glossary=tuple(sorted(GLOSSARY.items())),
    )


def _by_probe(observations: Seen) -> Mapping[str, Columns]:
    if isinstance(observations, Mapping):
        return observations
    by_probe: dict[str, list[Observation]] = {}
    for observation in observations or ():
        by_probe.setdefault(observation.probe, []).append(observation)
    return {probe: Columns.of(probe, seen) for probe, seen in by_probe.items()}


def _compared(record: Record, before: Earlier) -> Comparison | None:
    """Compare a drill with the previous one and the best one; None if it is the first."""
    if before.previous is None:
        return None
    others = {"previous": before.previous}
    if before.best is not None and before.best.run_id != before.previous.run_id:
        others["best"] = before.best
    return compare(record, others)


def _verdict(record: Record) -> Verdict:
    besides: list[str] = []
    if record.stopped_by and record.stopped_by not in record.reason:
        besides.append(f"Ended early: {record.stopped_by}.")
    if not record.rolled_back:
        word = f"Not put back \u00b7 {_WORDS[record.outcome]}"
        return Verdict(word, "broken", record.reason, "Cause", cause(record), tuple(besides))
    tone: Tone = record.outcome.value
    cause_is = "Time" if record.outcome is Outcome.MET else "Cause"
    return Verdict(_WORDS[record.outcome], tone, record.reason, cause_is, cause(record), tuple(besides))


def _restored(record: Record) -> Restored:
    if not record.actions:
        return Restored(record.rolled_back, "Nothing in the system was changed.", _command(record), ())
    if record.rolled_back:
        changes = _CHANGES.get(len(record.actions), f"All {len(record.actions)} changes were")
        return Restored(True, f"Everything was put back and checked. {changes} undone.", "", ())
    left = tuple(_left(action) for action in record.actions if action.undo_status != "undone")
    total = len(record.actions)
    sentence = f"The system is not as it was: {len(left)} of {total} changes may still be in place."
    return Restored(False, sentence, _command(record), left)


def _command(record: Record) -> str:
    return "" if record.rolled_back else f"drill recover {record.run_id}"


def _left(action: Action) -> str:
    return f"{action.step}: {action.description}" + (f" ({action.error})" if action.error else "")


def _place(record: Record) -> Place:
    found = record.environment
    if found.get("kind") == "lab":
        profile = found.get("profile") or "unnamed"
        return Place(
            True,
            f"Lab, profile {profile}",
            f"Run on the lab (profile {profile}): these absolute numbers are the lab\u2019s, not AWS\u2019s.",
        )
    return Place(False, f"AWS, account {found.get('account') or 'unknown'}", "")


def _facts(record: Record) -> tuple[tuple[str, str], ...]:
    found = record.environment
    regions = [found[key] for key in ("primary", "standby") if found.get(key)]
    took_s = seconds_since(record.ended.monotonic_ns, record.started.monotonic_ns)
    return (
        ("Scenario", record.scenario),
        ("Target", record.target),
        ("Regions", " \u2192 ".join(regions) or "\u2013"),
        ("Started", wall_time(record.started.wall)),
        ("Lasted", plain_duration(took_s)),
        ("Run by", record.operator),
        (
            "Parameters",
            ", ".join(f"{key}={as_text(value)}" for key, value in record.params.items()) or "none",
        ),
        ("Fault took effect", _EFFECT[record.took_effect]),
        ("Audit before it", audited.fact(record.audit)),
    )


def _tally(findings: tuple[Finding, ...]) -> str:
    """Return how many findings of each weight there are, in words; empty if there are none."""
    found = [(severity, sum(finding.severity is severity for finding in findings)) for severity in Severity]
    return ", ".join(f"{number} {severity.value}" for severity, number in found if number)
