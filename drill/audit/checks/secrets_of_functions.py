"""DX12: secrets that the standby's function reads in the region that may be gone."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import absent
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region


class SecretsOfFunctions(Check):
    """Follows the secrets that each region's function names in its environment."""

    id: ClassVar = "DX12"
    title: ClassVar = "A function reads its secrets in another region, or they are missing in its own"
    why: ClassVar = (
        "A secret without a replica is gone with its region. A standby that asks the primary's Secrets "
        "Manager works every day but the one it is for."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "aws secretsmanager replicate-secret-to-regions --secret-id ARN --add-replica-regions Region=REGION, "
        "and the replica's ARN in the function's environment (app.yaml: DB_SECRET_ARN)"
    )
    source: ClassVar = ("https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html",)
    calls: ClassVar = ("lambda:GetFunctionConfiguration", "secretsmanager:DescribeSecret")
    caused_by: ClassVar = ("DR04",)
    explains: ClassVar = (
        "recovery_time",
        "client_outage",
        "recovery_point_writes",
        "pending_share",
        "store_recovery",
    )

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each region's function."""
        for region in system.regions:
            yield Part(f"secrets of {region.function_name} in {region.name}", partial(_look, system, region))


def _look(system: System, region: Region) -> Iterator[Found]:
    config = system.reads.one(
        "lambda",
        region.name,
        "get_function_configuration",
        FunctionName=region.function_name,
        Qualifier=region.function_alias,
    )
    where = f"function {region.function_name} in {region.name}"
    for key, value in config.get("Environment", {}).get("Variables", {}).items():
        if ":secretsmanager:" not in value:
            continue
        if value.split(":")[3] != region.name:
            yield Found(where, f"{key} names a secret in {value.split(':')[3]}")
        elif _missing(system, region, value):
            yield Found(where, f"{key} names a secret that is not in {region.name}")


def _missing(system: System, region: Region, arn: str) -> bool:
    try:
        found = system.reads.one("secretsmanager", region.name, "describe_secret", SecretId=arn)
    except ClientError as problem:
        if absent(problem):
            return True
        raise
    return bool(found.get("DeletedDate"))
