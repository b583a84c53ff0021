"""Sections of what runs, what watches, who may do what, and the stacks that made it all."""

from infra.lab.fingerprint.sections import Client, Description, Section, listed, optional

FINISHED = frozenset({"completed", "stopped", "failed", "cancelled"})
_SETTLED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})


def _function(client: Client, one: Description) -> Description:
    name, arn = one["FunctionName"], one["FunctionArn"]
    reserved = client.get_function_concurrency(FunctionName=name)
    configs = "list_provisioned_concurrency_configs", "ProvisionedConcurrencyConfigs"
    aliases = list(listed(client, "list_aliases", "Aliases", FunctionName=name))
    return {
        **one,
        "Versions": list(listed(client, "list_versions_by_function", "Versions", FunctionName=name)),
        "Aliases": aliases,
        "Provisioned": list(listed(client, *configs, FunctionName=name)),
        "Reserved": reserved.get("ReservedConcurrentExecutions"),
        "Policy": optional(client.get_policy, FunctionName=name).get("Policy"),
        "Policies": {
            alias["Name"]: optional(client.get_policy, FunctionName=name, Qualifier=alias["Name"]).get(
                "Policy"
            )
            for alias in aliases
        },
        "Tags": client.list_tags(Resource=arn)["Tags"],
    }


def _policy_of(client: Client, name: str, qualifier: Description) -> Description:
    return optional(client.get_policy, FunctionName=name, **qualifier)


def _template(client: Client, one: Description) -> Description:
    whole: Description = client.get_experiment_template(id=one["id"])["experimentTemplate"]
    return whole


def _experiment(_: Client, one: Description) -> Description | None:
    return None if one["state"]["status"] in FINISHED else one


def _schedule(client: Client, one: Description) -> Description:
    whole: Description = client.get_schedule(GroupName=one["GroupName"], Name=one["Name"])
    return whole


def _schedule_group(client: Client, one: Description) -> Description:
    return {**one, "Tags": client.list_tags_for_resource(ResourceArn=one["Arn"])["Tags"]}


def _topic(client: Client, one: Description) -> Description:
    arn = one["TopicArn"]
    return {
        **one,
        "Attributes": client.get_topic_attributes(TopicArn=arn)["Attributes"],
        "Tags": client.list_tags_for_resource(ResourceArn=arn)["Tags"],
    }


def _subscription(client: Client, one: Description) -> Description:
    arn = one["SubscriptionArn"]
    if not arn.startswith("arn:"):
        return {**one, "SubscriptionArn": f"{arn} {one['TopicArn']} {one['Endpoint']}"}
    return {**one, "Attributes": client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]}


def _queue(client: Client, url: str) -> Description:
    return {
        "QueueUrl": url,
        "Attributes": client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"],
        "Tags": client.list_queue_tags(QueueUrl=url).get("Tags", {}),
    }


def _alarm(client: Client, one: Description) -> Description:
    return {**one, "Tags": client.list_tags_for_resource(ResourceARN=one["AlarmArn"])["Tags"]}


def _dashboard(client: Client, one: Description) -> Description:
    body = client.get_dashboard(DashboardName=one["DashboardName"])["DashboardBody"]
    return {**one, "Body": body}


def _log_group(client: Client, one: Description) -> Description:
    arn = one["arn"].removesuffix(":*")
    return {**one, "tags": client.list_tags_for_resource(resourceArn=arn)["tags"]}


def _role(client: Client, one: Description) -> Description | None:
    if one["Path"].startswith("/aws-service-role/"):
        return None
    name = one["RoleName"]
    inline = listed(client, "list_role_policies", "PolicyNames", RoleName=name)
    attached = listed(client, "list_attached_role_policies", "AttachedPolicies", RoleName=name)
    return {
        **client.get_role(RoleName=name)["Role"],
        "Inline": {
            policy: client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in inline
        },
        "Attached": list(attached),
    }


def _policy(client: Client, one: Description) -> Description:
    version = client.get_policy_version(PolicyArn=one["Arn"], VersionId=one["DefaultVersionId"])
    return {**one, "Document": version["PolicyVersion"]["Document"]}


def _budget(client: Client, one: Description) -> Description:
    of_budget = {"AccountId": one["AccountId"], "BudgetName": one["BudgetName"]}
    arn = f"arn:aws:budgets::{one['AccountId']}:budget/{one['BudgetName']}"
    alerts = listed(client, "describe_notifications_for_budget", "Notifications", **of_budget)
    return {
        **one,
        "Alerts": [
            {
                **alert,
                "Subscribers": client.describe_subscribers_for_notification(**of_budget, Notification=alert)[
                    "Subscribers"
                ],
            }
            for alert in alerts
        ],
        "Tags": client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"],
    }


def _stack(client: Client, one: Description) -> Description:
    name, status = one["StackName"], one["StackStatus"]
    resources = listed(client, "list_stack_resources", "StackResourceSummaries", StackName=name)
    return {
        **one,
        "StackStatus": "COMPLETE" if status in _SETTLED else status,
        "Template": client.get_template(StackName=name)["TemplateBody"],
        "Resources": [_resource(item) for item in resources],
    }


def _resource(one: Description) -> Description:
    status = one["ResourceStatus"]
    settled = status.endswith("_COMPLETE") and not status.startswith("DELETE")
    return {**one, "ResourceStatus": "COMPLETE" if settled else status}


REGIONAL = (
    Section("functions", "lambda", "list_functions", "Functions", "FunctionName", _function),
    Section("templates", "fis", "list_experiment_templates", "experimentTemplates", "id", _template),
    Section("experiments", "fis", "list_experiments", "experiments", "id", _experiment),
    Section("schedules", "scheduler", "list_schedules", "Schedules", "Arn", _schedule),
    Section("schedule_groups", "scheduler", "list_schedule_groups", "ScheduleGroups", "Arn", _schedule_group),
    Section("topics", "sns", "list_topics", "Topics", "TopicArn", _topic),
    Section("subscriptions", "sns", "list_subscriptions", "Subscriptions", "SubscriptionArn", _subscription),
    Section("queues", "sqs", "list_queues", "QueueUrls", "QueueUrl", _queue),
    Section("alarms", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", _alarm),
    Section("dashboards", "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName", _dashboard),
    Section("log_groups", "logs", "describe_log_groups", "logGroups", "logGroupName", _log_group),
    Section("stacks", "cloudformation", "describe_stacks", "Stacks", "StackName", _stack),
)
WITHOUT_REGION = (
    Section("roles", "iam", "list_roles", "Roles", "RoleName", _role),
    Section("policies", "iam", "list_policies", "Policies", "Arn", _policy, {"Scope": "Local"}),
    Section("budgets", "budgets", "describe_budgets", "Budgets", "BudgetName", account=True),
)
