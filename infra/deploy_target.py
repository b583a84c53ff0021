"""From what the stacks gave to the target that a drill needs."""

from collections.abc import Mapping

from drill.target import AlarmRole, Database, Dns, Drills, Region, Service, Table, Target
from infra.deploy_config import DeployConfig
from infra.deploy_system import System, in_region

ALIAS = "live"
_ALARMS: Mapping[AlarmRole, str] = {
    "errors": "ErrorAlarm",
    "reachability": "ReachabilityAlarm",
    "replication-lag": "LagAlarm",
    "throttles": "ThrottleAlarm",
}


def target_of(system: System, account: str) -> Target:
    """Return what to drill.

    Args:
        system: With the outputs of every stack.
        account: The twelve digits of the AWS account.

    Raises:
        NotYet: A stack is missing.
        KeyError: A stack lacks an output that its template is to give.

    """
    config, primary = system.config, system.primary
    dns = system.given("dns", primary)
    return Target(
        schema=1,
        name=config.name,
        account=account,
        endpoint_url=config.endpoint_url,
        disposable=config.disposable,
        environment=config.environment,
        service=_service(config, dns["ServiceName"]),
        primary=_region(system, primary, dns["PrimaryHealthCheckId"]),
        standby=_region(system, system.standby, dns["StandbyHealthCheckId"]),
        dns=Dns(hosted_zone_id=dns["ZoneId"], record_name=dns["ServiceName"]),
        table=Table(
            name=system.given("table", primary)["TableName"],
            pause_role_arn=system.given("drills", primary)["PauseRoleArn"],
        ),
        database=Database(
            replication=config.replication,
            global_cluster_id=system.given("data", primary).get("GlobalClusterId") or None,
            backup_plan_id=system.given("backup", primary)["PlanId"],
        ),
        peering_id=system.given("peering", primary)["PeeringId"],
        dashboard=system.given("dashboard", primary)["DashboardName"],
        drills=_drills(system),
        timing=config.timing,
        objectives=config.objectives,
        windows=config.windows,
        no_go=config.no_go,
        limits=config.limits,
        stop=config.stop,
    )


def _drills(system: System) -> Drills:
    roles = system.given("drills", system.primary)
    return Drills(
        role_arn=roles["DrillRoleArn"],
        scheduler_role_arn=roles["SchedulerRoleArn"],
        schedule_group=roles["ScheduleGroup"],
        lease_table=system.given("drills", system.standby)["LeaseTable"],
    )


def _service(config: DeployConfig, host: str) -> Service:
    return Service(
        host=host,
        port=config.port,
        scheme=config.scheme,
        resolver=config.resolver,
        name_servers=config.name_servers,
    )


def _region(system: System, name: str, health_check_id: str) -> Region:
    network, app, data = (system.given(template, name) for template in ("network", "app", "data"))
    alerts, watch = system.given("alerts", name), system.given("observability", name)
    secret_arn = system.given("data", system.primary)["SecretArn"]
    return Region(
        name=name,
        load_balancer=app["LoadBalancerName"],
        load_balancer_arn=app["LoadBalancerArn"],
        vpc_id=network["VpcId"],
        edge_subnet_ids=tuple(network["EdgeSubnetIds"].split(",")),
        app_subnet_ids=tuple(network["AppSubnetIds"].split(",")),
        health_check_id=health_check_id,
        function_name=app["FunctionName"],
        function_alias=ALIAS,
        cluster_id=data.get("ClusterId") or None,
        app_route_table_ids=tuple(network["AppRouteTableIds"].split(",")),
        secret_arn=in_region(secret_arn, name),
        key_arn=system.given("keys", name)["KeyArn"],
        alert_topic_arn=alerts["TopicArn"],
        alert_queue_url=alerts["QueueUrl"],
        drill_queue_url=alerts["DrillQueueUrl"],
        backup_vault=system.given("backup-vault", name)["VaultName"],
        alarms={role: watch[output] for role, output in _ALARMS.items() if watch.get(output)},
        database_subnet_group=data["SubnetGroup"],
        database_security_group_id=network["DatabaseSecurityGroupId"],
        database_parameter_group=data["ParameterGroup"],
    )
