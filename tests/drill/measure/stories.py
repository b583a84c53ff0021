"""Whole made-up drills whose every true instant is known, as all probes of a drill would see them."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from drill.model import History, Json, LedgerRead, LedgerRow, MeasureSpec, Observation, ProbeSpec
from tests.drill.measure.worlds import EAST, WEST, attempt, history, marks, ns

INTERVAL_S = 0.1
UNDONE = (12.0, 12.04)
END_S = 18.0
SIDES: Mapping[str, Json] = {"primary": EAST, "standby": WEST}
SPECS: Mapping[str, MeasureSpec] = {
    "recovery_time": MeasureSpec("recovery_time", "clients", {"served_by": WEST}),
    "client_outage": MeasureSpec("client_outage", "clients"),
    "failback": MeasureSpec("failback", "clients", {"served_by": EAST}),
    "phases": MeasureSpec(
        "phases", "clients", {**SIDES, "check": "check", "zone": "zone", "resolver": "resolver"}
    ),
    "replication_lag": MeasureSpec("replication_lag", "replication"),
    "ledger": MeasureSpec("ledger", "writer", SIDES),
    "cold_start": MeasureSpec("cold_start", "clients", {"served_by": WEST}),
}
Part = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Story:
    """A blackout of the primary, with each instant at which something really happened, in seconds.

    Attributes:
        injected: The injection's call, from 5 s on; the primary is dark when it ends.
        check: The health checkers see it fail.
        zone: The authoritative answer flips.
        resolver: The resolver's answer flips: from here on the standby serves.
        back: The primary serves again, after the undo.
        cut: What the primary took after this instant did not reach the standby.
        lags: The markers' true replication lags, over and over.
        took: How long an attempt takes, half of it before the service decides.

    """

    injected: float
    check: float
    zone: float
    resolver: float
    back: float
    cut: float
    lags: tuple[float, ...]
    took: float

    def seen(self, times: int = 1, until_s: float = END_S) -> History:
        """Return what is seen with probes so many times as dense, up to an instant."""
        interval_s = INTERVAL_S / times
        kinds = {
            "clients": "http",
            "writer": "writer",
            "check": "health_check",
            "zone": "dns",
            "resolver": "dns",
        }
        specs = [ProbeSpec(name, kind, interval_s, 1.0) for name, kind in kinds.items()]
        count = round(END_S / interval_s)
        every = [self._attempt(spec.name, n, n * interval_s) for spec in specs for n in range(count)]
        every += [self._marker(number, 0.05 / times) for number in range(round(END_S))]
        specs.append(ProbeSpec("replication", "replication", 1.0, 5.0))
        whole = until_s >= END_S
        at = marks(
            (5.0, self.injected),
            UNDONE if whole else None,
            ended=11.0 if whole else None,
            settled=END_S - 0.1 if whole else None,
        )
        shown = [one for one in every if (one.sent_ns or 0) < ns(until_s)]
        return history(shown, at, [self.ledger(every)] if whole else [], specs)

    def truths(self) -> Mapping[Part, float]:
        """Return the true values of what is measured, where one value is true whatever was seen."""
        dark, end = self.injected, self.resolver
        known = {
            ("recovery_time", ""): end - self.injected,
            ("recovery_time", "impact"): end - dark,
            ("client_outage", ""): end - dark,
            ("failback", ""): self.back - UNDONE[1],
            ("phase", "detection"): self.check - self.injected,
            ("phase", "routing"): self.zone - self.check,
            ("phase", "caching"): self.resolver - self.zone,
            ("phase", "first_request"): 0.0,
        }
        during = sorted(self._lag(number) for number in range(6, 12))
        return {**known, ("replication_lag", "during/max"): during[-1]}

    def ledger(self, every: list[Observation]) -> LedgerRead:
        """Return what the standby held at cutover."""
        writes = [one for one in every if one.probe == "writer" and one.answered_by]
        rows = [LedgerRow(one.number, str(one.detail["nonce"])) for one in writes if not self._is_lost(one)]
        return LedgerRead("dynamodb", "cutover", ns(11.0), ns(11.1), WEST, rows)

    def true_recovery_point_s(self, seen: History) -> float:
        """Return the age of what the standby held when the primary took its last write."""
        taken = [
            one for one in seen.observations["writer"] if one.answered_by == EAST and self._before_undo(one)
        ]
        return max(0.0, max(self._decided_s(one) for one in taken) - self.cut)

    def lost(self, seen: History) -> tuple[int, ...]:
        """Return the numbers of the lost writes."""
        writes = seen.observations["writer"]
        return tuple(one.number for one in writes if one.answered_by == EAST and self._is_lost(one))

    def _is_lost(self, one: Observation) -> bool:
        return one.answered_by == EAST and self._before_undo(one) and self._decided_s(one) > self.cut

    @staticmethod
    def _before_undo(one: Observation) -> bool:
        return (one.sent_ns or 0) < ns(UNDONE[0])

    def _decided_s(self, one: Observation) -> float:
        return ((one.sent_ns or 0) - ns(0)) / 1e9 + self.took / 2

    def _lag(self, number: int) -> float:
        return self.lags[number % len(self.lags)]

    def _attempt(self, probe: str, number: int, sent_s: float) -> Observation:
        met_s = sent_s + self.took / 2
        goodness, region, detail = self._shown(probe, number, met_s)
        done_s = sent_s + self.took
        return attempt(
            number, sent_s, goodness, probe=probe, done_s=done_s, answered_by=region, detail=detail
        )

    def _shown(self, probe: str, number: int, met_s: float) -> tuple[str, str | None, dict[str, Json]]:
        """Return goodness, region and detail of an attempt that meets the system at an instant."""
        if probe == "check":
            return ("bad" if self.check <= met_s < UNDONE[1] else "good"), None, {}
        moved = (self.zone if probe == "zone" else self.resolver) <= met_s < self.back
        region = WEST if moved else EAST
        if probe in ("zone", "resolver"):
            return "good", region, {}
        if self.injected <= met_s < UNDONE[1] and not moved:
            return ("unknown" if probe == "writer" else "bad"), None, {}
        detail: dict[str, Json] = {"cold": moved and met_s < self.resolver + 0.2, "total_s": self.took}
        if probe == "writer":
            detail |= {"nonce": f"n{number}", "stores": {"dynamodb": "written"}}
        return "good", region, detail

    def _marker(self, number: int, poll_s: float) -> Observation:
        lag_s = self._lag(number)
        misses = int(round(lag_s / poll_s, 9))  # polls go out so often after the marker was written
        detail: dict[str, Json] = {
            "written_sent_ns": ns(number),
            "written_done_ns": ns(number),
            "hit_done_ns": ns(number + (misses + 1) * poll_s),
            "miss_sent_ns": ns(number + misses * poll_s),
        }
        return attempt(number, number, probe="replication", detail=detail, done_s=number + 3)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Draw a drill in which everything happens in its order, at any instants."""
    injected = 5.0 + draw(st.floats(0, 0.3))
    check = injected + draw(st.floats(0.01, 1.5))
    zone = check + draw(st.floats(0, 1.0))
    resolver = max(zone + draw(st.floats(0, 1.5)), injected + 0.45)
    return Story(
        injected=injected,
        check=check,
        zone=zone,
        resolver=resolver,
        back=UNDONE[1] + draw(st.floats(0.01, 3)),
        cut=draw(st.floats(3.0, 4.7)),
        lags=tuple(draw(st.lists(st.floats(0.01, 1.9), min_size=1, max_size=5))),
        took=draw(st.floats(0.001, 0.02)),
    )
