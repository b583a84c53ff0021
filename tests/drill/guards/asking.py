"""What guards are asked in tests: a plan of a target with changes, at a given moment."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from drill import plan
from drill.aws import Aws
from drill.guards.contract import Asked
from drill.target import Target
from scenarios.region_outage import RegionOutage, RegionOutageParams
from tests.drill.test_target import make_document

# Nothing answers there; a guard that asks AWS notices.
NOBODY = Aws("http://127.0.0.1:9", timeout_s=0.2, attempts=1)


def asked(at: str = "2026-11-24T10:00:00+00:00", *, blackout: bool = False, **changes: Any) -> Asked:
    """Return a question about a drill that would begin at a moment and takes an hour at most."""
    # Two settle windows and a warm-up of one minute each, deadline and failback: 3600 s.
    timing: Mapping[str, float] = {"warm_up_s": 60, "settle_s": 60, "deadline_s": 2400, "failback_s": 1020}
    document = make_document(**{"timing": timing, **changes})
    made = plan.make(RegionOutage(), RegionOutageParams(blackout=blackout), Target.model_validate(document))
    return Asked(made, Path("runs"), "", datetime.fromisoformat(at))
