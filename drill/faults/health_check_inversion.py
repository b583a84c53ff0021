"""Makes a Route 53 health check unhealthy for good, so that DNS fails over.

``Disabled`` makes a check count as healthy whatever its checkers see, ``Inverted`` turns
the outcome around: both together are a constant *unhealthy*. Only DNS moves; the region
that is called dead still serves.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill import clock
from drill.errors import DrillError
from drill.faults.contract import ApiCall, Call, DeadMan, Fault, Intent, Resource
from drill.faults.reads import READS
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

# How often an undo reads again when its answer was an old one, or somebody else's change came between.
ATTEMPTS = 10
_SWITCHES = ("Disabled", "Inverted")


@dataclass(frozen=True, slots=True)
class HealthCheckInversion(Fault):
    """Sets ``Disabled`` and ``Inverted`` of one health check.

    Attributes:
        health_check_id: The check that a failover record carries.
        region: Where Route 53's control plane is.
        poll_s: How long to wait before a check is read again whose answer was an old one.

    """

    health_check_id: str
    region: str = "us-east-1"
    poll_s: float = 0.5

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
        """Return ``Inverted``, ``Disabled``, the version that holds them, and the other settings.

        Raises:
            DrillError: There is no such check.

        """
        check = self._read(aws)
        if check is None:
            msg = (
                f"there is no health check {self.health_check_id}: the target file is out of date; "
                "see: drill target check"
            )
            raise DrillError(msg)
        return {
            **_switches(check.settings),
            "HealthCheckVersion": check.version,
            "HealthCheckConfig": check.settings,
        }

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Set both, if the check is still the one that was captured.

        Raises:
            DrillError: Somebody else has changed the check since; nothing was touched.

        """
        try:
            self._update(aws, before["HealthCheckVersion"], Disabled=True, Inverted=True)
        except ClientError as problem:
            if not _is_error(problem, "HealthCheckVersionMismatch"):
                raise
            if not self._is_ours(aws, before):
                msg = (
                    f"health check {self.health_check_id} was changed by somebody else since this drill "
                    "read it; nothing was touched: look at the change, then run the drill again"
                )
                raise DrillError(msg) from problem

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Set both as they were, and leave alone whatever else was changed meanwhile.

        An answer that shows the check as it was captured may be an old one. Both are then set all the
        same, under the captured version: Route 53 takes that only if nothing has changed since.

        Raises:
            DrillError: Others keep changing the check.

        """
        wanted = _switches(before)
        for _ in range(ATTEMPTS):
            check = self._read(aws)
            if check is None:
                return (self._told("was deleted by somebody else: nothing of this drill is left of it"),)
            now = _switches(check.settings)
            if check.version > _version(before) and now != _BROKEN:
                return self._drift(before, check)
            if self._set(aws, check.version, wanted):
                return self._drift(before, replace(check, settings={**check.settings, **wanted}))
            clock.sleep(self.poll_s)
        msg = self._told(f"was changed by others {ATTEMPTS} times in a row and could not be put back")
        raise DrillError(msg)

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether both are no more as this fault sets them.

        An answer of a later version than was captured is believed at once: what was put back is not
        broken again, since that would take the captured version. One of the captured version may be
        an old answer, and several must agree.
        """
        for _ in range(READS):
            check = self._read(aws)
            if check is None:
                return True
            now = _switches(check.settings)
            if check.version < _version(before) or now == _BROKEN != _switches(before):
                return False
            if check.version > _version(before):
                return True
        return True

    def _drift(self, before: Mapping[str, Json], check: "_Check") -> tuple[str, ...]:
        """Return a line on what somebody else changed of the check, if anything."""
        captured = before.get("HealthCheckConfig")
        if not isinstance(captured, Mapping):
            return ()
        then, now = ({**config, **_switches(config)} for config in (captured, check.settings))
        changed = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
        return (self._told(f"has another {', '.join(changed)}"),) if changed else ()

    def _told(self, what: str) -> str:
        """Return what became of the check, with the command that shows it."""
        see = f"aws route53 get-health-check --health-check-id {self.health_check_id}"
        return f"health check {self.health_check_id} {what}; see: {see}"

    def _read(self, aws: "Aws") -> "_Check | None":
        """Return the check as Route 53 shows it; None if it is not there."""
        client = aws.client("route53", self.region)
        try:
            check = client.get_health_check(HealthCheckId=self.health_check_id)["HealthCheck"]
        except ClientError as problem:
            if not _is_error(problem, "NoSuchHealthCheck"):
                raise
            return None
        return _Check(check["HealthCheckVersion"], check["HealthCheckConfig"])

    def _update(self, aws: "Aws", version: Json, **switches: Json) -> None:
        aws.client("route53", self.region).update_health_check(
            HealthCheckId=self.health_check_id, HealthCheckVersion=version, **switches
        )

    def _set(self, aws: "Aws", version: int, switches: Mapping[str, Json]) -> bool:
        """Set both, if the check still has this version; say whether it had."""
        try:
            self._update(aws, version, **switches)
        except ClientError as problem:
            if not _is_error(problem, "HealthCheckVersionMismatch", "NoSuchHealthCheck"):
                raise
            return False
        return True

    def _is_ours(self, aws: "Aws", before: Mapping[str, Json]) -> bool:
        """Say whether the change is this very one: its first answer was lost, and it was sent again."""
        check = self._read(aws)
        return (
            check is not None
            and check.version == _version(before) + 1
            and _switches(check.settings) == _BROKEN != _switches(before)
        )


@dataclass(frozen=True, slots=True)
class _Check:
    """A health check as Route 53 shows it: its settings, and how many changes made them."""

    version: int
    settings: Mapping[str, Any]


_BROKEN: Mapping[str, Json] = {"Disabled": True, "Inverted": True}


def _switches(settings: Mapping[str, Any]) -> dict[str, Json]:
    return {name: bool(settings.get(name, False)) for name in _SWITCHES}


def _version(before: Mapping[str, Json]) -> int:
    return int(str(before["HealthCheckVersion"]))


def _is_error(problem: ClientError, *codes: str) -> bool:
    return problem.response["Error"]["Code"] in codes
