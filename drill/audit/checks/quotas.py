"""DX10: quotas of the standby that are lower than the primary's."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity

_UNITS = ("AccountMaxReadCapacityUnits", "AccountMaxWriteCapacityUnits")


class Quotas(Check):
    """Compares the concurrency of functions and the capacity of tables that AWS grants in both regions."""

    id: ClassVar = "DX10"
    title: ClassVar = "The standby is granted less than the primary"
    why: ClassVar = (
        "Quotas are raised region by region, mostly where the load is. On the day of the failover all of it "
        "meets the quota that nobody raised, and raising takes days."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "aws service-quotas request-service-quota-increase --region REGION --service-code lambda "
        "--quota-code L-B99A9384 --desired-value N"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_manage_service_limits_limits_considered.html",
    )
    calls: ClassVar = ("dynamodb:DescribeLimits", "lambda:GetAccountSettings")
    explains: ClassVar = ("recovery_time", "client_outage", "availability")

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each service."""
        yield Part("concurrency of functions", partial(_functions, system))
        yield Part("capacity of tables", partial(_tables, system))


def _functions(system: System) -> Iterator[Found]:
    primary, standby = (
        system.reads.one("lambda", region.name, "get_account_settings")["AccountLimit"][
            "ConcurrentExecutions"
        ]
        for region in system.regions
    )
    if standby < primary:
        yield Found(
            f"AWS Lambda in {system.target.standby.name}",
            f"{standby} functions may run at once, in the primary {primary}",
        )


def _tables(system: System) -> Iterator[Found]:
    primary, standby = (
        system.reads.one("dynamodb", region.name, "describe_limits") for region in system.regions
    )
    for name in _UNITS:
        if standby[name] < primary[name]:
            yield Found(
                f"DynamoDB in {system.target.standby.name}",
                f"{name} is {standby[name]}, in the primary {primary[name]}",
            )
