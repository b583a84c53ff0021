"""Reads the states of CloudWatch alarms by name, metric alarms and composite ones."""

from collections.abc import Mapping, Sequence

from drill.aws import Aws

ALARM = "ALARM"
NO_DATA = "INSUFFICIENT_DATA"
MISSING = "missing"
"""The state of an alarm that is not there."""

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
_AT_ONCE = 100


def read(aws: Aws, region: str, names: Sequence[str]) -> Mapping[str, str]:
    """Return the state of each alarm: ``OK``, ``ALARM``, ``INSUFFICIENT_DATA`` or :data:`MISSING`.

    Raises:
        ClientError: AWS refused to tell.
        BotoCoreError: AWS did not answer.

    """
    pages = aws.client("cloudwatch", region).get_paginator("describe_alarms")
    states = dict.fromkeys(names, MISSING)
    for first in range(0, len(names), _AT_ONCE):
        wanted = list(names[first : first + _AT_ONCE])
        # Without its types, only metric alarms are described.
        for page in pages.paginate(AlarmNames=wanted, AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                states[alarm["AlarmName"]] = alarm["StateValue"]
    return states
