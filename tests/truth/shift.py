"""The test of the test: measures that are off by their own interval's width."""

from collections.abc import Callable
from dataclasses import replace

from drill.model import Between, Measured, Measurement, Phase
from tests.truth.case import Case

# A truth that lies exactly on an edge, such as no loss at all, is to be missed as well.
_BEYOND_NS = 1_000


def shifted(case: Case, widths: int) -> Case:
    """Return a drill whose every interval is that many of its widths later (or earlier, below 0)."""
    measured = case.record.measured
    moved = replace(
        measured,
        measurements=tuple(_measurement(one, widths) for one in measured.measurements),
        phases=_phases(measured, widths),
    )
    return replace(case, record=replace(case.record, measured=moved))


def _measurement(one: Measurement, widths: int) -> Measurement:
    if one.high is None:
        return one
    by = widths * (one.high - one.low + _BEYOND_NS / 1e9)
    return replace(one, low=one.low + by, high=one.high + by)


def _phases(measured: Measured, widths: int) -> tuple[Phase, ...]:
    return tuple(
        replace(one, ends=None if one.ends is None else _between(one.ends, widths)) for one in measured.phases
    )


def _between(one: Between, widths: int) -> Between:
    by = widths * (one.latest_ns - one.earliest_ns + _BEYOND_NS)
    return Between(one.earliest_ns + by, one.latest_ns + by)


Mutation = Callable[[Case], Case]
MUTATIONS: dict[str, Mutation] = {
    "later by its width": lambda case: shifted(case, 1),
    "earlier by its width": lambda case: shifted(case, -1),
}
