"""DX02: how long clients keep the answer of the failover records."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import failover_records
from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity

_MOST_S = 60


class Ttl(Check):
    """Reads the TTL of the failover records."""

    id: ClassVar = "DX02"
    title: ClassVar = "Clients keep the dead region's address for more than a minute"
    why: ClassVar = "A resolver asks again when the TTL is over, so that it is added to every recovery time."
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = "A TTL of 60 seconds or less, or an alias to the load balancer (dns.yaml: AliasTarget)"
    source: ClassVar = ("https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/best-practices-dns.html",)
    calls: ClassVar = ("route53:ListResourceRecordSets",)
    explains: ClassVar = ("recovery_time", "client_outage", "phase", "failback")
    drill: ClassVar = "drill run region-outage"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the records."""
        yield Part("failover records", partial(_look, system))


def _look(system: System) -> Iterator[Found]:
    for role, record in failover_records.records(system).items():
        if record.get("TTL", 0) > _MOST_S:
            yield Found(f"{role} record of {system.target.dns.record_name}", f"its TTL is {record['TTL']} s")
