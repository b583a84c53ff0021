"""Which resources an action is about, as the service authorization reference lists them.

In a template ``{Name}`` is a parameter of the call: a list makes one resource of each of its
values, one that is missing makes ``*``, and an ARN given for a name is the resource itself.
An action that is not here, nor in :mod:`needs`, is one that the lab does not know: it is permitted
by a statement about every resource alone.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterable, Mapping

ANY = "*"


def _each(service: str, operations: str, *templates: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    return ((f"{service}:{operation}", templates) for operation in operations.split())


_EC2 = "arn:aws:ec2:{region}:{account}:"
_FIS = "arn:aws:fis:{region}:{account}:"
_RDS = "arn:aws:rds:{region}:{account}:"
_TABLE = "arn:aws:dynamodb:{region}:{account}:table/{TableName}"
_ALARM = "arn:aws:cloudwatch:{region}:{account}:alarm:"
_CHECK = "arn:aws:route53:::healthcheck/{HealthCheckId}"
_FUNCTION = "arn:aws:lambda:{region}:{account}:function:{FunctionName}"
_SCHEDULE = "arn:aws:scheduler:{region}:{account}:schedule/{GroupName}/{Name}"
_GROUP = "arn:aws:scheduler:{region}:{account}:schedule-group/{Name}"
_VAULT = "arn:aws:backup:{region}:{account}:backup-vault:"

RESOURCES: Mapping[str, tuple[str, ...]] = dict(
    (
        *_each("route53", "GetHealthCheck GetHealthCheckStatus UpdateHealthCheck DeleteHealthCheck", _CHECK),
        *_each("route53", "GetHealthCheckLastFailureReason", _CHECK),
        *_each(
            "route53",
            "ListTagsForResource ChangeTagsForResource",
            "arn:aws:route53:::{ResourceType}/{ResourceId}",
        ),
        *_each("route53", "GetHostedZone", "arn:aws:route53:::hostedzone/{Id}"),
        *_each(
            "route53",
            "ListResourceRecordSets ChangeResourceRecordSets",
            "arn:aws:route53:::hostedzone/{HostedZoneId}",
        ),
        *_each("route53", "CreateHealthCheck ListHealthChecks ListHostedZones ListHostedZonesByName", ANY),
        *_each(
            "ec2",
            "DescribeNetworkAcls DescribeTags DescribeSubnets DescribeVpcs DescribeRouteTables"
            " DescribeVpcPeeringConnections DescribeSecurityGroups DescribeNetworkInterfaces"
            " DescribeAvailabilityZones DescribeVpcEndpoints",
            ANY,
        ),
        *_each("ec2", "DeleteNetworkAcl", _EC2 + "network-acl/{NetworkAclId}"),
        *_each(
            "ec2",
            "CreateNetworkAclEntry DeleteNetworkAclEntry ReplaceNetworkAclEntry",
            _EC2 + "network-acl/{NetworkAclId}",
        ),
        *_each("ec2", "CreateRoute DeleteRoute ReplaceRoute", _EC2 + "route-table/{RouteTableId}"),
        *_each(
            "ec2",
            "DeleteVpcPeeringConnection ModifyVpcPeeringConnectionOptions",
            _EC2 + "vpc-peering-connection/{VpcPeeringConnectionId}",
        ),
        *_each("fis", "ListExperiments ListExperimentTemplates ListActions GetAction", ANY),
        *_each("fis", "GetExperiment StopExperiment", _FIS + "experiment/{id}"),
        *_each(
            "fis",
            "GetExperimentTemplate DeleteExperimentTemplate UpdateExperimentTemplate",
            _FIS + "experiment-template/{id}",
        ),
        *_each("fis", "TagResource UntagResource ListTagsForResource", "{resourceArn}"),
        *_each(
            "dynamodb",
            "GetItem PutItem UpdateItem DeleteItem DescribeTable UpdateTable DescribeContinuousBackups"
            " DescribeTableReplicaAutoScaling UpdateTableReplicaAutoScaling DescribeTimeToLive",
            _TABLE,
        ),
        *_each(
            "dynamodb",
            "ListTagsOfResource TagResource UntagResource GetResourcePolicy PutResourcePolicy"
            " DeleteResourcePolicy",
            "{ResourceArn}",
        ),
        *_each("dynamodb", "ListTables DescribeLimits", ANY),
        *_each("scheduler", "DeleteSchedule GetSchedule", _SCHEDULE),
        *_each("scheduler", "GetScheduleGroup DeleteScheduleGroup CreateScheduleGroup", _GROUP),
        *_each("scheduler", "ListSchedules ListScheduleGroups", ANY),
        *_each("scheduler", "TagResource UntagResource ListTagsForResource", "{ResourceArn}"),
        *_each("cloudwatch", "DescribeAlarms DeleteAlarms EnableAlarmActions", _ALARM + "{AlarmNames}"),
        *_each("cloudwatch", "DisableAlarmActions", _ALARM + "{AlarmNames}"),
        *_each("cloudwatch", "SetAlarmState DescribeAlarmHistory PutMetricAlarm", _ALARM + "{AlarmName}"),
        *_each("cloudwatch", "GetDashboard", "arn:aws:cloudwatch::{account}:dashboard/{DashboardName}"),
        *_each("cloudwatch", "GetMetricData GetMetricStatistics ListMetrics PutMetricData", ANY),
        *_each("cloudwatch", "ListTagsForResource TagResource UntagResource", "{ResourceARN}"),
        *_each("application-autoscaling", "DescribeScalableTargets DescribeScalingPolicies", ANY),
        *_each("application-autoscaling", "DescribeScalingActivities", ANY),
        *_each("elasticloadbalancing", "DescribeLoadBalancers DescribeTargetGroups DescribeTags", ANY),
        *_each("elasticloadbalancing", "DescribeTargetHealth DescribeListeners", ANY),
        *_each("sns", "Publish GetTopicAttributes ListSubscriptionsByTopic", "{TopicArn}"),
        *_each("sns", "ListTagsForResource TagResource UntagResource", "{ResourceArn}"),
        *_each("sns", "ListTopics ListSubscriptions", ANY),
        *_each(
            "lambda",
            "GetFunction GetFunctionConfiguration PutFunctionConcurrency DeleteFunctionConcurrency"
            " GetFunctionConcurrency GetAlias GetProvisionedConcurrencyConfig",
            _FUNCTION,
        ),
        *_each("lambda", "ListFunctions", ANY),
        *_each(
            "kms",
            "Decrypt Encrypt GenerateDataKey DescribeKey CreateGrant",
            "arn:aws:kms:{region}:{account}:key/{KeyId}",
        ),
        *_each(
            "rds",
            "DescribeDBClusters ModifyDBCluster StopDBCluster StartDBCluster FailoverDBCluster",
            _RDS + "cluster:{DBClusterIdentifier}",
        ),
        *_each("rds", "DescribeDBInstances DeleteDBInstance", _RDS + "db:{DBInstanceIdentifier}"),
        *_each(
            "rds", "DescribeGlobalClusters", "arn:aws:rds::{account}:global-cluster:{GlobalClusterIdentifier}"
        ),
        *_each(
            "rds",
            "DescribeDBClusterSnapshots DeleteDBClusterSnapshot",
            _RDS + "cluster-snapshot:{DBClusterSnapshotIdentifier}",
        ),
        *_each("rds", "ListTagsForResource AddTagsToResource RemoveTagsFromResource", "{ResourceName}"),
        *_each("backup", "ListRecoveryPointsByBackupVault DescribeBackupVault", _VAULT + "{BackupVaultName}"),
        *_each("backup", "DescribeRecoveryPoint", "{RecoveryPointArn}"),
        *_each("backup", "DescribeCopyJob DescribeRestoreJob DescribeBackupJob", ANY),
        *_each("backup", "ListBackupJobs ListCopyJobs ListRestoreJobs", ANY),
        *_each("iam", "SimulatePrincipalPolicy", "{PolicySourceArn}"),
        *_each("iam", "SimulateCustomPolicy ListRoles ListPolicies", ANY),
        *_each(
            "cloudformation",
            "DescribeStacks",
            "arn:aws:cloudformation:{region}:{account}:stack/{StackName}/*",
        ),
        *_each("tag", "GetResources", ANY),
    )
)
