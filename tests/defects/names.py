"""Failures of DNS and of its health checks, and what plants them."""

from dns import resolver, rrset
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.defects.bench import Bench, Undo

_LONG_TTL_S, _SHORT_TTL_S = 70, 1


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
    """Have the failover records be plain ones that clients keep for more than a minute (DX02)."""
    route53, target = bench.client("route53", "global"), bench.target
    zone_id, name = target.dns.hosted_zone_id, target.dns.record_name.rstrip(".") + "."
    listed = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    before = [row for row in listed if row["Name"] == name and "Failover" in row]
    regions = {"PRIMARY": target.primary, "SECONDARY": target.standby}
    after = [
        {
            **{key: value for key, value in row.items() if key != "AliasTarget"},
            "TTL": _LONG_TTL_S,
            "ResourceRecords": [{"Value": str(_asked(bench, regions[row["Failover"]].load_balancer)[0])}],
        }
        for row in before
    ]

    def put(rows: list[dict[str, object]]) -> None:
        changes = [{"Action": "UPSERT", "ResourceRecordSet": row} for row in rows]
        route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})

    def undo() -> None:
        put(before)
        # What is cached leads clients astray for as long as they may keep it.
        forgotten = Retrying(
            retry=retry_if_result(lambda ttl_s: ttl_s > _SHORT_TTL_S),
            stop=stop_after_delay(2 * _LONG_TTL_S),
            wait=wait_fixed(0.5),
        )
        forgotten(lambda: _asked(bench, name).ttl)

    put(after)
    return undo


def _asked(bench: Bench, name: str) -> rrset.RRset:
    """Return what the clients' resolver answers."""
    names = resolver.Resolver(configure=False)
    address, _, port = str(bench.target.service.resolver).rpartition(":")
    names.nameservers, names.port = [address], int(port)
    found = names.resolve(name, "A").rrset
    assert found is not None
    return found


def _changed(bench: Bench, check_id: str, **values: object) -> Undo:
    route53 = bench.client("route53", "global")
    config = route53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    route53.update_health_check(HealthCheckId=check_id, **values)
    kept = {key: config[key] for key in ("ChildHealthChecks", "HealthThreshold", "Disabled") if key in config}
    return lambda: route53.update_health_check(HealthCheckId=check_id, **kept)
