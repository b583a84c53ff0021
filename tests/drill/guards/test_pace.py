"""How fast a drill's probes may be."""

import pytest

from drill.guards.pace import holdable
from tests.drill.guards.asking import NOBODY, asked


@pytest.mark.parametrize("interval_s", [10.0, 0.1, 0.004])
def test_a_pace_that_may_be_held_is_left_to_the_warm_up(interval_s: float) -> None:
    """What depends on the machine is seen in the warm-up, before anything is touched."""
    assert holdable(asked(timing={"probe_interval_s": interval_s}), NOBODY) == ""


@pytest.mark.parametrize("key", ["probe_interval_s", "write_interval_s"])
@pytest.mark.parametrize("interval_s", [1e-4, 1e-9])
def test_a_pace_that_no_machine_holds_is_refused(key: str, interval_s: float) -> None:
    """It is said before the probes begin, with the fastest of them and with what to change."""
    told = holdable(asked(timing={key: interval_s}), NOBODY)
    assert "attempts a second" in told
    assert (
        f"lengthen timing.{'probe_interval_s' if key.startswith('probe') else 'probe_interval_s or'}" in told
    )
    assert ("clients" if key.startswith("probe") else "writer") in told
