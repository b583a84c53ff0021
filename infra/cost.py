"""What a system costs in a month, and what a drill of it costs: an estimate from the system file."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from infra.backup_times import backups_a_month
from infra.deploy_config import DeployConfig
from infra.prices import Prices, prices

HOURS = 730
"""Of a month, as AWS's own calculator counts them."""

ZONES = 3
MEMORY_GB = 0.5
DATABASE_GB = 10
CHANGE_GB = 0.05
TABLE_GB = 1
MILLIONS = 1.0
LOGS_GB = 1
ENDPOINTS = 2
INVOCATION_S = 0.02
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
HEALTH_REQUESTS_A_SECOND = 16 / 10
# Of a region: its own alarms without those of its cluster and canary, see observability.yaml.
ALARMS = 7
# Each policy of target tracking keeps four; reads and writes of the table and of its index have one, see
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
SCALING_ALARMS = 4 * 4

ASSUMPTIONS = (
    f"a month has {HOURS} hours; on-demand prices, without free tiers, taxes and discounts",
    "low: capacities at their least, copies of backups carry the changes alone",
    "high: capacities at their most for the whole month, every copy of a backup is full",
    f"the database holds {DATABASE_GB} GB, and {CHANGE_GB * 1000:g} MB of it change between two backups",
    f"the table holds {TABLE_GB} GB; paid singly, it has {MILLIONS:g} million reads and writes a month",
    f"functions have {MEMORY_GB * 1024:g} MB and take {INVOCATION_S * 1000:g} ms; {LOGS_GB} GB of logs each",
    f"Route 53 asks each region {HEALTH_REQUESTS_A_SECOND:g} times a second; clients are not counted",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one part costs.

    Attributes:
        part: The stack that it is of, or the step of a drill.
        region: Where; ``global`` for services without regions.
        what: What is paid.
        low_usd: At rest.
        high_usd: At most.

    """

    part: str
    region: str
    what: str
    low_usd: float
    high_usd: float


@dataclass(frozen=True, slots=True)
class _Region:
    """One region of a system, whose costs are counted."""

    config: DeployConfig
    name: str
    prices: Prices

    @property
    def primary(self) -> bool:
        return self.name == self.config.primary_region

    @property
    def has_cluster(self) -> bool:
        return self.primary or self.config.replication == "global"

    @property
    def has_canary(self) -> bool:
        return not self.primary or self.config.replication == "global"

    def cost(self, part: str, what: str, unit: str, low: float, high: float | None = None) -> Cost:
        usd = self.prices.usd(unit)
        return Cost(part, self.name, what, low * usd, (low if high is None else high) * usd)


def monthly(config: DeployConfig) -> tuple[Cost, ...]:
    """Return what the system costs in a month, by part and region."""
    found: list[Cost] = []
    for name in config.regions:
        region = _Region(config, name, prices())
        for count in (_network, _app, _data, _table, _backup, _keys, _observability):
            found += count(region)
    return (*found, *_dns(config, prices()))


def of_a_drill(config: DeployConfig) -> tuple[Cost, ...]:
    """Return what a drill costs besides, if it lasts as long as its durations allow."""
    region = _Region(config, config.primary_region, prices())
    timing = config.timing
    longest_s = timing.warm_up_s + timing.deadline_s + timing.failback_s
    requests = longest_s * (1 / timing.probe_interval_s + 1 / timing.write_interval_s)
    reads = longest_s / timing.api_interval_s / 1000
    minutes = math.ceil(timing.deadline_s / 60)
    acu_hours = (timing.deadline_s + timing.failback_s) / 3600
    return (
        region.cost("any drill", "its clients' requests", "lambda_request_million", 0, requests / 1e6),
        region.cost("any drill", "reading metrics", "metric_request_thousand", 0, reads),
        region.cost("paused replication", "AWS FIS", "experiment_action_minute", 0, minutes),
        region.cost(
            "restored database",
            "its capacity",
            "acu_hour",
            config.acu_min * acu_hours,
            config.acu_max * acu_hours,
        ),
        region.cost("restored database", "copy of a backup", "region_transfer_gb", 0, DATABASE_GB),
    )


def _network(region: _Region) -> Iterator[Cost]:
    gateways = {"none": 0, "one": 1, "per-az": ZONES}[region.config.nat]
    hours = ENDPOINTS * ZONES * HOURS
    yield region.cost("network", f"{ENDPOINTS} interface endpoints", "interface_endpoint_hour", hours)
    if gateways:
        yield region.cost("network", f"{gateways} NAT gateways", "nat_gateway_hour", gateways * HOURS)
    addresses = (ZONES + gateways) * HOURS
    yield region.cost("network", f"{ZONES + gateways} public addresses", "public_address_hour", addresses)


def _app(region: _Region) -> Iterator[Cost]:
    yield region.cost("app", "load balancer", "load_balancer_hour", HOURS)
    yield region.cost("app", "its capacity units", "load_balancer_unit_hour", 0.1 * HOURS, HOURS)
    warm = region.config.provisioned_concurrency * MEMORY_GB * HOURS * 3600
    if warm:
        yield region.cost("app", "warm processes", "provisioned_concurrency_gb_second", warm)
    requests = HEALTH_REQUESTS_A_SECOND * HOURS * 3600
    yield region.cost("app", "health checks' requests", "lambda_request_million", requests / 1e6)
    seconds = requests * INVOCATION_S * MEMORY_GB
    yield region.cost("app", "health checks' running time", "lambda_gb_second", seconds)


def _data(region: _Region) -> Iterator[Cost]:
    if not region.has_cluster:
        return
    config = region.config
    yield region.cost("data", "capacity", "acu_hour", config.acu_min * HOURS, config.acu_max * HOURS)
    if config.database_reader and region.primary:
        yield region.cost(
            "data", "reader's capacity", "acu_hour", config.acu_min * HOURS, config.acu_max * HOURS
        )
    yield region.cost("data", "storage", "aurora_storage_gb_month", DATABASE_GB)
    yield region.cost("data", "I/O", "aurora_io_million", MILLIONS)
    if config.replication == "global" and region.primary:
        yield region.cost("data", "replicated writes", "aurora_io_million", MILLIONS)


def _table(region: _Region) -> Iterator[Cost]:
    config = region.config
    # The table and its index are paid apart.
    low, high = 2 * config.table_min_capacity * HOURS, 2 * config.table_max_capacity * HOURS
    if config.table_billing == "PROVISIONED":
        yield region.cost("table", "write capacity", "table_write_unit_hour", low, high)
        yield region.cost("table", "read capacity", "table_read_unit_hour", low, high)
        yield region.cost("table", "auto scaling's alarms", "alarm_month", SCALING_ALARMS)
    else:
        yield region.cost("table", "writes", "table_write_million", 2 * MILLIONS)
        yield region.cost("table", "reads", "table_read_million", 2 * MILLIONS)
    yield region.cost("table", "storage", "table_storage_gb_month", TABLE_GB)
    yield region.cost("table", "point-in-time recovery", "table_recovery_gb_month", TABLE_GB)


def _backup(region: _Region) -> Iterator[Cost]:
    config = region.config
    taken = backups_a_month(config.backup_schedule)
    kept = max(taken * config.retention_days * 24 / HOURS, 1)
    changed_gb = DATABASE_GB + CHANGE_GB * kept
    yield region.cost(
        "backup", "recovery points", "aurora_backup_gb_month", changed_gb, max(DATABASE_GB * kept, changed_gb)
    )
    if region.primary:
        yield region.cost(
            "backup",
            "copies to the standby",
            "region_transfer_gb",
            DATABASE_GB + CHANGE_GB * taken,
            max(DATABASE_GB * taken, DATABASE_GB + CHANGE_GB * taken),
        )


def _keys(region: _Region) -> Iterator[Cost]:
    yield region.cost("keys", "key", "key_month", 1)
    logins = 2 if region.primary else 1
    yield region.cost("data", f"{logins} secrets", "secret_month", logins)


def _observability(region: _Region) -> Iterator[Cost]:
    in_global = region.config.replication == "global"
    alarms = ALARMS + region.has_cluster + region.has_canary + (in_global and not region.primary)
    yield region.cost("observability", f"{alarms} alarms", "alarm_month", alarms)
    yield region.cost("observability", "logs", "log_gb", LOGS_GB)
    if region.has_canary:
        yield region.cost("observability", "canary's metric", "metric_month", 1)
        yield region.cost("observability", "canary's calls", "metric_request_thousand", HOURS * 60 / 1000)
    if region.primary:
        yield region.cost("dashboard", "dashboard", "dashboard_month", 1)


def _dns(config: DeployConfig, unit: Prices) -> Iterator[Cost]:
    def cost(what: str, name: str, count: float) -> Cost:
        return Cost("dns", "global", what, count * unit.usd(name), count * unit.usd(name))

    yield cost("hosted zone", "hosted_zone_month", 1)
    yield cost("6 health checks", "health_check_month", 6)
    # The short interval is one, HTTPS another.
    features = 2 * (2 if config.scheme == "https" else 1)
    yield cost(f"{features} features of health checks", "health_check_feature_month", features)
