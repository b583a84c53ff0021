"""What a truth drill is: drawn from its seed alone, so that any of them can be run again by itself.

Neighbouring seeds share a cloud: its time scales are drawn from their number divided by how many.
"""

import math
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any, Literal

from infra.lab.profile import FAST, Profile

SIDE_BY_SIDE = 4
"""How many drills run in a cloud at the same time."""
A_CLOUD = 12
"""How many drills share a cloud, one round of them after the other."""

Method = Literal["inversion", "blackout", "paused"]
Plant = Literal["", "corrupt", "duplicate", "lose", "diverge", "stall-edge", "stall-share", "overcommit"]

STARVING: frozenset[Plant] = frozenset({"stall-edge", "stall-share", "overcommit"})
# Bad attempts that make an outage; an outage of fewer intervals has no edges of its own.
_DEBOUNCE = 3
# Of thirty seeds, these have something planted; the others are clean.
_PLANTS: dict[int, Plant] = {
    3: "corrupt",
    5: "stall-edge",
    8: "duplicate",
    10: "diverge",
    13: "lose",
    15: "stall-share",
    17: "corrupt",
    20: "diverge",
    22: "stall-edge",
    24: "duplicate",
    26: "lose",
    29: "overcommit",
}
_CONFIGURED_S = 10  # RequestInterval; the cloud's check_scale makes it short


@dataclass(frozen=True, slots=True)
class Cloud:
    """The time scales that some drills share.

    Attributes:
        group: Its seed.
        check_s: Between two looks of a checker.
        check_timeout_s: When a checker gives up.
        propagation_s: From a health check's state to the name server's answers.
        lag_median_s: Median of the replication lag.
        lag_sigma: Its sigma (log-normal).
        acl_s: From an accepted network ACL to the packets.
        experiment_start_s: How long an experiment of AWS FIS takes to begin.

    """

    group: int
    check_s: float
    check_timeout_s: float
    propagation_s: float
    lag_median_s: float
    lag_sigma: float
    acl_s: float
    experiment_start_s: float

    def profile(self) -> Profile:
        """Return them as the lab takes them."""
        return Profile(
            name="truth",
            check_scale=self.check_s / _CONFIGURED_S,
            clock_scale=FAST.clock_scale,
            checkers=FAST.checkers,
            check_connect_s=self.check_timeout_s,
            check_response_s=self.check_timeout_s,
            dns_propagation_s=self.propagation_s,
            alias_ttl_s=1,
            replication_median_s=self.lag_median_s,
            replication_sigma=self.lag_sigma,
            acl_s=self.acl_s,
            database_create_s=FAST.database_create_s,
            experiment_start_s=self.experiment_start_s,
        )


@dataclass(frozen=True, slots=True)
class Drill:
    """One truth drill.

    Attributes:
        seed: What it was drawn from.
        cloud: The time scales around it.
        method: The health check is inverted, the region is dark, or dark with replication paused before.
        probe_s: The client probes' interval.
        write_s: The writer's.
        api_s: Of probes that ask AWS's API.
        timeout_s: When a client gives up.
        ttl_s: Of the name that fails over.
        threshold: Failures in a row that change a checker's mind.
        window_s: Warm-up and settling.
        lag_s: How long replication is paused before the region goes dark.
        plant: What is put in its way; empty for a clean drill.

    """

    seed: int
    cloud: Cloud
    method: Method
    probe_s: float
    write_s: float
    api_s: float
    timeout_s: float
    ttl_s: int
    threshold: int
    window_s: float
    lag_s: float
    plant: Plant

    @property
    def name(self) -> str:
        """The name of its system; its table and its customers have it too."""
        return f"t{self.seed}"

    @property
    def starves(self) -> bool:
        """Whether its probes are kept from seeing enough on purpose."""
        return self.plant in STARVING

    @property
    def failover_s(self) -> tuple[float, float]:
        """About how long its failover takes, at least and at most."""
        least = self.cloud.propagation_s
        if self.method != "inversion":
            least += self.threshold * self.cloud.check_s
        looks = self.threshold * (self.cloud.check_s + self.cloud.check_timeout_s)
        return least, self.cloud.propagation_s + self.cloud.acl_s + looks + self.ttl_s + 1

    def stretched(self, by: float) -> "Drill":
        """Return the same drill in slow motion, for a machine that is too busy for it."""
        cloud = self.cloud
        return replace(
            self,
            cloud=replace(
                cloud,
                check_s=by * cloud.check_s,
                check_timeout_s=by * cloud.check_timeout_s,
                propagation_s=by * cloud.propagation_s,
            ),
            probe_s=by * self.probe_s,
            write_s=by * self.write_s,
            api_s=by * self.api_s,
            timeout_s=by * self.timeout_s,
            window_s=by * self.window_s,
        )

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Drill":
        """Read what :meth:`document` returned."""
        return cls(**{**document, "cloud": Cloud(**document["cloud"])})


def cloud_of(seed: int) -> Cloud:
    """Draw the time scales around a drill."""
    group = seed // A_CLOUD
    draw = Random(f"cloud {group}")
    return Cloud(
        group=group,
        check_s=_even(draw, 0.25, 0.6),
        check_timeout_s=_even(draw, 0.4, 0.8),
        propagation_s=_even(draw, 0.1, 2.5),
        lag_median_s=_even(draw, 0.02, 0.5),
        lag_sigma=draw.uniform(0.1, 0.6),
        acl_s=draw.choice((0.0, draw.uniform(0, 0.2))),
        experiment_start_s=draw.uniform(0, 0.3),
    )


def drill_of(seed: int, *, longest_s: float = 1.0) -> Drill:
    """Draw a drill.

    Args:
        seed: Which.
        longest_s: No client probe's interval is longer than this; a sample for CI has no time for more.

    """
    draw = Random(f"drill {seed}")
    cloud = cloud_of(seed)
    plant = _PLANTS.get(seed % 30, "")
    method: Method = draw.choice(("inversion", "blackout", "paused"))
    if plant in {"lose", "corrupt", "duplicate"} and method == "inversion":
        method = draw.choice(("inversion", "paused"))
    # One of those that share a cloud is quick, the others leave it time to answer.
    quick = seed % SIDE_BY_SIDE == 0
    probe_s = _even(draw, 0.01, 0.1) if quick else _even(draw, 0.1, longest_s)
    threshold = draw.randint(2, 4)
    if method == "inversion":
        probe_s = min(probe_s, max(0.01, cloud.propagation_s / (_DEBOUNCE + 2)))
    while cloud.propagation_s + threshold * cloud.check_s < (_DEBOUNCE + 2) * probe_s and threshold < 10:
        threshold += 1
    if plant == "overcommit":
        probe_s = 0.0002
    write_s = _even(draw, 0.1, max(longest_s / 2, 0.15))
    return Drill(
        seed=seed,
        cloud=cloud,
        method=method,
        probe_s=round(probe_s, 6),
        write_s=round(write_s, 6),
        api_s=round(_even(draw, 0.2, 0.5), 6),
        timeout_s=round(_even(draw, 0.6, 1.5), 6),
        ttl_s=draw.choice((0, 1, 1, 2)),
        threshold=threshold,
        window_s=round(max(0.8, 6 * probe_s, 6 * write_s), 6),
        lag_s=draw.choice((0.0, draw.uniform(0, 1.0))),
        plant=plant,
    )


def _even(draw: Random, low: float, high: float) -> float:
    """Draw a positive number, evenly on a logarithmic scale."""
    return math.exp(draw.uniform(math.log(low), math.log(high)))
