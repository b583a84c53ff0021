from drill.measure import KINDS, measure
from drill.model import MeasureSpec, Severity
from tests.drill.measure.worlds import EAST, WEST, history, marks, scripted, target

SPECS = (
    MeasureSpec("recovery_time", "clients", {"served_by": WEST}),
    MeasureSpec("client_outage", "clients"),
    MeasureSpec("failback", "clients", {"served_by": EAST}),
)
SEEN = history(scripted("g" * 50 + "b" * 20 + "w" * 30 + "g" * 40), marks(undone=(10.0, 10.1), settled=13.9))


def test_every_measure_adds_what_it_found() -> None:
    """What single measures find stands in the order in which the scenario asked."""
    found = measure(SPECS, SEEN, target())
    alone = [measure([spec], SEEN, target()).measurements for spec in SPECS]
    assert found.measurements == tuple(one for each in alone for one in each)
    assert {one.name for one in found.measurements} >= {"recovery_time", "client_outage", "failback"}
    assert not found.findings


def test_a_measure_that_crashes_is_told_and_loses_no_other() -> None:
    """One broken measure is a critical finding; the others are there."""
    broken = (
        MeasureSpec("failback", "clients"),
        MeasureSpec("recovery_time", "nobody"),
        MeasureSpec("magic"),
    )
    found = measure([*broken, SPECS[0]], SEEN, target())
    assert [one.code for one in found.findings] == ["measure_failed"] * 3
    assert all(one.severity is Severity.CRITICAL for one in found.findings)
    assert "served_by" in found.findings[0].detail
    assert found.measurements == measure(SPECS[:1], SEEN, target()).measurements


def test_no_measure_asks_for_anything_but_the_history() -> None:
    """With no observations at all, no measure finds anything and none crashes."""
    options = {
        "served_by": WEST,
        "primary": EAST,
        "standby": WEST,
        "check": "clients",
        "zone": "clients",
        "store": "aurora",
    }
    specs = [MeasureSpec(kind, "clients", options) for kind in KINDS]
    for at in (marks(), marks(None), marks(undone=(6, 7))):
        found = measure(specs, history([], at), target())
        assert found.measurements == ()
        assert found.phases == ()
        assert found.findings == ()


def test_every_interval_is_in_order_and_explained() -> None:
    """Low is never above high, nothing is negative, and each says how it was obtained."""
    options = {"served_by": WEST, "primary": EAST, "standby": WEST, "store": "aurora"}
    specs = [MeasureSpec(kind, "clients", options) for kind in KINDS]
    for one in measure(specs, SEEN, target()).measurements:
        assert 0 <= one.low <= (float("inf") if one.high is None else one.high)
        assert one.how.endswith(".")
        assert one.label
