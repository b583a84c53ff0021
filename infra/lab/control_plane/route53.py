"""Route 53 as AWS has it: versions of health checks, their real status, one record for each failover role."""

import threading
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.route53 import urls
from moto.route53.exceptions import NoSuchHealthCheck
from moto.route53.models import FakeZone, HealthCheck, Route53Backend
from moto.route53.responses import Route53

from infra.lab.control_plane import alarm_checks
from infra.lab.control_plane.mending import Function, add, replace
from infra.lab.control_plane.wiring import WIRING

_LAST_FAILURE = r"{0}/(?P<api_version>[\d_-]+)/healthcheck/(?P<health_check_id>[^/]+)/lastfailurereason$"
_LOCK = threading.Lock()

# Members of UpdateHealthCheck and the attributes in which moto keeps them,
# https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html
_UPDATABLE = {
    "IPAddress": "ip_address",
    "Port": "port",
    "ResourcePath": "resource_path",
    "FullyQualifiedDomainName": "fqdn",
    "SearchString": "search_string",
    "FailureThreshold": "failure_threshold",
    "HealthThreshold": "health_threshold",
    "Inverted": "inverted",
    "Disabled": "disabled",
    "EnableSNI": "enable_sni",
    "ChildHealthChecks": "children",
    "Regions": "regions",
    "AlarmIdentifier": "alarm_identifier",
    "InsufficientDataHealthStatus": "insufficient_data_health_status",
}
_RESETTABLE = {"ResourcePath", "FullyQualifiedDomainName", "Regions", "ChildHealthChecks"}


class HealthCheckVersionMismatch(ServiceException):
    """Somebody else changed the health check in between (409)."""

    code = "HealthCheckVersionMismatch"


class InvalidChangeBatch(ServiceException):
    """A batch of record changes that Route 53 refuses."""

    code = "InvalidChangeBatch"


def install() -> None:
    """Mend moto's Route 53."""
    replace(Route53Backend, "create_health_check", _create_health_check)
    replace(Route53Backend, "delete_health_check", _delete_health_check)
    replace(Route53Backend, "change_resource_record_sets", _change_resource_record_sets)
    replace(HealthCheck, "health_check_config", _health_check_config)
    replace(Route53, "create_health_check", _create_response)
    replace(Route53, "update_health_check", _update_response)
    replace(Route53, "get_health_check_status", _status_response)
    urls.url_paths[_LAST_FAILURE] = Route53.dispatch
    add(Route53, "get_health_check_last_failure_reason", _last_failure_response)


def _create_health_check(original: Function) -> Function:
    def create(
        backend: Route53Backend, caller_reference: str, health_check_args: dict[str, Any]
    ) -> HealthCheck:
        check: HealthCheck = original(backend, caller_reference, health_check_args)
        if check.type_ == "CALCULATED":
            wanted = health_check_args.get("health_threshold")
            check.health_threshold = len(check.children or ()) if wanted is None else wanted
        return check

    return create


def _create_response(original: Function) -> Function:
    def create(response: Route53) -> ActionResult:
        config = response._get_param("HealthCheckConfig")
        watched = alarm_checks.settings_for(config)
        answer: ActionResult = original(response)
        check = answer.result["HealthCheck"]
        check.alarm_identifier = config.get("AlarmIdentifier")
        check.insufficient_data_health_status = config.get("InsufficientDataHealthStatus")
        check.cloud_watch_alarm_configuration, check.alarm_settings = alarm_checks.shown(watched), watched
        return answer

    return create


def _delete_health_check(original: Function) -> Function:
    def delete(backend: Route53Backend, health_check_id: str) -> None:
        if health_check_id not in backend.health_checks:
            raise NoSuchHealthCheck(health_check_id)
        original(backend, health_check_id)

    return delete


def _health_check_config(original: property) -> property:
    def config(check: HealthCheck) -> dict[str, Any]:
        shown: dict[str, Any] = original.__get__(check)
        alarm = getattr(check, "alarm_identifier", None)
        if alarm:
            shown["AlarmIdentifier"] = alarm
            shown["InsufficientDataHealthStatus"] = check.insufficient_data_health_status or "LastKnownStatus"
        if check.type_ == "CLOUDWATCH_METRIC":
            for absent in ("Port", "RequestInterval", "FailureThreshold", "MeasureLatency"):
                shown.pop(absent, None)
        return shown

    return property(config)


def _update_response(_original: Function) -> Function:
    def update(response: Route53) -> ActionResult:
        check = response.backend.get_health_check(response._get_param("HealthCheckId"))
        wanted = response._get_param("HealthCheckVersion")
        with _LOCK:
            if wanted is not None and int(wanted) != check.health_check_version:
                msg = (
                    f"The health check with version {wanted} does not match the current version"
                    f" {check.health_check_version}"
                )
                raise HealthCheckVersionMismatch(msg)
            alarm = alarm_checks.settings_again(check, response._get_param("AlarmIdentifier"))
            for member in response._get_param("ResetElements", []):
                if member in _RESETTABLE:
                    setattr(check, _UPDATABLE[member], None)
            for member, attribute in _UPDATABLE.items():
                value = response._get_param(member)
                if value is not None:
                    setattr(check, attribute, value)
            check.cloud_watch_alarm_configuration, check.alarm_settings = alarm_checks.shown(alarm), alarm
            check.health_check_version += 1
        return ActionResult({"HealthCheck": check})

    return update


def _observations(response: Route53, *, failures_only: bool) -> ActionResult:
    check = response.backend.get_health_check(response._get_param("HealthCheckId"))
    if check.type_ in {"CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"} or WIRING.health is None:
        return ActionResult({"HealthCheckObservations": []})
    seen = [
        {
            "Region": report.region,
            "IPAddress": report.address,
            "StatusReport": {
                "Status": report.status,
                "CheckedTime": datetime.fromtimestamp(report.checked_at, UTC),
            },
        }
        for report in WIRING.health.reports(check.id)
        if not (failures_only and report.status.startswith("Success"))
    ]
    return ActionResult({"HealthCheckObservations": seen})


def _status_response(_original: Function) -> Function:
    def status(response: Route53) -> ActionResult:
        return _observations(response, failures_only=False)

    return status


def _last_failure_response(response: Route53) -> ActionResult:
    return _observations(response, failures_only=True)


def _change_resource_record_sets(original: Function) -> Function:
    def change(backend: Route53Backend, zone_id: str, changes: list[dict[str, Any]]) -> None:
        zone = backend.get_hosted_zone(zone_id)
        deleted = {_identity(item["ResourceRecordSet"]) for item in changes if item["Action"] == "DELETE"}
        for item in changes:
            if item["Action"] in {"CREATE", "UPSERT"}:
                _refuse_second_role(zone, item["ResourceRecordSet"], deleted)
        # moto deletes by set identifier alone, whatever the name: keep the namesakes of other names.
        others = [r for r in zone.rrsets if _of(r)[2] and _of(r) not in deleted]
        original(backend, zone_id, changes)
        present = {_of(record) for record in zone.rrsets}
        zone.rrsets.extend(record for record in others if _of(record) not in present)

    return change


def _identity(record: dict[str, Any]) -> tuple[str, str, str]:
    return record["Name"].rstrip(".").lower(), record["Type"], record.get("SetIdentifier") or ""


def _of(record: Any) -> tuple[str, str, str]:
    return record.name.rstrip(".").lower(), record.type, record.set_identifier or ""


def _refuse_second_role(zone: FakeZone, record: dict[str, Any], deleted: set[tuple[str, str, str]]) -> None:
    role, wanted = record.get("Failover"), _identity(record)
    for present in zone.rrsets:
        if not role or present.failover != role or _of(present) in deleted:
            continue
        if _of(present)[:2] == wanted[:2] and _of(present)[2] != wanted[2]:
            msg = (
                f"[Tried to create resource record set [name='{record['Name']}', type='{record['Type']}',"
                f" set identifier='{wanted[2]}'] but a {role} failover record with these name and type"
                f" exists: set identifier='{present.set_identifier}']"
            )
            raise InvalidChangeBatch(msg)
