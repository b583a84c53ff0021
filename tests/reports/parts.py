"""Pieces of a finished drill: its plain record, its numbers, phases and ledgers."""

from drill import record as records
from drill.clock import Instant
from drill.model import (
    Between,
    Judgement,
    LedgerResult,
    Marks,
    Measured,
    Measurement,
    Objective,
    Outcome,
    Phase,
)
from drill.record import Action, ProbeHealth, Record
from tests.reports.world import EAST, WARM_UP_S, WEST, Script, at_ns, specs

RUN = "20261123t181400-region-outage-ab12"


def plain_record(script: Script) -> Record:
    """Return a record of a blackout with no number in it yet."""
    scale = script.scale
    return Record(
        schema=records.SCHEMA,
        run_id=RUN,
        scenario="region-outage",
        title="The primary region fails",
        hypothesis="Route 53 moves clients to the standby region; no acknowledged write is lost for good.",
        covers=("DR05: health checks that make failover happen", "DR14: a whole region fails"),
        notes=("The region's subnets were cut off by network ACLs; the health check was not touched.",),
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
            between(0.0, 0.14),
            at_ns(6.0 * scale),
            between(6.1 * scale, 6.4 * scale),
            at_ns(10.6 * scale),
        ),
        probes=specs(scale),
        probe_health=tuple(
            ProbeHealth(
                spec.name,
                round(13.7 / spec.interval_s),
                round(13.7 / spec.interval_s),
                spec.interval_s * 1.2,
                0.0004,
            )
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


def between(earliest_s: float, latest_s: float) -> Between:
    """Return a stretch in seconds from the fault."""
    return Between(at_ns(earliest_s), at_ns(latest_s))


def number(name: str, low: float, high: float | None, unit: str, label: str, part: str = "") -> Measurement:
    """Return a measurement."""
    how = "From the last bad attempt sent to the first good one done after it, relative to the fault."
    return Measurement(name, low, high, unit, how, label, part)


def times(script: Script) -> tuple[Measurement, ...]:
    """Return the durations that a script leads to."""
    scale = script.scale
    back = script.clients[0] * scale + script.cold_s
    return (
        number("recovery_time", back - 0.14, back + 0.041, "s", "recovery time"),
        number("recovery_time", back - 0.29, back - 0.06, "s", "recovery time from impact", "impact"),
        number("client_outage", back - 0.21, back - 0.07, "s", "client outage"),
        number("bad_share", 0.091, 0.104, "share", "share of bad attempts"),
        number("failback", 1.22 * scale, 1.29 * scale, "s", "failback"),
    )


def ledger_numbers(lost: int, low_s: float, high_s: float) -> tuple[Measurement, ...]:
    """Return the recovery points of two stores on two occasions."""
    found = []
    for store, occasion, writes, bounds in (
        ("dynamodb", "cutover", lost, (low_s, high_s)),
        ("aurora", "cutover", 0, (0.0, 0.05)),
        ("dynamodb", "resumed", 0, (0.0, 0.05)),
        ("aurora", "resumed", 0, (0.0, 0.05)),
    ):
        part = f"{store}/{occasion}"
        found.append(number("recovery_point", *bounds, "s", f"recovery point, {store} at {occasion}", part))
        found.append(
            number(
                "recovery_point_writes", writes, writes, "writes", f"writes lost, {store} at {occasion}", part
            )
        )
    return tuple(found)


def lag() -> tuple[Measurement, ...]:
    """Return the replication lag before and during the fault."""
    how = "Markers written in us-east-1 and polled in us-west-2; 3 were never seen and count as at least."
    bounds: tuple[tuple[str, float, float | None], ...] = (
        ("p50", 0.061, 0.083),
        ("p95", 0.112, 0.138),
        ("p99", 0.166, 0.191),
        ("max", 0.183, None),
    )
    return tuple(
        Measurement(
            "replication_lag",
            low,
            high,
            "s",
            how,
            f"replication lag {when} the fault, {name}",
            f"{when}/{name}",
        )
        for when in ("before", "during")
        for name, low, high in bounds
        if when == "during" or high is not None
    )


def cold_start() -> Measurement:
    """Return the share of cold starts."""
    return number("cold_start_share", 0.24, 0.29, "share", "share of recovery that was cold start")


def phases(script: Script, *, exercised: bool) -> tuple[Phase, ...]:
    """Return the phases of a failover that a script leads to."""
    scale = script.scale
    flip, zone, first = (at * scale for at in (script.check[0], script.zone[0], script.clients[0]))
    done = first + script.cold_s
    edges = (
        (0.0, 0.14),
        (flip - 0.05, flip + 0.2),
        (zone, zone + 0.02),
        (first - 0.02, first + 0.02),
        (done, done + 0.04),
    )
    bounds = [between(*edge) for edge in edges]
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


def ledgers(lost: tuple[int, ...], gone: tuple[int, ...]) -> tuple[LedgerResult, ...]:
    """Return two stores, read twice: what was missing at cutover and what for good."""

    def read(store: str, occasion: str, missing: tuple[int, ...], at_s: float) -> LedgerResult:
        return LedgerResult(
            store, occasion, True, 231, 2, 38, 11, missing, (), (), (), between(at_s, at_s + 0.12)
        )

    return (
        read("dynamodb", "cutover", lost, 6.0),
        read("aurora", "cutover", (), 6.0),
        read("dynamodb", "resumed", gone, 10.6),
        read("aurora", "resumed", (), 10.6),
    )


def judged(
    name: str, measured: Measured, measurement: str, wanted: tuple[float, str, str], outcome: Outcome
) -> Judgement:
    """Return a judgement of one of the measurements."""
    limit, unit, part = wanted
    found = next(one for one in measured.measurements if one.name == measurement and one.part == part)
    why = {
        Outcome.MET: "The whole interval is within the objective.",
        Outcome.BREACHED: "The whole interval is beyond the objective.",
        Outcome.INCONCLUSIVE: "The objective lies inside the interval.",
    }[outcome]
    return Judgement(Objective(name, measurement, limit, unit, part), found, outcome, why)
