"""What a name server answers: hosted zones, aliases and failover routing, as pure rules.

Failover: a healthy primary; else the secondary when it is healthy or has no check; with both
unhealthy the primary after all. See
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
Wildcards, weights and the other routing policies are not there: all healthy records answer.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from infra.lab.world import DnsRecord, Snapshot

Healthy = Callable[[str], bool]
# How many CNAMEs and aliases in a row are followed.
_LONGEST_CHAIN = 8
_PLAIN_TTL_S = 300


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource record as it is sent; its value in the text form of zone files."""

    name: str
    type: str
    ttl_s: int
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a name and a type.

    Attributes:
        rcode: ``NOERROR``, ``NXDOMAIN``, or ``REFUSED`` for a name in no zone.
        records: The answer; empty when there is nothing of that type.
        authority: The zone's SOA when there is no answer.

    """

    rcode: str
    records: tuple[Resource, ...] = ()
    authority: tuple[Resource, ...] = ()

    def values(self, kind: str = "A") -> tuple[str, ...]:
        """Return the values of one type, sorted."""
        return tuple(sorted(record.value for record in self.records if record.type == kind))


def normal(name: str) -> str:
    """Return a name in lower case, with its final dot."""
    return name.lower().rstrip(".") + "."


class Zones:
    """The hosted zones of one snapshot, and the load balancers' own names."""

    def __init__(
        self, snapshot: Snapshot, balancers: Mapping[str, tuple[str, ...]], alias_ttl_s: int
    ) -> None:
        """Index a snapshot; ``balancers`` are the load balancers' addresses by normal name."""
        self._balancers = dict(balancers)
        self._alias_ttl_s = alias_ttl_s
        self._records: dict[tuple[str, str], list[DnsRecord]] = defaultdict(list)
        for record in snapshot.records:
            self._records[normal(record.name), record.type].append(record)
        own = {normal(zone) for zone in snapshot.zones}
        parents = {name.partition(".")[2] for name in balancers}
        self._zones = sorted(own | parents, key=len, reverse=True)
        names = {name for name, _ in self._records} | self._balancers.keys()
        self._names = names | {above for name in names for above in _above(name)}

    def answer(self, name: str, kind: str, healthy: Healthy) -> Answer:
        """Answer a question for a normal name; ``healthy`` tells the state of a health check."""
        zone = next((zone for zone in self._zones if name == zone or name.endswith("." + zone)), None)
        if zone is None:
            return Answer("REFUSED")
        records = self._find(name, name, kind, healthy, _LONGEST_CHAIN)
        if not records and name == zone and kind in {"SOA", "NS"}:
            records = (
                (self._soa(zone),) if kind == "SOA" else (Resource(zone, "NS", _PLAIN_TTL_S, f"ns.{zone}"),)
            )
        if records:
            return Answer("NOERROR", records)
        known = name in self._names or name == zone
        return Answer("NOERROR" if known else "NXDOMAIN", authority=(self._soa(zone),))

    def _find(self, asked: str, name: str, kind: str, healthy: Healthy, depth: int) -> tuple[Resource, ...]:
        """Return the records of ``name`` under the name ``asked``, as an alias shows them."""
        if depth == 0:
            return ()
        if kind == "A" and name in self._balancers:
            return tuple(Resource(asked, "A", self._alias_ttl_s, a) for a in self._balancers[name])
        found: list[Resource] = []
        for record in self._chosen(self._records.get((name, kind), ()), healthy):
            if record.alias:
                found += self._find(asked, _target(record), kind, healthy, depth - 1)
            else:
                ttl = _PLAIN_TTL_S if record.ttl is None else record.ttl
                found += [Resource(asked, kind, ttl, value) for value in record.values]
        if found or kind == "CNAME":
            return tuple(found)
        canonical = self._find(asked, name, "CNAME", healthy, depth - 1)
        if not canonical:
            return ()
        target = normal(canonical[0].value)
        return canonical + self._find(target, target, kind, healthy, depth - 1)

    def _chosen(self, records: Iterable[DnsRecord], healthy: Healthy) -> list[DnsRecord]:
        every = list(records)
        well = [record for record in every if self._is_healthy(record, healthy, _LONGEST_CHAIN)]
        for role in ("PRIMARY", "SECONDARY"):
            if chosen := [record for record in well if record.failover == role]:
                return chosen
        if primary := [record for record in every if record.failover == "PRIMARY"]:
            return primary
        return well or every

    def _is_healthy(self, record: DnsRecord, healthy: Healthy, depth: int) -> bool:
        if record.health_check_id and not healthy(record.health_check_id):
            return False
        if not (record.alias and record.alias_evaluates_health) or depth == 0:
            return True
        # A load balancer in front of functions has no target checks of its own: it counts as healthy.
        behind = self._records.get((_target(record), record.type), ())
        return not behind or any(self._is_healthy(other, healthy, depth - 1) for other in behind)

    def _soa(self, zone: str) -> Resource:
        for record in self._records.get((zone, "SOA"), ()):
            return Resource(zone, "SOA", _PLAIN_TTL_S if record.ttl is None else record.ttl, record.values[0])
        value = f"ns.{zone} hostmaster.{zone} 1 7200 900 1209600 {self._alias_ttl_s}"
        return Resource(zone, "SOA", self._alias_ttl_s, value)


def negative_ttl_s(answer: Answer) -> int:
    """Return how long an empty answer may be kept (RFC 2308): the lesser of SOA's TTL and minimum."""
    return min((min(soa.ttl_s, int(soa.value.split()[-1])) for soa in answer.authority), default=0)


def _target(record: DnsRecord) -> str:
    return normal(record.alias).removeprefix("dualstack.")


def _above(name: str) -> list[str]:
    labels = name.rstrip(".").split(".")
    return [".".join(labels[n:]) + "." for n in range(1, len(labels))]
