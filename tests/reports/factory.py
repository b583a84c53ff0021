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
    Measured,
    Objective,
    Observation,
    Outcome,
    Phase,
    Severity,
)
from drill.observations import Store
from drill.record import Action, ProbeHealth, Record
from tests.reports import parts
from tests.reports.world import EAST, WEST, Script, at_ns, observe

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
        (*parts.times(script), *parts.ledger_numbers(14, 0.66, 0.78), *parts.lag(), parts.cold_start()),
        parts.phases(script, exercised=True),
        parts.ledgers(LOST, ()),
        (
            Finding(
                "writes-missing-at-cutover",
                Severity.WARNING,
                "14 acknowledged writes were missing when the standby took over",
                "dynamodb lacked writes 58 to 71 at cutover; all were there after replication resumed.",
                "Write with strong consistency across regions (MRSC), or make clients send again what was "
                "acknowledged within the replication lag.",
            ),
            Finding(
                "cold-start", Severity.NOTE, "The standby began cold", "26 of its first answers were cold."
            ),
        ),
    )
    judgements = (
        parts.judged("rto", measured, "recovery_time", (5.0, "s", ""), Outcome.MET),
        parts.judged("rpo", measured, "recovery_point", (1.0, "s", "dynamodb/cutover"), Outcome.MET),
        parts.judged(
            "rpo_writes", measured, "recovery_point_writes", (20.0, "writes", "dynamodb/cutover"), Outcome.MET
        ),
    )
    record = replace(
        parts.plain_record(script),
        reason="us-west-2 served all clients 1.80 to 1.99 s after the fault; every objective was met.",
        measured=measured,
        judgements=judgements,
    )
    return Drill(record, observe(script))


def inversion() -> Drill:
    """Return an inverted health check: DNS moved, no client saw an outage, nothing was at risk."""
    script = Script(dark=None, cold_s=0.3)
    recovery = parts.number("recovery_time", 1.40, 1.47, "s", "recovery time")
    outage = parts.number("client_outage", 0.0, 0.0, "s", "client outage")
    failback = parts.number("failback", 1.26, 1.32, "s", "failback")
    measured = Measured(
        (recovery, outage, failback, *parts.ledger_numbers(0, 0.0, 0.02), *parts.lag()),
        parts.phases(script, exercised=False),
        parts.ledgers((), ()),
        (),
    )
    before = parts.plain_record(script)
    record = replace(
        before,
        params={"blackout": False},
        command="drill run region-outage",
        notes=(
            "The health check was inverted: DNS moves, the primary goes on. Detection was not exercised.",
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
        judgements=(parts.judged("rto", measured, "recovery_time", (5.0, "s", ""), Outcome.MET),),
    )
    return Drill(record, observe(script))


def breached() -> Drill:
    """Return a drill on AWS that took too long and lost writes for good; two stores disagree."""
    script = Script(scale=32.0, cold_s=2.1)
    lost, gone = tuple(range(412, 440)), tuple(range(431, 440))
    ledgers = parts.ledgers(lost, gone)
    broken = replace(ledgers[3], corrupt=(433,), duplicated=(420, 421), holes=(433,))
    measured = Measured(
        (*parts.times(script), *parts.ledger_numbers(28, 18.2, 19.9), *parts.lag(), parts.cold_start()),
        parts.phases(script, exercised=True),
        (*ledgers[:3], broken),
        (
            Finding(
                "cold-start", Severity.NOTE, "The standby began cold", "26 of its first answers were cold."
            ),
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
        parts.judged("rto", measured, "recovery_time", (30.0, "s", ""), Outcome.BREACHED),
        parts.judged(
            "rpo", measured, "recovery_point", (19.0, "s", "dynamodb/cutover"), Outcome.INCONCLUSIVE
        ),
        parts.judged(
            "rpo_writes",
            measured,
            "recovery_point_writes",
            (0.0, "writes", "dynamodb/cutover"),
            Outcome.BREACHED,
        ),
    )
    record = replace(
        parts.plain_record(script),
        target="orders-production-eu",
        environment={
            "kind": "aws",
            "profile": "",
            "account": "111122223333",
            "primary": EAST,
            "standby": WEST,
        },
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
    before = parts.plain_record(script)
    starved = ProbeHealth("clients", 690, 431, 0.84, 0.61)
    nothing = Measured((), (), (), ())
    judgement = Judgement(
        Objective("rto", "recovery_time", 5.0, "s"),
        None,
        Outcome.INCONCLUSIVE,
        "Recovery time was not measured.",
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
    before = parts.plain_record(script)
    first, second = before.actions
    marks = replace(
        before.marks, recovery_ended_ns=at_ns(1.2), undone=Between(at_ns(1.25), at_ns(3.4)), settled_ns=None
    )
    failed = replace(
        second,
        undo_status="undo_failed",
        undo_sent_ns=at_ns(1.25),
        undo_done_ns=None,
        error="ReplaceNetworkAclAssociation: AccessDenied",
    )
    phase = Phase("detection", "detection", parts.between(0.0, 0.14), None)
    measured = Measured((parts.number("recovery_time", 3.9, None, "s", "recovery time"),), (phase,), (), ())
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
        judgements=(parts.judged("rto", measured, "recovery_time", (5.0, "s", ""), Outcome.INCONCLUSIVE),),
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
