"""Readers of what watches the system: ``AWS::CloudWatch``, ``SNS``, ``SQS``, ``Logs`` and ``Route53``."""

import json
from collections.abc import Mapping
from typing import Any

from tests.infra.described.reader import ClientOf, Reader

Shown = Mapping[str, Any]


def _metric_alarm(client_of: ClientOf, region: str, name: str, _: Shown) -> Shown:
    return _alarm(client_of, region, name, "MetricAlarm")


def _composite_alarm(client_of: ClientOf, region: str, name: str, _: Shown) -> Shown:
    return _alarm(client_of, region, name, "CompositeAlarm")


def _alarm(client_of: ClientOf, region: str, name: str, kind: str) -> Shown:
    alarms = client_of("cloudwatch", region)
    (shown,) = alarms.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])[f"{kind}s"]
    return {**shown, "Tags": alarms.list_tags_for_resource(ResourceARN=shown["AlarmArn"])["Tags"]}


def _dashboard(client_of: ClientOf, region: str, name: str, _: Shown) -> Shown:
    cloudwatch = client_of("cloudwatch", region)
    shown = cloudwatch.get_dashboard(DashboardName=name)
    tags = cloudwatch.list_tags_for_resource(ResourceARN=shown["DashboardArn"])["Tags"]
    return {**shown, "Tags": tags}


def _log_group(client_of: ClientOf, region: str, name: str, _: Shown) -> Shown:
    logs = client_of("logs", region)
    (shown,) = [
        group
        for group in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        if group["logGroupName"] == name
    ]
    tags = logs.list_tags_for_resource(resourceArn=shown["logGroupArn"])["tags"]
    return {
        "LogGroupName": name,
        "RetentionInDays": shown.get("retentionInDays"),
        "KmsKeyId": shown.get("kmsKeyId"),
        "LogGroupClass": shown["logGroupClass"],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def _topic(client_of: ClientOf, region: str, arn: str, declared: Shown) -> Shown:
    sns = client_of("sns", region)
    subscribed = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    wanted = {(one["Protocol"], one["Endpoint"]) for one in declared.get("Subscription", ())}
    return {
        **sns.get_topic_attributes(TopicArn=arn)["Attributes"],
        "TopicName": arn.rpartition(":")[2],
        "Tags": sns.list_tags_for_resource(ResourceArn=arn)["Tags"],
        "Subscription": [
            {"Protocol": one["Protocol"], "Endpoint": one["Endpoint"]}
            for one in subscribed
            if (one["Protocol"], one["Endpoint"]) in wanted
        ],
    }


def _subscription(client_of: ClientOf, region: str, arn: str, declared: Shown) -> Shown:
    sns = client_of("sns", declared.get("Region", region))
    return {
        **sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"],
        "Region": arn.split(":")[3],
    }


def _topic_policy(client_of: ClientOf, region: str, _id: str, declared: Shown) -> Shown:
    shown = [
        (arn, client_of("sns", region).get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
        for arn in declared["Topics"]
    ]
    (policy,) = {text for _, text in shown}
    return {"PolicyDocument": json.loads(policy), "Topics": [arn for arn, _ in shown]}


def _queue(client_of: ClientOf, region: str, url: str, _: Shown) -> Shown:
    sqs = client_of("sqs", region)
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    tags = sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
    return {
        **shown,
        "QueueName": url.rpartition("/")[2],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def _queue_policy(client_of: ClientOf, region: str, _id: str, declared: Shown) -> Shown:
    sqs = client_of("sqs", region)
    (policy,) = {
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        for url in declared["Queues"]
    }
    return {"PolicyDocument": json.loads(policy), "Queues": declared["Queues"]}


def _zone(client_of: ClientOf, region: str, zone_id: str, declared: Shown) -> Shown:
    route53 = client_of("route53", region)
    shown = route53.get_hosted_zone(Id=zone_id)["HostedZone"]
    tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)
    return {
        # A name is the same with its final dot and without.
        "Name": shown["Name"] if declared["Name"].endswith(".") else shown["Name"].rstrip("."),
        "HostedZoneConfig": shown.get("Config", {}),
        "HostedZoneTags": tags["ResourceTagSet"]["Tags"],
    }


def _health_check(client_of: ClientOf, region: str, check_id: str, _: Shown) -> Shown:
    route53 = client_of("route53", region)
    tags = route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check_id)
    return {
        "HealthCheckConfig": route53.get_health_check(HealthCheckId=check_id)["HealthCheck"][
            "HealthCheckConfig"
        ],
        "HealthCheckTags": tags["ResourceTagSet"]["Tags"],
    }


def _record(client_of: ClientOf, region: str, _id: str, declared: Shown) -> Shown:
    shown = client_of("route53", region).list_resource_record_sets(HostedZoneId=declared["HostedZoneId"])
    (record,) = [
        one
        for one in shown["ResourceRecordSets"]
        if one["Name"].rstrip(".") == declared["Name"].rstrip(".")
        and one["Type"] == declared["Type"]
        and one.get("SetIdentifier") == declared.get("SetIdentifier")
    ]
    values = [one["Value"] for one in record.get("ResourceRecords", ())]
    alias = dict(record.get("AliasTarget", {}))
    if alias and not declared["AliasTarget"]["DNSName"].endswith("."):
        alias["DNSName"] = alias["DNSName"].rstrip(".")
    return {
        **record,
        "Name": declared["Name"],
        "HostedZoneId": declared["HostedZoneId"],
        "ResourceRecords": values,
        "AliasTarget": alias,
    }


READERS: dict[str, Reader] = {
    "AWS::CloudWatch::Alarm": _metric_alarm,
    "AWS::CloudWatch::CompositeAlarm": _composite_alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::Route53::HostedZone": _zone,
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::Route53::RecordSet": _record,
}
