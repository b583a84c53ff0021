"""DR09: who gets the alerts, and has confirmed it."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit import alarms
from drill.audit.contract import Check, Found, Part
from drill.audit.reads import absent
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_UNCONFIRMED = ("PendingConfirmation", "Deleted")


class Subscribers(Check):
    """Reads the subscriptions of every topic that the system's alarms tell."""

    id: ClassVar = "DR09"
    title: ClassVar = "Alerts go to nobody"
    why: ClassVar = (
        "A subscription by e-mail counts only after its owner has followed a link. Until then an alarm "
        "changes a colour on a page, and an outage goes unnoticed."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "A subscriber that needs no confirmation (alerts.yaml: Queue and QueueSubscription), and the link in "
        "the mail to the others"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html",
    )
    calls: ClassVar = (*alarms.CALLS, "sns:ListSubscriptionsByTopic")
    seed: ClassVar = (9,)
    explains: ClassVar = ("time_to_alert",)
    drill: ClassVar = "drill run dynamodb-throttling"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each region."""
        for region in system.regions:
            yield Part(f"topics in {region.name}", partial(_look, system, region))


def _look(system: System, region: Region) -> Iterator[Found]:
    if region.alert_topic_arn is None:
        role = system.role(region)
        yield Found(f"region {region.name}", f"the target names no alert topic ({role}.alert_topic_arn)")
    names = set(region.alarms.values())
    told = {
        action
        for alarm in alarms.all_of(system, region)
        if alarm["AlarmName"] in names
        for action in alarm["AlarmActions"]
    }
    topics = {arn for arn in (*told, region.alert_topic_arn) if arn and ":sns:" in arn}
    for arn in sorted(topics):
        yield from _topic(system, region, arn)


def _topic(system: System, region: Region, arn: str) -> Iterator[Found]:
    where = f"topic {arn.rpartition(':')[2]} in {region.name}"
    try:
        subscriptions = system.reads.many(
            "sns", region.name, "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn
        )
    except ClientError as problem:
        if not absent(problem):
            raise
        yield Found(where, "there is no such topic")
        return
    for one in subscriptions:
        if one["SubscriptionArn"] in _UNCONFIRMED:
            yield Found(where, f"{one['Endpoint']} ({one['Protocol']}) has not confirmed its subscription")
    # The queue that drills read is nobody's pager.
    drills = f":{(region.drill_queue_url or '').rpartition('/')[2]}"
    people = [
        one for one in subscriptions if not (region.drill_queue_url and one["Endpoint"].endswith(drills))
    ]
    if all(one["SubscriptionArn"] in _UNCONFIRMED for one in people):
        yield Found(where, "no subscriber of it is confirmed" if people else "it has no subscriber")
