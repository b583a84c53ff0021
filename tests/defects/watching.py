"""Failures of what watches the system, and of what it costs; and what plants them."""

from drill.target import Region
from tests.defects.bench import Bench, Undo

_ALARM = (
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "Dimensions",
    "Period",
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
)


def lag_unwatched(bench: Bench) -> Undo:
    """Delete the primary's alarm on the replication lag (DR07)."""
    return _deleted(bench, "primary", "replication-lag")


def reachability_unwatched(bench: Bench) -> Undo:
    """Delete the standby's alarm on the way to the primary (DR15)."""
    return _deleted(bench, "standby", "reachability")


def throttles_unwatched(bench: Bench) -> Undo:
    """Delete the primary's alarm on throttled writes (DR16)."""
    return _deleted(bench, "primary", "throttles")


def alarm_tells_nobody(bench: Bench) -> Undo:
    """Switch the actions of the standby's lag alarm off (DR07)."""
    region = bench.target.standby
    cloudwatch, names = bench.client("cloudwatch", region.name), [region.alarms["replication-lag"]]
    cloudwatch.disable_alarm_actions(AlarmNames=names)
    return lambda: cloudwatch.enable_alarm_actions(AlarmNames=names)


def alarm_changed(bench: Bench) -> Undo:
    """Have the primary's alarm on errors go off later than Route 53 thinks (DX03)."""
    region = bench.target.primary
    cloudwatch = bench.client("cloudwatch", region.name)
    (before,) = cloudwatch.describe_alarms(AlarmNames=[region.alarms["errors"]])["MetricAlarms"]
    kept = {key: before[key] for key in _ALARM if key in before}
    cloudwatch.put_metric_alarm(**{**kept, "Threshold": 500.0})
    return lambda: cloudwatch.put_metric_alarm(**kept)


def _deleted(bench: Bench, part: str, role: str) -> Undo:
    region = getattr(bench.target, part)
    cloudwatch = bench.client("cloudwatch", region.name)
    (before,) = cloudwatch.describe_alarms(AlarmNames=[region.alarms[role]])["MetricAlarms"]
    tags = cloudwatch.list_tags_for_resource(ResourceARN=before["AlarmArn"])["Tags"]
    cloudwatch.delete_alarms(AlarmNames=[before["AlarmName"]])
    kept = {key: before[key] for key in _ALARM if key in before}
    return lambda: cloudwatch.put_metric_alarm(**kept, Tags=tags)


def unsubscribed(bench: Bench) -> Undo:
    """Leave both topics with nobody who confirmed (DR09)."""
    undos = [_unsubscribed(bench, region) for region in (bench.target.primary, bench.target.standby)]
    return lambda: [undo() for undo in undos]


def _unsubscribed(bench: Bench, region: Region) -> Undo:
    sns, topic = bench.client("sns", region.name), region.alert_topic_arn
    before = []
    for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        arn = one["SubscriptionArn"]
        kept = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get("RedrivePolicy")
        before.append((one, {"RedrivePolicy": kept} if kept else {}))
        sns.unsubscribe(SubscriptionArn=arn)

    def undo() -> None:
        for one, attributes in before:
            sns.subscribe(
                TopicArn=topic, Protocol=one["Protocol"], Endpoint=one["Endpoint"], Attributes=attributes
            )

    return undo


def no_budget(bench: Bench) -> Undo:
    """Delete the budget (DR08)."""
    budgets, account = bench.client("budgets", "global"), bench.target.account
    (before,) = budgets.describe_budgets(AccountId=account)["Budgets"]
    name = before["BudgetName"]
    told = budgets.describe_notifications_for_budget(AccountId=account, BudgetName=name)["Notifications"]
    subscribers = [
        budgets.describe_subscribers_for_notification(
            AccountId=account, BudgetName=name, Notification=_own(one)
        )["Subscribers"]
        for one in told
    ]
    budgets.delete_budget(AccountId=account, BudgetName=name)
    kept = {
        k: v for k, v in before.items() if k not in {"CalculatedSpend", "LastUpdatedTime", "HealthStatus"}
    }
    return lambda: budgets.create_budget(
        AccountId=account,
        Budget=kept,
        NotificationsWithSubscribers=[
            {"Notification": _own(one), "Subscribers": people}
            for one, people in zip(told, subscribers, strict=True)
        ],
    )


def _own(notification: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in notification.items() if key != "NotificationState"}


def no_dashboard(bench: Bench) -> Undo:
    """Delete the dashboard (DR11)."""
    cloudwatch, name = bench.client("cloudwatch"), bench.target.dashboard
    body = cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    cloudwatch.delete_dashboards(DashboardNames=[name])
    return lambda: cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body)


def dashboard_of_one_region(bench: Bench) -> Undo:
    """Have the dashboard show nothing of the standby (DR11)."""
    cloudwatch, name = bench.client("cloudwatch"), bench.target.dashboard
    body = cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    standby = bench.target.standby
    marks = (
        standby.function_name,
        standby.health_check_id,
        standby.load_balancer_arn.partition("balancer/")[2],
    )
    less = body
    for mark in marks:
        less = less.replace(mark, "gone")
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=less)
    return lambda: cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body)


def tag_inactive(bench: Bench) -> Undo:
    """Have AWS Billing tell no costs apart by the system's tag (DR08)."""
    costs = bench.client("ce", "global")

    def put(status: str) -> None:
        wanted = [{"TagKey": "project", "Status": status}]
        costs.update_cost_allocation_tags_status(CostAllocationTagsStatus=wanted)

    put("Inactive")
    return lambda: put("Active")


def nobody_reconciles(bench: Bench) -> Undo:
    """Switch the standby's schedule off that brings pending orders to the database (DR15)."""
    region = bench.target.standby
    scheduler = bench.client("scheduler", region.name)
    listed = scheduler.list_schedules()["Schedules"]
    (found,) = [one for one in listed if one["Target"]["Arn"].endswith(f":{region.function_name}")]
    before = scheduler.get_schedule(Name=found["Name"], GroupName=found["GroupName"])
    keys = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")
    kept = {key: before[key] for key in keys if key in before}
    scheduler.update_schedule(**kept, State="DISABLED")
    return lambda: scheduler.update_schedule(**kept, State=before["State"])
