"""What a target file names as a whole: the account, DNS, the table, the peering."""

from collections.abc import Iterator

from drill.readiness import named
from drill.readiness import region as regions
from drill.readiness.named import Client, Question, Row, only
from drill.target import Region, Target


def questions(target: Target) -> Iterator[Question]:
    """Yield a question for everything that a target names."""
    primary, standby = target.primary.name, target.standby.name
    yield from named.questions([("account", "AWS account", target.account, "sts", _account)], primary)
    yield from named.questions(regions.rows("primary", target.primary, target.opt_in), primary)
    yield from named.questions(regions.rows("standby", target.standby, target.opt_in), standby)
    for region in (target.primary, target.standby):
        yield from named.questions([_table(target, region)], region.name)
    yield from named.questions(
        [*_dns(target), *_between(target), *_drills(target), *_database(target)], primary
    )
    for name in (primary, standby):
        yield from named.questions([_schedules(target)], name)
    yield from named.questions([_leases(target)], standby)


def _account(sts: Client, account: str) -> str:
    here = sts.get_caller_identity()["Account"]
    return "" if here == account else f"these credentials are of account {here}; set AWS_PROFILE"


def _dns(target: Target) -> Iterator[Row]:
    def zone(route53: Client, zone_id: str) -> str:
        name = route53.get_hosted_zone(Id=zone_id)["HostedZone"]["Name"]
        held = f".{target.dns.record_name.rstrip('.')}.".endswith(f".{name}")
        return "" if held else f"it is the zone {name}, which does not hold {target.dns.record_name}"

    def records(route53: Client, name: str) -> str:
        found = _failover_checks(route53, target.dns.hosted_zone_id, name)
        for role, region in (("PRIMARY", target.primary), ("SECONDARY", target.standby)):
            if role not in found:
                return f"there is no record of that name with failover {role}"
            if found[role] != region.health_check_id:
                return f"its {role} record carries health check {found[role]}, not {region.health_check_id}"
        return ""

    yield "dns.hosted_zone_id", "hosted zone", target.dns.hosted_zone_id, "route53", zone
    yield "dns.record_name", "failover records", target.dns.record_name, "route53", records


def _failover_checks(route53: Client, zone_id: str, name: str) -> dict[str, str | None]:
    """Return the health check of a name's records, by their failover role."""
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    return {
        record["Failover"]: record.get("HealthCheckId")
        for page in pages
        for record in page["ResourceRecordSets"]
        if record["Name"] == name.rstrip(".") + "." and "Failover" in record
    }


def _table(target: Target, region: Region) -> Row:
    def ask(dynamodb: Client, name: str) -> str:
        table = dynamodb.describe_table(TableName=name)["Table"]
        held = {replica["RegionName"] for replica in table.get("Replicas", [])} | {region.name}
        missing = {target.primary.name, target.standby.name} - held
        if missing:
            return f"it is no global table: it has no replica in {', '.join(sorted(missing))}"
        return "" if table["TableStatus"] == "ACTIVE" else f"it is {table['TableStatus']}"

    return "table.name", "global table", target.table.name, "dynamodb", ask


def _between(target: Target) -> Iterator[Row]:
    def peering(ec2: Client, peering_id: str) -> str:
        found = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering_id])
        one = only(found["VpcPeeringConnections"])
        joined = {one["RequesterVpcInfo"]["VpcId"], one["AccepterVpcInfo"]["VpcId"]}
        if joined != {target.primary.vpc_id, target.standby.vpc_id}:
            return f"it joins {' and '.join(sorted(joined))}, not the target's VPCs"
        status = one["Status"]["Code"]
        return "" if status == "active" else f"it is {status}"

    yield "peering_id", "VPC peering", target.peering_id, "ec2", peering
    yield "table.pause_role_arn", "role for AWS FIS", target.table.pause_role_arn, "iam", _role
    yield "dashboard", "dashboard", target.dashboard, "cloudwatch", _dashboard


def _drills(target: Target) -> Iterator[Row]:
    drills = target.drills
    yield "drills.role_arn", "role of drills", drills.role_arn or None, "iam", _role
    yield "drills.scheduler_role_arn", "role of schedules", drills.scheduler_role_arn or None, "iam", _role


def _schedules(target: Target) -> Row:
    def ask(scheduler: Client, name: str) -> str:
        state = scheduler.get_schedule_group(Name=name)["State"]
        return "" if state == "ACTIVE" else f"it is {state}"

    return "drills.schedule_group", "schedule group", target.drills.schedule_group or None, "scheduler", ask


def _leases(target: Target) -> Row:
    def ask(dynamodb: Client, name: str) -> str:
        table = dynamodb.describe_table(TableName=name)["Table"]
        key = [one["AttributeName"] for one in table["KeySchema"]]
        if key != ["target"]:
            return f"its key is {', '.join(key)}, not target"
        return "" if table["TableStatus"] == "ACTIVE" else f"it is {table['TableStatus']}"

    return "drills.lease_table", "lease table", target.drills.lease_table or None, "dynamodb", ask


def _role(iam: Client, arn: str) -> str:
    found = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]["Arn"]
    return "" if found == arn else f"the role of that name is {found}"


def _dashboard(cloudwatch: Client, name: str) -> str:
    cloudwatch.get_dashboard(DashboardName=name)
    return ""


def _database(target: Target) -> Iterator[Row]:
    database = target.database
    yield "database.global_cluster_id", "global database", database.global_cluster_id, "rds", _global_cluster
    yield "database.backup_plan_id", "backup plan", database.backup_plan_id, "backup", _backup_plan


def _global_cluster(rds: Client, name: str) -> str:
    found = only(rds.describe_global_clusters(GlobalClusterIdentifier=name)["GlobalClusters"])
    return "" if found["Status"] == "available" else f"it is {found['Status']}"


def _backup_plan(backup: Client, plan_id: str) -> str:
    rules = backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["Rules"]
    copied = any(rule.get("CopyActions") for rule in rules)
    return "" if copied else "no rule of it copies to another region"
