"""The system file: what is deployed, and what can't be.

The file is YAML. ``drill infra init`` writes an example, ``drill lab up`` one for the lab. It says
nothing secret.
"""

import ipaddress
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from drill.errors import UsageError
from drill.restraints import Limits, NoGo, StopRules, Window
from drill.target import Environment, Objectives, Tag, Timing
from infra import backup_times

EXAMPLE = "system.example.yaml"
_TEN = ipaddress.IPv4Network("10.0.0.0/8")
_VPC_PREFIX = 16

Port = Annotated[int, Field(ge=1, le=65535)]
# Aurora counts capacity in halves of a unit, see
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html
Acu = Annotated[float, Field(ge=0.5, le=256, multiple_of=0.5)]
RegionName = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
CertificateArn = Annotated[str, Field(pattern=r"^arn:[a-z-]+:acm:[a-z0-9-]+:\d{12}:certificate/.+$")]


class DeployConfig(BaseModel):
    """What is deployed, and how it is drilled.

    Attributes:
        name: Of the system; stacks, buckets and the target are named after it.
        account: The AWS account that it belongs in; another one is refused. None takes any.
        primary_region: The region that serves.
        standby_region: The region that takes over.
        primary_cidr: Of the primary's VPC, a /16 within 10.0.0.0/8.
        standby_cidr: Of the standby's.
        nat: NAT gateways of the app subnets: none (they need none), one, or one in each zone.
        domain: The hosted zone; the service is ``orders.<domain>``.
        http_port: Port of the load balancers; None is 443 with certificates and 80 without.
        primary_certificate_arn: The load balancer's certificate in the primary; None serves HTTP.
        standby_certificate_arn: In the standby.
        provisioned_concurrency: Warm processes behind each region's alias; 0 keeps none.
        replication: How Aurora gets to the standby: copied backups, or a global database.
        engine_version: Of Aurora PostgreSQL.
        acu_min: The least capacity of a database instance, in Aurora capacity units.
        acu_max: The most.
        database_reader: A second instance in the primary's cluster, which takes over from the writer.
        database_port: Port of the databases.
        database_timeout_s: When the application gives up the database.
        table_billing: How the table is paid.
        table_min_capacity: The least that auto scaling provisions, in capacity units.
        table_max_capacity: The most.
        backup_schedule: When AWS Backup takes and copies a recovery point, in UTC.
        retention_days: How long recovery points are kept.
        rotation_days: How often the database's logins are changed.
        protect_data: Whether cluster and table refuse to be deleted.
        lag_ms: Replication lag that raises an alarm.
        budget_usd: Cost of a month that raises an alert.
        alert_email: Gets alerts by e-mail, once its owner has confirmed; None for nobody.
        alert_webhook: Gets alerts over HTTPS; None for none.
        endpoint_url: Where AWS's API answers, if not at AWS itself; goes to the target.
        environment: For the target.
        disposable: For the target.
        resolver: For the target.
        name_servers: For the target.
        timing: For the target.
        objectives: For the target.
        windows: For the target.
        no_go: For the target.
        limits: For the target.
        stop: For the target.

    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # Roles, buckets and load balancers are named after the system, and theirs are the shortest names.
    # Some of them take no hyphen at their end, nor two in a row.
    name: Annotated[str, Field(pattern=r"^[a-z](-?[a-z0-9])*$", max_length=24)]
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    primary_region: RegionName
    standby_region: RegionName
    primary_cidr: str = "10.0.0.0/16"
    standby_cidr: str = "10.1.0.0/16"
    nat: Literal["none", "one", "per-az"] = "none"
    domain: Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$")]
    http_port: Port | None = None
    primary_certificate_arn: CertificateArn | None = None
    standby_certificate_arn: CertificateArn | None = None
    provisioned_concurrency: int = Field(1, ge=0)
    replication: Literal["backup", "global"] = "backup"
    engine_version: Annotated[str, Field(pattern=r"^\d+\.\d+$")] = "16.8"
    acu_min: Acu = 0.5
    acu_max: Acu = 4
    database_reader: bool = False
    database_port: Port = 5432
    database_timeout_s: float = Field(1, gt=0, le=30)
    table_billing: Literal["PROVISIONED", "PAY_PER_REQUEST"] = "PROVISIONED"
    table_min_capacity: int = Field(5, ge=1)
    table_max_capacity: int = Field(100, ge=1)
    backup_schedule: str = "cron(0 * * * ? *)"
    retention_days: int = Field(14, ge=1, le=36500)
    rotation_days: int = Field(30, ge=1, le=1000)
    protect_data: bool = True
    lag_ms: int = Field(5000, ge=1)
    budget_usd: float = Field(400, ge=0.01)
    alert_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None
    alert_webhook: Annotated[str, Field(pattern=r"^https://\S+$")] | None = None
    endpoint_url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    environment: Environment = Environment()
    disposable: bool = False
    resolver: str | None = None
    name_servers: tuple[str, ...] = ()
    timing: Timing = Timing()
    objectives: Mapping[str, Objectives] = {}
    windows: tuple[Window, ...] = ()
    no_go: NoGo | None = None
    limits: Limits = Limits()
    stop: StopRules = StopRules()

    @property
    def regions(self) -> tuple[str, str]:
        """Both regions, the primary first."""
        return self.primary_region, self.standby_region

    @property
    def scheme(self) -> Literal["http", "https"]:
        """How clients reach the load balancers."""
        return "https" if self.primary_certificate_arn else "http"

    @property
    def port(self) -> int:
        """The port on which the load balancers answer."""
        return self.http_port or (443 if self.primary_certificate_arn else 80)

    @property
    def tags(self) -> dict[str, str]:
        """The tags of everything that is deployed: the drills' opt-in, and the project for its costs."""
        return {Tag().key: Tag().value, "project": self.name}

    def cidr(self, region: str) -> str:
        """Return the CIDR of a region's VPC."""
        return self.primary_cidr if region == self.primary_region else self.standby_cidr

    def subnet_cidr(self, region: str, third_octet: int) -> str:
        """Return the CIDR of a /24 of a region's VPC."""
        first, second, *_ = self.cidr(region).split(".")
        return f"{first}.{second}.{third_octet}.0/24"

    def certificate_arn(self, region: str) -> str | None:
        """Return the load balancer's certificate in a region; None where it serves HTTP."""
        primary = region == self.primary_region
        return self.primary_certificate_arn if primary else self.standby_certificate_arn

    def peer(self, region: str) -> str:
        """Return the other region."""
        return self.standby_region if region == self.primary_region else self.primary_region

    def changed(self, **values: object) -> "DeployConfig":
        """Return it with other values.

        Raises:
            UsageError: One is wrong; the text names it.

        """
        return parse({**self.model_dump(), **values})

    @field_validator("primary_cidr", "standby_cidr")
    @classmethod
    def _is_vpc(cls, cidr: str) -> str:
        try:
            network = ipaddress.IPv4Network(cidr)
        except ValueError as problem:
            msg = f"{cidr!r} is not a CIDR: {problem}"
            raise ValueError(msg) from problem
        if network.prefixlen != _VPC_PREFIX or not network.subnet_of(_TEN):
            msg = f"{cidr} must be a /16 within 10.0.0.0/8"
            raise ValueError(msg)
        return cidr

    @field_validator("backup_schedule")
    @classmethod
    def _is_backup_schedule(cls, schedule: str) -> str:
        if len(backup_times.parse(schedule).minutes) > 1:
            msg = f"{schedule} comes true more often than once an hour, which AWS Backup does not take"
            raise ValueError(msg)
        return schedule

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        problem = self._problem_of_places() or self._problem_of_capacities()
        if problem:
            raise ValueError(problem)
        return self

    def _problem_of_places(self) -> str:
        if self.primary_region == self.standby_region:
            return f"primary and standby must be two regions, not {self.primary_region} twice"
        if ipaddress.IPv4Network(self.primary_cidr).overlaps(ipaddress.IPv4Network(self.standby_cidr)):
            return (
                f"the CIDRs {self.primary_cidr} and {self.standby_cidr} overlap: "
                "a peering can't carry bytes between them"
            )
        if (self.primary_certificate_arn is None) != (self.standby_certificate_arn is None):
            return "both regions need a certificate, or neither: clients use one scheme for both"
        for label in ("primary", "standby"):
            region, arn = getattr(self, f"{label}_region"), getattr(self, f"{label}_certificate_arn")
            if arn is not None and arn.split(":")[3] != region:
                return f"{label}_certificate_arn must be of a certificate in {region}"
        return ""

    def _problem_of_capacities(self) -> str:
        if self.acu_min > self.acu_max:
            return f"acu_min {self.acu_min:g} must not be more than acu_max {self.acu_max:g}"
        if self.table_min_capacity > self.table_max_capacity:
            return (
                f"table_min_capacity {self.table_min_capacity} must not be more than "
                f"table_max_capacity {self.table_max_capacity}"
            )
        return ""


def parse(document: Mapping[str, Any], source: str = "the configuration") -> DeployConfig:
    """Return what a system file says.

    Args:
        document: Its keys.
        source: How errors name it.

    Raises:
        UsageError: A key is missing, unknown or wrong; nothing was touched.

    """
    try:
        return DeployConfig.model_validate(document)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        said = re.sub("^Value error, ", "", first["msg"])
        more = f" ({problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        msg = (
            f"{source}: {f'{key}: ' if key else ''}{said}{more}; nothing was touched; "
            "every key is explained in what this writes: drill infra init"
        )
        raise UsageError(msg) from problem


def load(path: Path) -> DeployConfig:
    """Read and check a system file.

    Raises:
        UsageError: It can't be read, is not YAML, or a key is missing, unknown or wrong.

    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        msg = f"system file {path} can't be read: {problem}; write one with: drill infra init {path}"
        raise UsageError(msg) from problem
    except yaml.YAMLError as problem:
        where = " ".join(str(problem).split())
        msg = f"system file {path} is not YAML: {where}; write an example with: drill infra init"
        raise UsageError(msg) from problem
    if not isinstance(document, dict):
        kind = type(document).__name__
        msg = f"system file {path} must be a mapping, not {kind}; write an example with: drill infra init"
        raise UsageError(msg)
    return parse(document, f"system file {path}")


def dump(config: DeployConfig, path: Path) -> None:
    """Write a system file that :func:`load` reads back as the same value."""
    document = config.model_dump(mode="json", exclude_none=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def write_example(path: Path) -> None:
    """Write a system file that explains every key.

    Raises:
        FileExistsError: A file is there already; it was not touched.
        UsageError: It can't be written.

    """
    text = (files("infra") / EXAMPLE).read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise
    except OSError as problem:
        msg = (
            f"system file {path} can't be written: {problem}; write it elsewhere with: drill infra init FILE"
        )
        raise UsageError(msg) from problem
