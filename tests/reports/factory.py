"""Realistic finished drills for tests of the report: a record and what its probes saw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from drill import record as records
from drill import runs
from drill.clock import Instant
from drill.model import (
    Between,
    Finding,
    Judgement,
    LedgerResult,
    Marks,
    Measured,
    Measurement,
    Objective,
    Observation,
    Outcome,
    Phase,
    Severity,
)
from drill.observations import Store
from drill.record import Action, ProbeHealth, Record
from tests.reports.world import EAST, WARM_UP_S, WEST, Script, at_ns, observe, specs

RUN = "20261123t181400-region-outage-ab12"
LOST = tuple(range(58, 72))


@dataclass(frozen=True, slots=True)
class Drill:
    """A finished drill and everything that its probes saw."""

    record: Record
    observations: Sequence[Observation]

    def save(self, root: Path) -> Path:
        """Write it as the engine leaves it on disk, and return the run's folder."""
        folder = root / self.record.run_id
        folder.mkdir(parents=True)
        records.write(self.record, folder / runs.RECORD)
        with Store.create(folder / runs.OBSERVATIONS) as store:
            store.add(self.observations)
        return folder


def blackout() -> Drill:
    """Return a recovered blackout: writes were missing at cutover and all came back."""
    script = Script()
    measured = Measured(
        (*_times(script), *_ledger_numbers(14, 0.66, 0.78), *_lag(), _cold()),
        _phases(script, exercised=True),
        _ledgers(LOST, ()),
        (
            Finding(
                "writes-missing-at-cutover",
                Severity.WARNING,
                "14 acknowledged writes were missing when the standby took over",
                "dynamodb lacked writes 58 to 71 at cutover; all were there after replication resumed.",
                "Write with strong consistency across regions (MRSC), or make clients send again what was "
                "acknowledged within the replication lag.",
            ),
            Finding("cold-start", Severity.NOTE, "The standby began cold", "26 of its first answers were cold."),
        ),
    )
    judgements = (
        _judged("rto", measured, "recovery_time", (5.0, "s", ""), Outcome.MET),
        _judged("rpo", measured, "recovery_point", (1.0, "s", "dynamodb/cutover"), Outcome.MET),
        _judged("rpo_writes", measured, "recovery_point_writes", (20.0, "writes", "dynamodb/cutover"), Outcome.MET),
    )
    record = replace(
        _record(script),
        reason="Clients were served by us-west-2 again 1.94 to 1.98 s after the fault; every objective was met.",
        measured=measured,
        judgements=judgements,
    )
    return Drill(record, observe(script))


def inversion() -> Drill:
    """Return an inverted health check: DNS moved, no client saw an outage, nothing was at risk."""
    script = Script(dark=None, cold_s=0.3)
    recovery = _number("recovery_time", 1.40, 1.47, "s", "recovery time")
    outage = _number("client_outage", 0.0, 0.0, "s", "client outage")
    failback = _number("failback", 1.26, 1.32, "s", "failback")
    measured = Measured(
        (recovery, outage, failback, *_ledger_numbers(0, 0.0, 0.02), *_lag()),
        _phases(script, exercised=False),
        _ledgers((), ()),
        (),
    )
    before = _record(script)
    record = replace(
        before,
        params={"blackout": False},
        command="drill run region-outage",
        notes=(
            "The health check was inverted: DNS moves, the primary goes on serving those who still have its "
            "address. Detection was not exercised, and no write was at risk.",
        ),
        actions=(
            Action(
                "invert-health-check",
                "health-check-inversion",
                "Disable and invert health check 3f0c9a5e, so that Route 53 takes us-east-1 for unhealthy",
                "injected",
                at_ns(0.0),
                at_ns(0.031),
                "undone",
                at_ns(6.1),
                at_ns(6.35),
            ),
        ),
        reason="All clients were served by us-west-2 within 1.47 s; the objective was met.",
        measured=measured,
        judgements=(_judged("rto", measured, "recovery_time", (5.0, "s", ""), Outcome.MET),),
    )
    return Drill(record, observe(script))


def breached() -> Drill:
    """Return a drill on AWS that took too long and lost writes for good; two stores disagree."""
    script = Script(scale=32.0, cold_s=2.1)
    lost, gone = tuple(range(412, 440)), tuple(range(431, 440))
    ledgers = _ledgers(lost, gone)
    broken = replace(ledgers[3], corrupt=(433,), duplicated=(420, 421), holes=(433,))
    measured = Measured(
        (*_times(script), *_ledger_numbers(28, 18.2, 19.9), *_lag(), _cold()),
        _phases(script, exercised=True),
        (*ledgers[:3], broken),
        (
            Finding("cold-start", Severity.NOTE, "The standby began cold", "26 of its first answers were cold."),
            Finding(
                "divergence",
                Severity.CRITICAL,
                "The old primary acknowledged 3 writes after the cutover",
                "Writes 441, 442 and 445 were acknowledged by us-east-1 after us-west-2 had begun to serve.",
                "Fence the primary before the standby takes over: remove its write permission first.",
            ),
            Finding(
                "corrupt-write",
                Severity.CRITICAL,
                "Write 433 came back with another content",
                "aurora holds nonce 9f3c… where the writer was told 21ab….",
                "Compare the stores write by write before anything else is written.",
            ),
            Finding(
                "dns-ttl",
                Severity.WARNING,
                "The resolver's cache was the longest phase",
                "Clients waited 16 s for a record whose TTL is 60 s.",
                "Lower the TTL of the failover record.",
            ),
        ),
    )
    judgements = (
        _judged("rto", measured, "recovery_time", (30.0, "s", ""), Outcome.BREACHED),
        _judged("rpo", measured, "recovery_point", (19.0, "s", "dynamodb/cutover"), Outcome.INCONCLUSIVE),
        _judged("rpo_writes", measured, "recovery_point_writes", (0.0, "writes", "dynamodb/cutover"), Outcome.BREACHED),
    )
    record = replace(
        _record(script),
        target="orders-production-eu",
        environment={"kind": "aws", "profile": "", "account": "111122223333", "primary": EAST, "standby": WEST},
        outcome=Outcome.BREACHED,
        exit_code=1,
        reason="Recovery took 47.5 s at least, longer than the objective of 30 s, and 28 acknowledged writes "
        "were missing at cutover where none may be.",
        measured=measured,
        judgements=judgements,
    )
    return Drill(record, observe(script))


def inconclusive() -> Drill:
    """Return a drill whose fault did not bite and one of whose probes was starved."""
    script = Script(dark=None, check=(99, 99), zone=(99, 99), clients=(99, 99))
    before = _record(script)
    starved = ProbeHealth("clients", 690, 431, 0.84, 0.61)
    nothing = Measured((), (), (), ())
    judgement = Judgement(
        Objective("rto", "recovery_time", 5.0, "s"), None, Outcome.INCONCLUSIVE, "Recovery time was not measured."
    )
    record = replace(
        before,
        outcome=Outcome.INCONCLUSIVE,
        exit_code=2,
        took_effect=False,
        reason="The fault was not seen to take effect: us-east-1 went on answering on its own address.",
        measured=nothing,
        judgements=(judgement,),
        probe_health=(starved, *before.probe_health[1:]),
    )
    return Drill(record, observe(script))


def stopped() -> Drill:
    """Return a drill that an alarm stopped and one of whose changes could not be put back."""
    script = Script(dark=(0.11, 99), check=(99, 99), zone=(99, 99), clients=(99, 99), end=4.0)
    before = _record(script)
    first, second = before.actions
    marks = replace(before.marks, recovery_ended_ns=at_ns(1.2), undone=Between(at_ns(1.25), at_ns(3.4)), settled_ns=None)
    failed = replace(
        second,
        undo_status="undo_failed",
        undo_sent_ns=at_ns(1.25),
        undo_done_ns=None,
        error="ReplaceNetworkAclAssociation: AccessDenied",
    )
    phase = Phase("detection", "detection", _between(0.0, 0.14), None)
    measured = Measured((_number("recovery_time", 3.9, None, "s", "recovery time"),), (phase,), (), ())
    record = replace(
        before,
        outcome=Outcome.INCONCLUSIVE,
        exit_code=3,
        stopped_by="stop condition alarm orders-error-budget",
        reason="An alarm stopped the drill after 1.2 s, and one change could not be undone.",
        marks=marks,
        actions=(replace(first, undo_sent_ns=at_ns(3.3), undo_done_ns=at_ns(3.4)), failed),
        rolled_back=False,
        measured=measured,
        judgements=(_judged("rto", measured, "recovery_time", (5.0, "s", ""), Outcome.INCONCLUSIVE),),
        ended=Instant(at_ns(4.1), "2026-11-23T18:14:12.100000+00:00"),
    )
    return Drill(record, observe(script))


EVERY: Mapping[str, Callable[[], Drill]] = {
    "blackout": blackout,
    "inversion": inversion,
    "breached": breached,
    "inconclusive": inconclusive,
    "stopped": stopped,
}


def _record(script: Script) -> Record:
    scale = script.scale
    return Record(
        schema=records.SCHEMA,
        run_id=RUN,
        scenario="region-outage",
        title="The primary region fails",
        hypothesis="Route 53 moves clients to the standby region, which accepts orders; no acknowledged write is "
        "lost for good.",
        covers=("DR05: health checks that make failover happen", "DR14: a whole region fails"),
        notes=(
            "The region's edge and application subnets were cut off by network ACLs and replication of the table "
            "was paused through AWS FIS; the health check was not touched.",
        ),
        params={"blackout": True},
        target="orders-lab",
        environment={
            "kind": "lab",
            "profile": "fast",
            "account": "123456789012",
            "primary": EAST,
            "standby": WEST,
        },
        versions={"drill": "0.1.0", "python": "3.11.2", "moto": "5.2.5", "postgresql": "15.14"},
        operator="sam",
        command="drill run region-outage --blackout",
        started=Instant(at_ns(-WARM_UP_S * scale - 0.8), "2026-11-23T18:14:05.218734+00:00"),
        ended=Instant(at_ns(10.9 * scale), "2026-11-23T18:14:19.904411+00:00"),
        outcome=Outcome.MET,
        exit_code=0,
        reason="",
        took_effect=True,
        stopped_by="",
        marks=Marks(
            at_ns(-WARM_UP_S * scale),
            _between(0.0, 0.14),
            at_ns(6.0 * scale),
            _between(6.1 * scale, 6.4 * scale),
            at_ns(10.6 * scale),
        ),
        probes=specs(scale),
        probe_health=tuple(
            ProbeHealth(spec.name, round(13.7 / spec.interval_s), round(13.7 / spec.interval_s), spec.interval_s * 1.2, 0.0004)
            for spec in specs(scale)
        ),
        judgements=(),
        measured=Measured((), (), (), ()),
        actions=(
            Action(
                "pause-replication",
                "replication-pause",
                "Pause replication of table orders out of us-east-1",
                "injected",
                at_ns(0.0),
                at_ns(0.055),
                "undone",
                at_ns(6.25 * scale),
                at_ns(6.4 * scale),
            ),
            Action(
                "cut-network",
                "network-blackout",
                "Swap the network ACLs of 4 subnets of us-east-1 for one that denies everything",
                "injected",
                at_ns(0.06),
                at_ns(0.14),
                "undone",
                at_ns(6.1 * scale),
                at_ns(6.25 * scale),
            ),
        ),
        rolled_back=True,
    )


def _between(earliest_s: float, latest_s: float) -> Between:
    return Between(at_ns(earliest_s), at_ns(latest_s))


def _number(name: str, low: float, high: float | None, unit: str, label: str, part: str = "") -> Measurement:
    how = "From the last bad attempt sent to the first good one done after it, relative to the fault."
    return Measurement(name, low, high, unit, how, label, part)


def _times(script: Script) -> tuple[Measurement, ...]:
    scale = script.scale
    back = script.clients[0] * scale + script.cold_s
    return (
        _number("recovery_time", back - 0.14, back + 0.041, "s", "recovery time"),
        _number("recovery_time_from_impact", back - 0.29, back - 0.06, "s", "recovery time from impact"),
        _number("client_outage", back - 0.21, back - 0.07, "s", "client outage"),
        _number("bad_share", 0.091, 0.104, "share", "attempts that failed"),
        _number("failback", 1.22 * scale, 1.29 * scale, "s", "failback"),
    )


def _ledger_numbers(lost: int, low_s: float, high_s: float) -> tuple[Measurement, ...]:
    found = []
    for store, occasion, writes, bounds in (
        ("dynamodb", "cutover", lost, (low_s, high_s)),
        ("aurora", "cutover", 0, (0.0, 0.05)),
        ("dynamodb", "resumed", 0, (0.0, 0.05)),
        ("aurora", "resumed", 0, (0.0, 0.05)),
    ):
        part = f"{store}/{occasion}"
        found.append(_number("recovery_point", *bounds, "s", "recovery point", part))
        found.append(_number("recovery_point_writes", writes, writes, "writes", "lost writes", part))
    return tuple(found)


def _lag() -> tuple[Measurement, ...]:
    how = "Markers written in us-east-1 and polled in us-west-2; 3 were never seen and count as at least."
    bounds: tuple[tuple[str, float, float | None], ...] = (
        ("p50", 0.061, 0.083),
        ("p95", 0.112, 0.138),
        ("p99", 0.166, 0.191),
        ("max", 0.183, None),
    )
    return tuple(Measurement("replication_lag", low, high, "s", how, "replication lag", part) for part, low, high in bounds)


def _cold() -> Measurement:
    return _number("cold_start_share", 0.24, 0.29, "share", "share of recovery that was cold start")


def _phases(script: Script, *, exercised: bool) -> tuple[Phase, ...]:
    scale = script.scale
    flip, zone, first = (at * scale for at in (script.check[0], script.zone[0], script.clients[0]))
    done = first + script.cold_s
    edges = ((0.0, 0.14), (flip - 0.05, flip + 0.2), (zone, zone + 0.02), (first - 0.02, first + 0.02), (done, done + 0.04))
    bounds = [_between(*edge) for edge in edges]
    named = (
        ("detection", "detection", exercised, "" if exercised else "The check was inverted, not convinced."),
        ("decision", "zone's answer flips", True, ""),
        ("propagation", "resolver's cache expires", True, "The record's TTL is 0.5 s."),
        ("service", "first answer of standby", True, "Includes the standby's cold start."),
    )
    return tuple(
        Phase(name, label, bounds[place], bounds[place + 1], shown, note)
        for place, (name, label, shown, note) in enumerate(named)
    )


def _ledgers(lost: tuple[int, ...], gone: tuple[int, ...]) -> tuple[LedgerResult, ...]:
    def read(store: str, occasion: str, missing: tuple[int, ...], at_s: float) -> LedgerResult:
        return LedgerResult(
            store, occasion, True, 231, 2, 38, 11, missing, (), (), (), _between(at_s, at_s + 0.12)
        )

    return (
        read("dynamodb", "cutover", lost, 6.0),
        read("aurora", "cutover", (), 6.0),
        read("dynamodb", "resumed", gone, 10.6),
        read("aurora", "resumed", (), 10.6),
    )


def _judged(
    name: str, measured: Measured, measurement: str, wanted: tuple[float, str, str], outcome: Outcome
) -> Judgement:
    limit, unit, part = wanted
    found = next(one for one in measured.measurements if one.name == measurement and one.part == part)
    why = {
        Outcome.MET: "The whole interval is within the objective.",
        Outcome.BREACHED: "The whole interval is beyond the objective.",
        Outcome.INCONCLUSIVE: "The objective lies inside the interval.",
    }[outcome]
    return Judgement(Objective(name, measurement, limit, unit, part), found, outcome, why)
