"""Route 53 as a drill uses it: versions, inversion, checkers' reports, failover records, tags."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.world import CheckerReport
from tests.infra.lab.planelab import Lab, control_plane

HTTP: dict[str, Any] = {
    "Type": "HTTP",
    "FullyQualifiedDomainName": "a.example.test",
    "Port": 8080,
    "ResourcePath": "/health/regional",
    "RequestInterval": 10,
    "FailureThreshold": 2,
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def check(lab: Lab, **config: Any) -> str:
    """Make a health check; returns its id."""
    made = lab.client("route53").create_health_check(
        CallerReference=f"{time.monotonic_ns()}", HealthCheckConfig=config or HTTP
    )
    return str(made["HealthCheck"]["Id"])


def test_a_version_goes_up_with_each_update(lab: Lab) -> None:
    """A health check's version counts its updates, and the physics see it."""
    route53, name = lab.client("route53"), check(lab)
    assert route53.get_health_check(HealthCheckId=name)["HealthCheck"]["HealthCheckVersion"] == 1
    for expected in (2, 3):
        updated = route53.update_health_check(HealthCheckId=name, Inverted=expected == 2)["HealthCheck"]
        assert updated["HealthCheckVersion"] == expected
    assert [item.version for item in lab.now.health_checks] == [3]


def test_a_stale_version_is_refused(lab: Lab) -> None:
    """An update made with an old version changes nothing (409)."""
    route53, name = lab.client("route53"), check(lab)
    route53.update_health_check(HealthCheckId=name, HealthCheckVersion=1, Disabled=True)
    with pytest.raises(route53.exceptions.HealthCheckVersionMismatch) as refused:
        route53.update_health_check(HealthCheckId=name, HealthCheckVersion=1, Disabled=False)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert [(item.disabled, item.version) for item in lab.now.health_checks] == [(True, 2)]


def test_inverting_and_back_leaves_everything_else(lab: Lab) -> None:
    """An inversion touches the two switches alone."""
    child = check(lab)
    name = check(lab, Type="CALCULATED", ChildHealthChecks=[child], HealthThreshold=1)
    route53 = lab.client("route53")
    before = route53.get_health_check(HealthCheckId=name)["HealthCheck"]["HealthCheckConfig"]
    route53.update_health_check(HealthCheckId=name, Inverted=True, Disabled=True)
    during = route53.get_health_check(HealthCheckId=name)["HealthCheck"]["HealthCheckConfig"]
    assert during == {**before, "Inverted": True, "Disabled": True}
    assert before["ChildHealthChecks"] == [child]
    route53.update_health_check(HealthCheckId=name, Inverted=False, Disabled=False)
    assert route53.get_health_check(HealthCheckId=name)["HealthCheck"]["HealthCheckConfig"] == before


def test_the_physics_see_the_whole_configuration(lab: Lab) -> None:
    """Target, interval and threshold reach the checkers as configured."""
    child = check(lab)
    check(lab, Type="CALCULATED", ChildHealthChecks=[child], HealthThreshold=1)
    http, calculated = lab.now.health_checks
    assert (http.type, http.host, http.port, http.path) == (
        "HTTP",
        "a.example.test",
        8080,
        "/health/regional",
    )
    assert (http.interval_s, http.threshold) == (10, 2)
    assert (calculated.type, calculated.children, calculated.children_threshold) == (
        "CALCULATED",
        (child,),
        1,
    )


def test_an_alarm_check_shows_its_alarm(lab: Lab) -> None:
    """A CLOUDWATCH_METRIC check keeps the alarm that it watches, and shows that it has no checkers."""
    alarm = {"Region": "us-east-1", "Name": "errors"}
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="n",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    name = check(
        lab, Type="CLOUDWATCH_METRIC", AlarmIdentifier=alarm, InsufficientDataHealthStatus="Unhealthy"
    )
    config = lab.client("route53").get_health_check(HealthCheckId=name)["HealthCheck"]["HealthCheckConfig"]
    assert (config["AlarmIdentifier"], config["InsufficientDataHealthStatus"]) == (alarm, "Unhealthy")
    assert lab.client("route53").get_health_check_status(HealthCheckId=name)["HealthCheckObservations"] == []


def test_the_status_is_what_the_checkers_saw(lab: Lab) -> None:
    """Observations come from the checkers and from nowhere else; the last failures leave out successes."""
    route53, name = lab.client("route53"), check(lab)
    assert route53.get_health_check_status(HealthCheckId=name)["HealthCheckObservations"] == []
    at = 1_700_000_000.0
    lab.connect().seen = [
        CheckerReport("us-east-1", "127.0.0.9", "Success: HTTP Status Code 200, OK", at),
        CheckerReport("eu-west-1", "127.0.0.9", "Failure: connection timed out", at),
    ]
    seen = route53.get_health_check_status(HealthCheckId=name)["HealthCheckObservations"]
    assert [(item["Region"], item["StatusReport"]["Status"][:7]) for item in seen] == [
        ("us-east-1", "Success"),
        ("eu-west-1", "Failure"),
    ]
    assert {item["StatusReport"]["CheckedTime"].timestamp() for item in seen} == {at}
    failed = route53.get_health_check_last_failure_reason(HealthCheckId=name)["HealthCheckObservations"]
    assert [item["Region"] for item in failed] == ["eu-west-1"]


def test_a_calculated_check_has_no_observations(lab: Lab) -> None:
    """Nobody looks at a calculated check; its children are looked at."""
    name = check(lab, Type="CALCULATED", ChildHealthChecks=[check(lab)], HealthThreshold=1)
    lab.connect().seen = [CheckerReport("us-east-1", "127.0.0.9", "Success: OK", 0.0)]
    status = lab.client("route53").get_health_check_status(HealthCheckId=name)
    assert status["HealthCheckObservations"] == []


def test_a_check_that_is_not_there_is_refused(lab: Lab) -> None:
    """Every call says that there is no such health check."""
    route53 = lab.client("route53")
    for call in (route53.get_health_check, route53.get_health_check_status, route53.delete_health_check):
        with pytest.raises(route53.exceptions.NoSuchHealthCheck):
            call(HealthCheckId="00000000-0000-0000-0000-000000000000")


def zone(lab: Lab) -> str:
    """Make a zone; returns its id."""
    made = lab.client("route53").create_hosted_zone(Name="example.test", CallerReference="zone")
    return str(made["HostedZone"]["Id"].removeprefix("/hostedzone/"))


def record(name: str, role: str, identifier: str, value: str = "192.0.2.1") -> dict[str, Any]:
    """Return a failover record."""
    return {
        "Name": name,
        "Type": "A",
        "TTL": 5,
        "SetIdentifier": identifier,
        "Failover": role,
        "ResourceRecords": [{"Value": value}],
    }


def change(lab: Lab, zone_id: str, action: str, *records: dict[str, Any]) -> None:
    """Change records in one batch."""
    lab.client("route53").change_resource_record_sets(
        HostedZoneId=zone_id,
        ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": item} for item in records]},
    )


def served(lab: Lab, name: str) -> list[tuple[str, str]]:
    """Return role and identifier of a name's records as the physics see them."""
    return sorted((item.failover, item.set_identifier) for item in lab.now.records if item.name == name)


def test_a_second_primary_is_refused(lab: Lab) -> None:
    """A name has one record for each failover role."""
    zone_id = zone(lab)
    change(lab, zone_id, "CREATE", record("orders.example.test", "PRIMARY", "a"))
    with pytest.raises(ClientError, match="InvalidChangeBatch"):
        change(lab, zone_id, "CREATE", record("orders.example.test", "PRIMARY", "b"))
    change(lab, zone_id, "CREATE", record("orders.example.test", "SECONDARY", "b"))
    assert served(lab, "orders.example.test.") == [("PRIMARY", "a"), ("SECONDARY", "b")]


def test_an_upsert_keeps_the_role(lab: Lab) -> None:
    """Changing the primary record itself is no second primary."""
    zone_id = zone(lab)
    change(lab, zone_id, "CREATE", record("orders.example.test", "PRIMARY", "a"))
    change(lab, zone_id, "UPSERT", record("orders.example.test", "PRIMARY", "a", "192.0.2.2"))
    (found,) = [item for item in lab.now.records if item.failover == "PRIMARY"]
    assert (found.values, found.ttl) == (("192.0.2.2",), 5)


def test_deleting_a_record_leaves_its_namesakes(lab: Lab) -> None:
    """A set identifier means something only together with its name."""
    zone_id = zone(lab)
    change(lab, zone_id, "CREATE", record("a.example.test", "PRIMARY", "one"))
    change(lab, zone_id, "CREATE", record("b.example.test", "PRIMARY", "one"))
    change(lab, zone_id, "DELETE", record("a.example.test", "PRIMARY", "one"))
    assert (served(lab, "a.example.test."), served(lab, "b.example.test.")) == ([], [("PRIMARY", "one")])


def test_a_zones_own_records_are_text(lab: Lab) -> None:
    """NS and SOA come with plain values, as every other record."""
    zone(lab)
    values = [value for item in lab.now.records for value in item.values]
    assert values
    assert all(isinstance(value, str) for value in values)


@pytest.mark.parametrize("kind", ["healthcheck", "hostedzone"])
def test_tags_of_checks_and_zones(lab: Lab, kind: str) -> None:
    """The opt-in tag can be set, read and removed."""
    route53 = lab.client("route53")
    name = check(lab) if kind == "healthcheck" else zone(lab)
    tag = {"Key": "drill:opt-in", "Value": "true"}
    route53.change_tags_for_resource(ResourceType=kind, ResourceId=name, AddTags=[tag])
    shown = route53.list_tags_for_resource(ResourceType=kind, ResourceId=name)["ResourceTagSet"]
    assert shown["Tags"] == [tag]
    route53.change_tags_for_resource(ResourceType=kind, ResourceId=name, RemoveTagKeys=["drill:opt-in"])
    shown = route53.list_tags_for_resource(ResourceType=kind, ResourceId=name)["ResourceTagSet"]
    assert shown["Tags"] == []
