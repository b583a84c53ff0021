"""Findings and the outcome: what was planted is told, nothing else is, and starved drills prove nothing."""

import re
from collections.abc import Iterator

from drill.model import Outcome
from scenarios.region_outage import WRITER
from tests.truth.case import Case, Check, Same

# What each plant is told as, besides what the losses themselves are told as.
_TOLD = {"corrupt": "corruption", "duplicate": "corruption", "diverge": "divergence", "lose": "lost_for_good"}
_LOSSES = {"lost_at_cutover", "holes"}
_SENT = re.compile(r"(\d+) \(sent ")


def judge(case: Case) -> Iterator[Check]:
    """Judge the codes of the findings, the divergent writes, and the outcome."""
    told = {one.code for one in case.record.measured.findings}
    wanted = {_TOLD[case.drill.plant]} if case.drill.plant in _TOLD else set()
    yield Same("findings", "besides losses", sorted(told - _LOSSES), sorted(wanted))
    cutover = next((one for one in case.record.measured.ledgers if one.occasion == "cutover"), None)
    if cutover is not None:
        yield Same("findings", "holes", "holes" in told, bool(cutover.holes) or _resumed_holes(case))
    yield from _divergence(case)
    if case.drill.starves:
        yield Same("outcome", "starved", str(case.record.outcome), str(Outcome.INCONCLUSIVE))
        yield Same("outcome", "says that it was starved", "starved" in case.record.reason, True)
    elif not case.starved:
        critical = wanted & {"corruption", "lost_for_good"}
        outcome = Outcome.INCONCLUSIVE if critical else Outcome.MET
        yield Same("outcome", case.drill.plant or "clean", str(case.record.outcome), str(outcome))


def _resumed_holes(case: Case) -> bool:
    return any(one.holes for one in case.record.measured.ledgers if one.occasion == "resumed")


def _divergence(case: Case) -> Iterator[Check]:
    """Judge which writes are told as taken by the old primary after the cutover."""
    told = {int(number) for text in case.findings("divergence") for number in _SENT.findall(text)}
    back = case.routed_ns(case.under_fault, case.target.standby.name)
    if not back:
        return
    primary = case.target.primary.name
    late = {
        event["number"]
        for event in case.of_kind(
            "order_answered", case.under_fault, table=case.target.table.name, region=primary
        )
        if event["at_ns"] >= back[-1]
    }
    sent = {one.number: one.sent_ns or 0 for one in case.observations.get(WRITER, ())}
    planted = (
        {number for number in late if sent[number] >= back[-1]} if case.drill.plant == "diverge" else set()
    )
    yield Same("divergence", "how many", sorted(told), sorted(told & late | planted))
