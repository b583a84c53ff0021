"""DX09: certificates of the standby's load balancer, for a name that may come to it any day."""

from collections.abc import Iterator
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import ClassVar

from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_LEFT_DAYS = 30


class Certificates(Check):
    """Reads each region's listener of the service's port, and its certificates."""

    id: ClassVar = "DX09"
    title: ClassVar = "A region can't prove that it is the service"
    why: ClassVar = (
        "A certificate belongs to one region. Where it is missing, is for another name or has run out, every "
        "client turns away from a standby that is otherwise well."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "A certificate of AWS Certificate Manager for the service's name in each region "
        "(primary_certificate_arn and standby_certificate_arn of the system file): drill infra deploy"
    )
    source: ClassVar = ("https://docs.aws.amazon.com/acm/latest/userguide/acm-regions.html",)
    calls: ClassVar = ("acm:DescribeCertificate", "elbv2:DescribeListeners")
    caused_by: ClassVar = ("DR14", "DR17")
    explains: ClassVar = ("recovery_time", "client_outage", "availability")

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each region."""
        for region in system.regions:
            yield Part(f"listener of {region.load_balancer}", partial(_look, system, region))


def _look(system: System, region: Region) -> Iterator[Found]:
    service = system.target.service
    listeners = system.reads.many(
        "elbv2", region.name, "describe_listeners", "Listeners", LoadBalancerArn=region.load_balancer_arn
    )
    for one in listeners:
        if one["Port"] != service.port:
            continue
        where = f"listener on port {service.port} of {region.load_balancer} in {region.name}"
        if (one["Protocol"] in {"HTTPS", "TLS"}) != (service.scheme == "https"):
            yield Found(where, f"it speaks {one['Protocol']}, clients speak {service.scheme}")
        for certificate in one.get("Certificates", []):
            yield from _certificate(system, region, certificate["CertificateArn"])


def _certificate(system: System, region: Region, arn: str) -> Iterator[Found]:
    found = system.reads.one("acm", region.name, "describe_certificate", CertificateArn=arn)["Certificate"]
    where = f"certificate {arn.rpartition('/')[2]} in {region.name}"
    names = {found["DomainName"], *found.get("SubjectAlternativeNames", [])}
    host = system.target.service.host.rstrip(".")
    if not any(fnmatchcase(host, name) and name.count(".") == host.count(".") for name in names):
        yield Found(where, f"it is for {', '.join(sorted(names))}, not for {host}")
    if found["Status"] != "ISSUED":
        yield Found(where, f"it is {found['Status']}")
    elif found["NotAfter"] - system.at < timedelta(days=_LEFT_DAYS):
        yield Found(where, f"it runs out on {found['NotAfter']:%Y-%m-%d}")
