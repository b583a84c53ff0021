"""``AWS::Route53::*``: hosted zones, health checks and records."""

from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number, truth

_NUMBERS = ("Port", "RequestInterval", "FailureThreshold", "HealthThreshold")
_TRUTHS = ("Inverted", "Disabled", "EnableSNI", "MeasureLatency")
_FIXED = {"Type", "RequestInterval", "MeasureLatency"}


def _zone(request: Request) -> Made:
    wanted = request.properties
    private = wanted.get("VPCs")
    if private:
        msg = "the lab has public hosted zones only"
        raise ValueError(msg)
    made = request.client("route53").create_hosted_zone(
        Name=wanted["Name"], CallerReference=request.name(), HostedZoneConfig=_comment(wanted)
    )
    zone_id = made["HostedZone"]["Id"].removeprefix("/hostedzone/")
    _tag(request, "hostedzone", zone_id, "HostedZoneTags")
    return Made(zone_id, {"Id": zone_id, "NameServers": made["DelegationSet"]["NameServers"]})


def _comment(wanted: Any) -> dict[str, Any]:
    return {"Comment": wanted.get("HostedZoneConfig", {}).get("Comment", ""), "PrivateZone": False}


def _tag(request: Request, kind: str, resource_id: str, key: str) -> None:
    call: dict[str, Any] = {"AddTags": request.tag_list(key), "RemoveTagKeys": request.tags_gone(key)}
    call = {name: value for name, value in call.items() if value}
    if call:
        request.client("route53").change_tags_for_resource(ResourceType=kind, ResourceId=resource_id, **call)


def _update_zone(request: Request, made: Made) -> Made | None:
    if "Name" in request.changed():
        return None
    if "HostedZoneConfig" in request.changed():
        comment = _comment(request.properties)["Comment"]
        request.client("route53").update_hosted_zone_comment(Id=made.physical_resource_id, Comment=comment)
    _tag(request, "hostedzone", made.physical_resource_id, "HostedZoneTags")
    return made


def _delete_zone(request: Request, made: Made) -> None:
    request.client("route53").delete_hosted_zone(Id=made.physical_resource_id)


def _config(request: Request) -> dict[str, Any]:
    config = dict(request.properties["HealthCheckConfig"])
    config |= {name: number(config[name]) for name in _NUMBERS if name in config}
    config |= {name: truth(config[name]) for name in _TRUTHS if name in config}
    return config


def _check(request: Request) -> Made:
    made = request.client("route53").create_health_check(
        CallerReference=request.name(), HealthCheckConfig=_config(request)
    )["HealthCheck"]
    _tag(request, "healthcheck", made["Id"], "HealthCheckTags")
    return Made(made["Id"], {"HealthCheckId": made["Id"]})


def _update_check(request: Request, made: Made) -> Made | None:
    config, before = _config(request), request.before["HealthCheckConfig"]
    if any(config.get(name) != before.get(name) for name in _FIXED):
        return None
    call = {name: value for name, value in config.items() if name not in _FIXED}
    request.client("route53").update_health_check(HealthCheckId=made.physical_resource_id, **call)
    _tag(request, "healthcheck", made.physical_resource_id, "HealthCheckTags")
    return made


def _delete_check(request: Request, made: Made) -> None:
    request.client("route53").delete_health_check(HealthCheckId=made.physical_resource_id)


def _record_set(wanted: Any) -> dict[str, Any]:
    record = chosen(wanted, "Name", "Type", "SetIdentifier", "Failover", "HealthCheckId", "Region")
    if "TTL" in wanted:
        record["TTL"] = number(wanted["TTL"])
    if "Weight" in wanted:
        record["Weight"] = number(wanted["Weight"])
    if "ResourceRecords" in wanted:
        record["ResourceRecords"] = [{"Value": value} for value in wanted["ResourceRecords"]]
    if "AliasTarget" in wanted:
        alias = wanted["AliasTarget"]
        evaluate = truth(alias.get("EvaluateTargetHealth", False))
        record["AliasTarget"] = {**chosen(alias, "HostedZoneId", "DNSName"), "EvaluateTargetHealth": evaluate}
    return record


def _change(request: Request, action: str) -> None:
    request.client("route53").change_resource_record_sets(
        HostedZoneId=request.properties["HostedZoneId"],
        ChangeBatch={
            "Changes": [{"Action": action, "ResourceRecordSet": _record_set(request.properties)}],
        },
    )


def _record(request: Request) -> Made:
    _change(request, "CREATE")
    return Made(request.properties["Name"])


def _update_record(request: Request, made: Made) -> Made | None:
    if request.changed() & {"Name", "Type", "HostedZoneId", "SetIdentifier"}:
        return None
    _change(request, "UPSERT")
    return made


def _delete_record(request: Request, _made: Made) -> None:
    _change(request, "DELETE")


TYPES = (
    ResourceType(
        "AWS::Route53::HostedZone",
        _zone,
        _delete_zone,
        _update_zone,
        frozenset({"Id", "NameServers"}),
        frozenset({"Name"}),
    ),
    ResourceType(
        "AWS::Route53::HealthCheck",
        _check,
        _delete_check,
        _update_check,
        frozenset({"HealthCheckId"}),
        frozenset({"HealthCheckConfig"}),
    ),
    ResourceType(
        "AWS::Route53::RecordSet",
        _record,
        _delete_record,
        _update_record,
        physics=frozenset(
            {
                "AliasTarget",
                "Failover",
                "HealthCheckId",
                "HostedZoneId",
                "Name",
                "ResourceRecords",
                "SetIdentifier",
                "TTL",
                "Type",
            }
        ),
    ),
)
