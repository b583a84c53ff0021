"""What is deployed, and what can't be."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from drill.errors import UsageError
from drill.target import Environment, Objectives, Tag, Timing
from infra.stack_changes import Stack

# Roles, buckets and load balancers are named after the system, and theirs are the shortest names.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")
_TEN = ipaddress.ip_network("10.0.0.0/8")
_VPC_PREFIX = 16
_PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True)
class DeployConfig:
    """What is deployed, and how it is drilled.

    Attributes:
        name: Of the system; stacks, buckets and the target are named after it.
        primary_region: The region that serves.
        standby_region: The region that takes over.
        primary_cidr: Of the primary's VPC, a /16 within 10.0.0.0/8.
        standby_cidr: Of the standby's.
        domain: The hosted zone; the service is ``orders.<domain>``.
        http_port: Port of the load balancers.
        database_port: Port of the databases.
        database_timeout_s: When the application gives up the database.
        provisioned_concurrency: Warm processes behind each region's alias; 0 keeps none.
        endpoint_url: Where AWS's API answers, if not at AWS itself; goes to the target.
        environment: For the target.
        disposable: For the target.
        resolver: For the target.
        name_servers: For the target.
        timing: For the target.
        objectives: For the target.

    """

    name: str
    primary_region: str
    standby_region: str
    primary_cidr: str = "10.10.0.0/16"
    standby_cidr: str = "10.20.0.0/16"
    domain: str = "example.test"
    http_port: int = 80
    database_port: int = 5432
    database_timeout_s: float = 1
    provisioned_concurrency: int = 1
    endpoint_url: str | None = None
    environment: Environment = field(default_factory=Environment)
    disposable: bool = False
    resolver: str | None = None
    name_servers: tuple[str, ...] = ()
    timing: Timing = field(default_factory=Timing)
    objectives: Mapping[str, Objectives] = field(default_factory=dict)

    @property
    def regions(self) -> tuple[str, str]:
        """Both regions, the primary first."""
        return self.primary_region, self.standby_region

    def cidr(self, region: str) -> str:
        """Return the CIDR of a region's VPC."""
        return self.primary_cidr if region == self.primary_region else self.standby_cidr

    def subnet_cidr(self, region: str, third_octet: int) -> str:
        """Return the CIDR of a /24 of a region's VPC."""
        first, second, *_ = self.cidr(region).split(".")
        return f"{first}.{second}.{third_octet}.0/24"

    def peer(self, region: str) -> str:
        """Return the other region."""
        return self.standby_region if region == self.primary_region else self.primary_region

    def stack(self, region: str, template: str, **parameters: str) -> Stack:
        """Return one of the system's stacks."""
        tags = {Tag().key: Tag().value, "project": self.name}
        return Stack(f"{self.name}-{template}", region, f"{template}.yaml", parameters, tags)

    def check(self) -> None:
        """Refuse what can't work, before anything is touched.

        Raises:
            UsageError: The text names the value and what was expected.

        """
        problem = self._problem()
        if problem:
            msg = f"{problem}; nothing was touched, mend it and deploy again"
            raise UsageError(msg)

    def _problem(self) -> str:
        if not _NAME.fullmatch(self.name):
            return f"name {self.name!r} must be 1 to 24 small letters, digits or dashes, a letter first"
        if self.primary_region == self.standby_region:
            return f"primary and standby must be two regions, not {self.primary_region} twice"
        for label, port in (("http_port", self.http_port), ("database_port", self.database_port)):
            if port not in _PORTS:
                return f"{label} {port} must be between 1 and 65535"
        if self.provisioned_concurrency < 0:
            return f"provisioned_concurrency {self.provisioned_concurrency} must not be negative"
        return self._problem_with_cidrs()

    def _problem_with_cidrs(self) -> str:
        networks = []
        for label, cidr in (("primary_cidr", self.primary_cidr), ("standby_cidr", self.standby_cidr)):
            try:
                network = ipaddress.IPv4Network(cidr)
            except ValueError as problem:
                return f"{label} {cidr!r} is not a CIDR: {problem}"
            if network.prefixlen != _VPC_PREFIX or not network.subnet_of(_TEN):  # type: ignore[arg-type]
                return f"{label} {cidr} must be a /16 within 10.0.0.0/8"
            networks.append(network)
        if networks[0].overlaps(networks[1]):
            return (
                f"the CIDRs {networks[0]} and {networks[1]} overlap: a peering can't carry bytes between them"
            )
        return ""
