"""Makes a Route 53 health check unhealthy for good, so that DNS fails over.

``Disabled`` makes a check count as healthy whatever its checkers see, ``Inverted`` turns
the outcome around: both together are a constant *unhealthy*. Only DNS moves; the region
that is called dead still serves.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults.contract import ApiCall, Call, DeadMan, Fault, Intent, Resource
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

# How often an undo reads again when somebody else's change came in between.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class HealthCheckInversion(Fault):
    """Sets ``Disabled`` and ``Inverted`` of one health check.

    Attributes:
        health_check_id: The check that a failover record carries.
        region: Where Route 53's control plane is.

    """

    health_check_id: str
    region: str = "us-east-1"

    kind = "health-check-inversion"
    plain_undo = True

    @property
    def calls(self) -> tuple[Call, ...]:
        """Read and write of this one check; Route 53 knows no tags in permissions."""
        on = (f"arn:{{partition}}:route53:::healthcheck/{self.health_check_id}",)
        return (
            Call("capture", "route53", "GetHealthCheck", on),
            Call("inject", "route53", "UpdateHealthCheck", on),
            Call("inject", "route53", "GetHealthCheck", on),
            Call("undo", "route53", "GetHealthCheck", on),
            Call("undo", "route53", "UpdateHealthCheck", on),
            Call("undone", "route53", "GetHealthCheck", on),
        )

    @property
    def dead_man_note(self) -> str:
        """Say what the call does."""
        return f"Disabled and Inverted of health check {self.health_check_id} are set as they were"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return the one call that sets both switches as they were, whatever the version."""
        request: dict[str, Json] = {"HealthCheckId": self.health_check_id, **_switches(before)}
        return DeadMan((ApiCall("route53", "global", "UpdateHealthCheck", request),), self.dead_man_note)

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"health check {self.health_check_id} is set to Disabled and Inverted: "
            "constantly unhealthy, so that DNS fails over"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the health check."""
        return (Resource("health check", "route53", "global", self.health_check_id),)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return ``Inverted``, ``Disabled`` and the version that holds them."""
        check = self._read(aws)
        return {**_switches(check), "HealthCheckVersion": check["HealthCheckVersion"]}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Set both, if the check is still the one that was captured.

        Raises:
            DrillError: Somebody else has changed the check since; nothing was touched.

        """
        try:
            self._update(aws, before["HealthCheckVersion"], Disabled=True, Inverted=True)
        except ClientError as problem:
            if not _is_mismatch(problem):
                raise
            if not self._is_ours(aws, before):
                msg = (
                    f"health check {self.health_check_id} was changed by somebody else since this drill "
                    "read it; nothing was touched: look at the change, then run the drill again"
                )
                raise DrillError(msg) from problem

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Set both as they were, and leave alone whatever else was changed meanwhile.

        Raises:
            DrillError: Others keep changing the check.

        """
        wanted = _switches(before)
        for _ in range(ATTEMPTS):
            check = self._read(aws)
            if _switches(check) == wanted:
                return ()
            try:
                self._update(aws, check["HealthCheckVersion"], **wanted)
            except ClientError as problem:
                if not _is_mismatch(problem):
                    raise
            else:
                return ()
        msg = (
            f"health check {self.health_check_id} was changed by others {ATTEMPTS} times in a row and could "
            f"not be put back; see: aws route53 get-health-check --health-check-id {self.health_check_id}"
        )
        raise DrillError(msg)

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether both are as captured."""
        return _switches(self._read(aws)) == _switches(before)

    def _read(self, aws: "Aws") -> dict[str, Any]:
        client = aws.client("route53", self.region)
        check: dict[str, Any] = client.get_health_check(HealthCheckId=self.health_check_id)["HealthCheck"]
        return {**check["HealthCheckConfig"], "HealthCheckVersion": check["HealthCheckVersion"]}

    def _update(self, aws: "Aws", version: Json, **switches: Json) -> None:
        aws.client("route53", self.region).update_health_check(
            HealthCheckId=self.health_check_id, HealthCheckVersion=version, **switches
        )

    def _is_ours(self, aws: "Aws", before: Mapping[str, Json]) -> bool:
        """Say whether the change is this very one: its first answer was lost, and it was sent again."""
        check = self._read(aws)
        previous = before["HealthCheckVersion"]
        return (
            isinstance(previous, int)
            and check["HealthCheckVersion"] == previous + 1
            and all(_switches(check).values())
            and not all(_switches(before).values())
        )


def _switches(check: Mapping[str, Any]) -> dict[str, Json]:
    return {"Disabled": bool(check.get("Disabled", False)), "Inverted": bool(check.get("Inverted", False))}


def _is_mismatch(problem: ClientError) -> bool:
    code: str = problem.response["Error"]["Code"]
    return code == "HealthCheckVersionMismatch"
