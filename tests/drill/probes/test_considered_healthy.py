"""A health check judged by whoever's way of asking: calculated from an endpoint's check and an alarm's."""

from collections.abc import Mapping
from typing import Any

import pytest

from drill.probes.health_check import considered_healthy

CHECKS: Mapping[str, Mapping[str, Any]] = {
    "both": {"Type": "CALCULATED", "ChildHealthChecks": ["endpoint", "metric"], "HealthThreshold": 2},
    "either": {"Type": "CALCULATED", "ChildHealthChecks": ["endpoint", "metric"], "HealthThreshold": 1},
    "neither": {
        "Type": "CALCULATED",
        "ChildHealthChecks": ["either"],
        "HealthThreshold": 1,
        "Inverted": True,
    },
    "endpoint": {"Type": "HTTPS"},
    "metric": {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "us-west-2", "Name": "errors"}},
}


@pytest.mark.parametrize(
    ("status", "state", "healthy"),
    [
        ("Success: 200", "OK", {"both", "either", "endpoint", "metric"}),
        ("Success: 200", "ALARM", {"either", "endpoint"}),
        ("Failure: 503", "OK", {"either", "metric"}),
        ("Failure: 503", "ALARM", {"neither"}),
    ],
)
def test_it_is_asked_down_to_the_endpoints_and_alarms(status: str, state: str, healthy: set[str]) -> None:
    """Each child where it is: an endpoint's status from Route 53, an alarm's state from its own region."""

    def ask(service: str, region: str, operation: str, **request: object) -> Mapping[str, Any]:
        if (service, region, operation) == ("route53", "global", "get_health_check_status"):
            assert request == {"HealthCheckId": "endpoint"}
            return {"HealthCheckObservations": [{"StatusReport": {"Status": status}}]}
        assert (service, region, operation) == ("cloudwatch", "us-west-2", "describe_alarms")
        assert request == {"AlarmNames": ["errors"]}
        return {"MetricAlarms": [{"StateValue": state}]}

    assert healthy == {one for one in CHECKS if considered_healthy(one, CHECKS.__getitem__, ask)}
