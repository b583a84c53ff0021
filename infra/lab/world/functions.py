"""Functions: versions, aliases and invocations."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Function:
    """One published version, or ``$LATEST``, of a Lambda function.

    Attributes:
        version: ``$LATEST`` or a number.
        code: The zip archive.
        timeout_s: When an invocation is killed.
        environment: Its variables.
        provisioned: Warm processes to keep, over the aliases that point at it.
        subnet_ids: Subnets of its network interfaces; empty outside a VPC.
        reserved: The function's reserved concurrency; 0 throttles every invocation, None reserves none.
        security_group_ids: Security groups of its network interfaces.

    """

    name: str
    region: str
    version: str
    arn: str
    handler: str
    runtime: str
    memory_mb: int
    timeout_s: float
    environment: Mapping[str, str]
    code_sha256: str
    code: bytes = field(repr=False)
    subnet_ids: tuple[str, ...]
    vpc_id: str
    provisioned: int
    reserved: int | None = None
    security_group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionAlias:
    """An alias: a name for one version."""

    function: str
    region: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a function answered; ``error`` is empty or the kind of failure (``Unhandled``)."""

    payload: bytes
    error: str = ""
    status: int = 200
