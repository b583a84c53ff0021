"""A target that names everything and that nobody answers for: enough to plan on."""

from drill.target import Database, Dns, Drills, Objectives, Region, Service, Table, Target

ACCOUNT = "123456789012"
EAST, WEST = "us-east-1", "us-west-2"


def made_up_target() -> Target:
    """Return a target in which no key is left out, so that a scenario can plan all that it may."""
    iam = f"arn:aws:iam::{ACCOUNT}:role"
    return Target(
        schema=1,
        name="made-up",
        account=ACCOUNT,
        disposable=True,
        service=Service(
            host="www.made-up.test", resolver="127.0.0.1:53", name_servers=("127.0.0.1:53", "127.0.0.2:53")
        ),
        primary=_region(EAST, "11111111-2222-3333-4444-555555555555"),
        standby=_region(WEST, "66666666-7777-8888-9999-000000000000"),
        dns=Dns(hosted_zone_id="Z0MADEUP", record_name="www.made-up.test"),
        table=Table(name="orders", pause_role_arn=f"{iam}/pause"),
        database=Database(global_cluster_id="orders-global", backup_plan_id="plan-1"),
        peering_id="pcx-0123456789abcdef0",
        dashboard="orders",
        drills=Drills(
            role_arn=f"{iam}/drill",
            scheduler_role_arn=f"{iam}/scheduler",
            schedule_group="drills",
            lease_table="leases",
        ),
        objectives={"default": Objectives(rto_s=60, rpo_s=10, rpo_writes=0, alert_s=120, failed_share=0.5)},
    )


def _region(name: str, check_id: str) -> Region:
    short = name.replace("-", "")
    return Region(
        name=name,
        load_balancer=f"lb.{name}.made-up.test",
        load_balancer_arn=f"arn:aws:elasticloadbalancing:{name}:{ACCOUNT}:loadbalancer/app/edge/{short}",
        vpc_id=f"vpc-{short}",
        edge_subnet_ids=(f"subnet-edge1{short}", f"subnet-edge2{short}"),
        app_subnet_ids=(f"subnet-app1{short}", f"subnet-app2{short}"),
        health_check_id=check_id,
        function_name="orders",
        function_alias="live",
        cluster_id=f"orders-{name}",
        app_route_table_ids=(f"rtb-{short}",),
        secret_arn=f"arn:aws:secretsmanager:{name}:{ACCOUNT}:secret:orders-app-AbCdEf",
        key_arn=f"arn:aws:kms:{name}:{ACCOUNT}:key/{short}",
        alert_topic_arn=f"arn:aws:sns:{name}:{ACCOUNT}:alerts",
        alert_queue_url=f"https://sqs.{name}.amazonaws.com/{ACCOUNT}/alerts",
        drill_queue_url=f"https://sqs.{name}.amazonaws.com/{ACCOUNT}/drill-alerts",
        backup_vault="orders",
        alarms={
            role: f"orders-{role}" for role in ("errors", "reachability", "replication-lag", "throttles")
        },
        database_subnet_group="orders",
        database_security_group_id=f"sg-{short}",
        database_parameter_group="orders",
    )
