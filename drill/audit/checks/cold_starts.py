"""DR06: warm instances behind the alias, in both regions."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_NONE = "ProvisionedConcurrencyConfigNotFoundException"


class ColdStarts(Check):
    """Reads the provisioned concurrency of each region's alias."""

    id: ClassVar = "DR06"
    title: ClassVar = "The first requests of a region meet cold functions"
    why: ClassVar = (
        "Nobody asks the standby before the failover, so that every instance starts cold when all clients "
        "come at once: a part of the recovery time that is paid on the worst day."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "Provisioned concurrency on the alias in both regions (provisioned_concurrency of the system file; "
        "ProvisionedConcurrencyConfig of app.yaml): drill infra deploy"
    )
    source: ClassVar = ("https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html",)
    calls: ClassVar = ("lambda:GetProvisionedConcurrencyConfig", "lambda:GetFunctionConfiguration")
    seed: ClassVar = (6,)
    explains: ClassVar = ("recovery_time", "client_outage", "cold_starts", "cold_start_share")
    drill: ClassVar = "drill run region-outage --crowd 4 --cold-starts 0"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each region's alias."""
        for region in system.regions:
            yield Part(f"alias of {region.function_name} in {region.name}", partial(_look, system, region))


def _look(system: System, region: Region) -> Iterator[Found]:
    name, alias = region.function_name, region.function_alias
    where = f"function {name}:{alias} in {region.name}"
    mend = (
        f"aws lambda put-provisioned-concurrency-config --region {region.name} --function-name {name} "
        f"--qualifier {alias} --provisioned-concurrent-executions 1; in the templates: "
        "ProvisionedConcurrencyConfig of app.yaml"
    )
    try:
        kept = system.reads.one(
            "lambda",
            region.name,
            "get_provisioned_concurrency_config",
            FunctionName=name,
            Qualifier=alias,
        )
    except ClientError as problem:
        if problem.response["Error"]["Code"] != _NONE:
            raise
        if not _snaps(system, region):
            yield Found(where, "it keeps no instance warm", mend)
        return
    if kept["Status"] == "FAILED":
        yield Found(where, f"its warm instances could not be made: {kept.get('StatusReason', '')}", mend)
    elif kept["Status"] != "READY":
        yield Found(where, f"its warm instances are {kept['Status']}, not READY", mend)


def _snaps(system: System, region: Region) -> bool:
    """Say whether SnapStart restores instances instead, which AWS offers for some runtimes."""
    config = system.reads.one(
        "lambda",
        region.name,
        "get_function_configuration",
        FunctionName=region.function_name,
        Qualifier=region.function_alias,
    )
    return bool(config.get("SnapStart", {}).get("OptimizationStatus") == "On")
