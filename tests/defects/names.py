"""Failures of DNS and of its health checks, and what plants them."""

from tests.defects.bench import Bench, Undo


def no_children(bench: Bench) -> Undo:
    """Take all children of both calculated checks away, so that neither is ever healthy (DR05)."""
    undos = [
        _changed(bench, region.health_check_id, ResetElements=["ChildHealthChecks"])
        for region in (bench.target.primary, bench.target.standby)
    ]
    return lambda: [undo() for undo in undos]


def threshold_zero(bench: Bench) -> Undo:
    """Have the primary's calculated check healthy whatever its children say (DR05)."""
    return _changed(bench, bench.target.primary.health_check_id, HealthThreshold=0)


def left_inverted(bench: Bench) -> Undo:
    """Leave a child of the standby's check disabled, as somebody forgot it (DR05)."""
    route53 = bench.client("route53", "global")
    check_id = bench.target.standby.health_check_id
    config = route53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    return _changed(bench, config["ChildHealthChecks"][0], Disabled=True)


def long_ttl(bench: Bench) -> Undo:
    """Have the failover records be plain ones that clients keep for five minutes (DX02)."""
    route53, target = bench.client("route53", "global"), bench.target
    zone_id, name = target.dns.hosted_zone_id, target.dns.record_name.rstrip(".") + "."
    listed = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    before = [row for row in listed if row["Name"] == name and "Failover" in row]
    after = [
        {
            **{key: value for key, value in row.items() if key != "AliasTarget"},
            "TTL": 300,
            "ResourceRecords": [{"Value": f"192.0.2.{number}"}],
        }
        for number, row in enumerate(before, 1)
    ]

    def put(rows: list[dict[str, object]]) -> None:
        changes = [{"Action": "UPSERT", "ResourceRecordSet": row} for row in rows]
        route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})

    put(after)
    return lambda: put(before)


def _changed(bench: Bench, check_id: str, **values: object) -> Undo:
    route53 = bench.client("route53", "global")
    config = route53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    route53.update_health_check(HealthCheckId=check_id, **values)
    kept = {key: config[key] for key in ("ChildHealthChecks", "HealthThreshold", "Disabled") if key in config}
    return lambda: route53.update_health_check(HealthCheckId=check_id, **kept)
