"""Runs one truth drill: ``python -m tests.truth.runner FOLDER SEED``, in a process of its own.

The engine is the real one, with its guards, lease, journal, faults, watchdog, sampler, store,
measures and verdict; the scenario is ``region-outage``, told to read one store alone, since no
Aurora runs in these clouds.
"""

import json
import sys
from pathlib import Path

from drill import engine, permissions, plan, target
from drill.aws import Aws
from drill.order import Order
from drill.target import Target, Timing
from scenarios.region_outage import RegionOutage, RegionOutageParams
from tests.truth.draw import Drill
from tests.truth.plants import Plants

PLANTED = "planted.json"
DEADLINE_S = 20.0


class SmallOutage(RegionOutage):
    """The region outage of a system without Aurora."""

    def ledger_stores(self, target: Target, params: RegionOutageParams) -> tuple[str, ...]:
        """Return the one store that there is."""
        return ("dynamodb",)


def main(folder: Path, seed: int) -> None:
    """Run the drill of a seed in a cloud's folder, and write beside its record what was planted."""
    drills = json.loads((folder / "drills.json").read_text(encoding="utf-8"))
    drill = next(one for one in map(Drill.of, drills) if one.seed == seed)
    drilled = target.load(folder / f"{drill.name}.yaml").model_copy(update={"timing": timing(drill)})
    scenario = SmallOutage()
    params = RegionOutageParams(blackout=drill.method != "inversion", lag_s=drill.lag_s)
    wanted = permissions.unchecked(plan.make(scenario, params, drilled))
    root = folder / drill.name
    root.mkdir(exist_ok=True)
    order = Order(scenario, params, wanted, root, drilled.name, "truth", f"seed {seed}")
    aws = Aws.of(drilled)
    plants = Plants(drill, drilled, aws)
    record = engine.run(order, aws, plants)
    plants.end()
    (root / record.run_id / PLANTED).write_text(json.dumps(plants.rows), encoding="utf-8")


def timing(drill: Drill) -> Timing:
    """Return the durations of a drill."""
    return Timing(
        warm_up_s=drill.window_s,
        settle_s=drill.window_s,
        deadline_s=DEADLINE_S + 4 * drill.window_s,
        failback_s=DEADLINE_S + 4 * drill.window_s,
        probe_interval_s=drill.probe_s,
        probe_timeout_s=drill.timeout_s,
        write_interval_s=drill.write_s,
        api_interval_s=drill.api_s,
        api_timeout_s=5,
        poll_s=0.05,
        effect_s=15,
        lease_s=5,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
