"""What a target file names in one region."""

from collections.abc import Iterator, Sequence

from drill.readiness.named import UNTAGGED, Client, Row, only
from drill.target import Region, Tag


def rows(part: str, region: Region, opt_in: Tag) -> Iterator[Row]:
    """Yield everything that a region of a target names.

    Args:
        part: ``primary`` or ``standby``, as keys of the target file begin.
        region: That region.
        opt_in: The tag that says that drills may change something.

    """
    for key, kind, name, service, ask in (*_network(region, opt_in), *_service(region), *_stores(region)):
        yield f"{part}.{key}", kind, name, service, ask
    for role, alarm in region.alarms.items():
        yield f"{part}.alarms.{role}", "alarm", alarm, "cloudwatch", _alarm


def _network(region: Region, opt_in: Tag) -> Iterator[Row]:
    def subnet(ec2: Client, subnet_id: str) -> str:
        found = only(ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"])
        if found["VpcId"] != region.vpc_id:
            return f"it is in {found['VpcId']}, not in {region.vpc_id}"
        return _untagged(found.get("Tags", []), opt_in)

    def route_table(ec2: Client, table_id: str) -> str:
        found = only(ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"])
        tied = {association.get("SubnetId") for association in found["Associations"]}
        if not tied & set(region.app_subnet_ids):
            return "no app subnet uses it"
        return _untagged(found.get("Tags", []), opt_in)

    def load_balancer(elb: Client, arn: str) -> str:
        found = only(elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"])
        if found["DNSName"].lower() != region.load_balancer.lower():
            return f"its name is {found['DNSName']}, not {region.load_balancer}"
        if found["VpcId"] != region.vpc_id:
            return f"it is in {found['VpcId']}, not in {region.vpc_id}"
        return "" if found["State"]["Code"] == "active" else f"it is {found['State']['Code']}"

    yield "load_balancer_arn", "load balancer", region.load_balancer_arn, "elbv2", load_balancer
    yield "vpc_id", "VPC", region.vpc_id, "ec2", _vpc
    yield from (("edge_subnet_ids", "subnet", one, "ec2", subnet) for one in region.edge_subnet_ids)
    yield from (("app_subnet_ids", "subnet", one, "ec2", subnet) for one in region.app_subnet_ids)
    yield from (
        ("app_route_table_ids", "route table", one, "ec2", route_table) for one in region.app_route_table_ids
    )


def _service(region: Region) -> Iterator[Row]:
    def alias(functions: Client, function: str) -> str:
        functions.get_alias(FunctionName=function, Name=region.function_alias)
        return ""

    yield "health_check_id", "health check", region.health_check_id, "route53", _health_check
    yield (
        "function_name",
        f"function with alias {region.function_alias}",
        region.function_name,
        "lambda",
        alias,
    )
    yield "alert_topic_arn", "alert topic", region.alert_topic_arn, "sns", _topic
    yield "alert_queue_url", "alert queue", region.alert_queue_url, "sqs", _queue
    yield "drill_queue_url", "queue of alerts for drills", region.drill_queue_url, "sqs", _queue


def _stores(region: Region) -> Iterator[Row]:
    def security_group(ec2: Client, group_id: str) -> str:
        found = only(ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"])
        return "" if found["VpcId"] == region.vpc_id else f"it is in {found['VpcId']}, not in {region.vpc_id}"

    yield "cluster_id", "Aurora cluster", region.cluster_id, "rds", _cluster
    yield "secret_arn", "secret", region.secret_arn, "secretsmanager", _secret
    yield "key_arn", "KMS key", region.key_arn, "kms", _key
    yield "backup_vault", "backup vault", region.backup_vault, "backup", _vault
    yield "database_subnet_group", "DB subnet group", region.database_subnet_group, "rds", _subnet_group
    yield (
        "database_security_group_id",
        "security group",
        region.database_security_group_id,
        "ec2",
        security_group,
    )
    yield (
        "database_parameter_group",
        "cluster parameter group",
        region.database_parameter_group,
        "rds",
        _parameters,
    )


def _untagged(tags: Sequence[dict[str, str]], opt_in: Tag) -> str:
    if any(tag["Key"] == opt_in.key and tag["Value"] == opt_in.value for tag in tags):
        return ""
    return f"{UNTAGGED}: it does not carry the tag {opt_in.key}={opt_in.value}"


def _vpc(ec2: Client, vpc_id: str) -> str:
    ec2.describe_vpcs(VpcIds=[vpc_id])
    return ""


def _health_check(route53: Client, check_id: str) -> str:
    check = route53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    if check["Type"] == "CALCULATED" and not check.get("ChildHealthChecks"):
        return "it is calculated from no other check, so that it never fails over"
    return ""


def _topic(sns: Client, arn: str) -> str:
    sns.get_topic_attributes(TopicArn=arn)
    return ""


def _queue(sqs: Client, url: str) -> str:
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return ""


def _alarm(cloudwatch: Client, name: str) -> str:
    found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    alarms = [*found["MetricAlarms"], *found.get("CompositeAlarms", [])]
    if not alarms:
        return "there is no such alarm"
    return (
        ""
        if alarms[0]["ActionsEnabled"] and alarms[0]["AlarmActions"]
        else "it tells nobody: it has no action"
    )


def _cluster(rds: Client, cluster_id: str) -> str:
    found = only(rds.describe_db_clusters(DBClusterIdentifier=cluster_id)["DBClusters"])
    if not found["Engine"].startswith("aurora"):
        return f"it is no Aurora cluster but {found['Engine']}"
    return "" if found["Status"] == "available" else f"it is {found['Status']}"


def _secret(secrets: Client, arn: str) -> str:
    """Look at a secret and at its replicas, which its home region alone shows."""
    found = secrets.describe_secret(SecretId=arn)
    if found.get("DeletedDate"):
        return "it is being deleted"
    for replica in found.get("ReplicationStatus", []):
        if replica["Status"] != "InSync":
            why = replica.get("StatusMessage", "no reason given")
            return f"its replica in {replica['Region']} is {replica['Status']}: {why}"
    return ""


def _key(kms: Client, arn: str) -> str:
    state = kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
    return "" if state == "Enabled" else f"it is {state}"


def _vault(backup: Client, name: str) -> str:
    backup.describe_backup_vault(BackupVaultName=name)
    return ""


def _subnet_group(rds: Client, name: str) -> str:
    rds.describe_db_subnet_groups(DBSubnetGroupName=name)
    return ""


def _parameters(rds: Client, name: str) -> str:
    rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)
    return ""
