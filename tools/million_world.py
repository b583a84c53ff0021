"""A made-up region outage, as its probes would see it; any number of observations, the same at every call."""

import random
from collections.abc import Iterator, Sequence

from drill.model import Between, Goodness, Json, Marks, Observation, ProbeSpec
from drill.target import Dns, Objectives, Region, Service, Table, Target, Timing

EAST, WEST = "us-east-1", "us-west-2"
BASE_NS = 5_000_000_000_000_000
BATCH_S = 0.05
# When the made-up world changed, as shares of the drill's length.
DARK, CHECKED, MOVED, CACHED, UNDONE, BACK, SETTLED = 0.5, 0.503, 0.504, 0.508, 0.9, 0.905, 0.95


def target() -> Target:
    """Return two regions with probes of about a thousand attempts a second."""
    return Target(
        name="million",
        account="123456789012",
        service=Service(host="www.app.test", resolver="127.0.0.1:53"),
        primary=region(EAST),
        standby=region(WEST),
        dns=Dns(hosted_zone_id="Z1", record_name="www.app.test"),
        table=Table(name="orders"),
        peering_id="pcx-1",
        timing=Timing(
            settle_s=10, probe_interval_s=0.004, write_interval_s=0.01, api_interval_s=0.5, probe_timeout_s=2
        ),
        objectives={"region-outage": Objectives(rto_s=60, rpo_writes=20)},
    )


def region(name: str) -> Region:
    """Return a region of the made-up target."""
    return Region(
        name=name,
        load_balancer=f"lb.{name}.test",
        load_balancer_arn=f"arn:aws:elasticloadbalancing:{name}:123456789012:loadbalancer/app/a/1",
        vpc_id="vpc-1",
        edge_subnet_ids=("subnet-1",),
        app_subnet_ids=("subnet-2",),
        health_check_id="11111111-2222-3333-4444-555555555555",
        function_name="orders",
        function_alias="live",
        cluster_id="orders",
    )


class World:
    """What was reachable when, and what attempts show of it."""

    def __init__(self, lasts_s: float) -> None:
        """Fix the instants at which the world changed."""
        self.lasts_s = lasts_s
        self._draw = random.Random(1)

    def at_ns(self, share: float) -> int:
        """Return an instant from its share of the drill."""
        return BASE_NS + round(share * self.lasts_s * 1e9)

    @property
    def dark_ns(self) -> int:
        """When the primary went dark."""
        return self.at_ns(DARK)

    @property
    def recovered_ns(self) -> int:
        """When the engine saw the recovery."""
        return self.at_ns(CACHED + 0.02)

    @property
    def settled_ns(self) -> int:
        """When the steady state was back."""
        return self.at_ns(SETTLED)

    def marks(self) -> Marks:
        """Return when the engine did what."""
        return Marks(
            probes_started_ns=BASE_NS,
            injected=Between(self.at_ns(DARK) - 40_000_000, self.at_ns(DARK)),
            recovery_ended_ns=self.recovered_ns,
            undone=Between(self.at_ns(UNDONE), self.at_ns(UNDONE) + 50_000_000),
            settled_ns=self.settled_ns,
        )

    def attempt(self, spec: ProbeSpec, number: int, due_ns: int) -> Observation:
        """Return one attempt of a probe."""
        sent_ns = due_ns + 60_000 + int(self._draw.expovariate(1 / 40_000))
        share = (sent_ns - BASE_NS) / 1e9 / self.lasts_s
        dark = DARK <= share < UNDONE
        standby = spec.name == "standby-table" or (CACHED <= share < BACK and spec.name != "primary-direct")
        goodness, by, took_ns, detail = getattr(self, f"_{spec.kind}")(
            spec, share, sent_ns, dark and not standby
        )
        answered_by = WEST if by and standby else EAST if by else None
        return Observation(
            spec.name, number, due_ns, sent_ns, sent_ns + took_ns, goodness, answered_by, detail
        )

    def _http(self, spec: ProbeSpec, share: float, sent_ns: int, gone: bool) -> tuple[object, ...]:
        resolve_s = self._drawn(0.0004)
        if gone:
            detail: dict[str, Json] = {"resolve_s": resolve_s, "address": "127.0.71.1", "total_s": 2.000412}
            return Goodness.BAD, False, round(spec.timeout_s * 1e9), detail | {"error": "timeout"}
        connect_s = self._drawn(0.0006)
        first_s = connect_s + self._drawn(0.004)
        total_s = first_s + self._drawn(0.0001)
        detail = {
            "resolve_s": resolve_s,
            "status": 200,
            "address": "127.0.71.1" if share < CACHED else "127.0.81.1",
            "connect_s": connect_s,
            "first_byte_s": round(first_s, 6),
            "total_s": round(total_s, 6),
            "cold": CACHED <= share < CACHED + 0.0005,
        }
        return Goodness.GOOD, True, round((resolve_s + total_s) * 1e9) + 100_000, detail

    def _writer(self, spec: ProbeSpec, share: float, sent_ns: int, gone: bool) -> tuple[object, ...]:
        goodness, by, took_ns, detail = self._http(spec, share, sent_ns, gone)
        mine: dict[str, Json] = {"nonce": f"{self._draw.getrandbits(64):016x}", **dict(detail)}  # type: ignore[call-overload]
        if goodness is Goodness.BAD:
            return Goodness.UNKNOWN, by, took_ns, mine
        return goodness, by, took_ns, mine | {"stores": {"dynamodb": "written", "aurora": "written"}}

    def _dns(self, spec: ProbeSpec, share: float, sent_ns: int, gone: bool) -> tuple[object, ...]:
        del gone
        moved = (MOVED if spec.name == "zone" else CACHED) <= share < BACK
        address = "127.0.81.1" if moved else "127.0.71.1"
        ttl = 5 if spec.name == "zone" else sent_ns // 1_000_000_000 % 5 + 1
        detail = {"addresses": [address], "ttl": ttl, "server": "127.0.0.1:5353"}
        return Goodness.GOOD, True, round(self._drawn(0.0004) * 1e9), detail

    def _health_check(self, spec: ProbeSpec, share: float, sent_ns: int, gone: bool) -> tuple[object, ...]:
        bad = CHECKED <= share < BACK
        detail = {"inverted": False, "disabled": False, "version": 1, "checkers": 16, "checkers_healthy": 16}
        if bad:
            detail["checkers_healthy"] = 0
        return Goodness.BAD if bad else Goodness.GOOD, False, round(self._drawn(0.02) * 1e9), detail

    def _table(self, spec: ProbeSpec, share: float, sent_ns: int, gone: bool) -> tuple[object, ...]:
        return Goodness.GOOD, True, round(self._drawn(0.01) * 1e9), {"attempts": 1}

    def _replication(self, spec: ProbeSpec, share: float, sent_ns: int, gone: bool) -> tuple[object, ...]:
        lag_ns = round(self._drawn(0.4) * 1e9)
        written = {"written_sent_ns": sent_ns + 90_000, "written_done_ns": sent_ns + 9_000_000}
        if DARK <= share < UNDONE:
            detail = written | {"miss_sent_ns": sent_ns + 1_900_000_000, "error": "never_seen"}
            return Goodness.BAD, False, round(spec.timeout_s * 1e9), detail
        seen = {"miss_sent_ns": sent_ns + lag_ns - 5_000_000, "hit_done_ns": sent_ns + lag_ns}
        return Goodness.GOOD, True, lag_ns, written | seen

    def _drawn(self, median_s: float) -> float:
        """Return a duration as libcurl tells it: to the microsecond."""
        return round(median_s * self._draw.lognormvariate(0, 0.3), 6)


def batches(world: World, specs: Sequence[ProbeSpec], count: int) -> Iterator[list[Observation]]:
    """Yield what the sampler adds every 50 ms, the number of all being ``count``."""
    numbers = [0] * len(specs)
    left, until_ns = count, BASE_NS
    while left:
        until_ns += round(BATCH_S * 1e9)
        batch = []
        for place, spec in enumerate(specs):
            start_ns, interval_ns = BASE_NS + place * 500_000, round(spec.interval_s * 1e9)
            while (due_ns := start_ns + numbers[place] * interval_ns) < until_ns:
                batch.append(world.attempt(spec, numbers[place], due_ns))
                numbers[place] += 1
        yield batch[:left]
        left -= len(batch[:left])
