"""DX11: a standby whose function is not the primary's."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import Document
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_SAME = ("CodeSha256", "Runtime", "Handler", "MemorySize", "Timeout", "Architectures", "PackageType")


class DriftedFunction(Check):
    """Compares code, settings and environment of the version behind both aliases."""

    id: ClassVar = "DX11"
    title: ClassVar = "The standby runs another function than the primary"
    why: ClassVar = (
        "A deployment that reached one region only is noticed when clients meet the old code, with less "
        "memory or another environment, on the day they all come."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = "The same code and settings in both regions (app.yaml): drill infra deploy"
    source: ClassVar = (
        "https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_planning_for_recovery_config_drift.html",
    )
    calls: ClassVar = ("lambda:GetFunctionConfiguration",)
    caused_by: ClassVar = ("DX12",)
    explains: ClassVar = ("recovery_time", "client_outage", "availability", "cold_start_share")

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the comparison."""
        yield Part("functions of both regions", partial(_look, system))


def _look(system: System) -> Iterator[Found]:
    primary, standby = (_config(system, region) for region in system.regions)
    differing = [name for name in _SAME if primary.get(name) != standby.get(name)]
    where = f"function {system.target.standby.function_name} in {system.target.standby.name}"
    if differing:
        yield Found(where, f"it differs from the primary's in {', '.join(differing)}", caused_by=())
    ours, theirs = (
        _environment(one, region) for one, region in zip((primary, standby), system.regions, strict=True)
    )
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            # A secret of the other region is told of by its own check.
            secret = any(":secretsmanager:" in held.get(key, "") for held in (ours, theirs))
            what = f"its environment variable {key} differs from the primary's"
            yield Found(where, what, caused_by=("DX12",) if secret else ())


def _config(system: System, region: Region) -> Document:
    return system.reads.one(
        "lambda",
        region.name,
        "get_function_configuration",
        FunctionName=region.function_name,
        Qualifier=region.function_alias,
    )


def _environment(config: Document, region: Region) -> dict[str, str]:
    """Return a function's environment without what belongs to its region: names of hosts and its own ARNs."""
    held = config.get("Environment", {}).get("Variables", {})
    return {
        key: "…" if value.endswith(".amazonaws.com") else value.replace(region.name, "REGION")
        for key, value in held.items()
    }
