"""A new tag for each kind of thing that is drillable."""

from collections.abc import Callable

from drill.aws import Aws
from tests.infra.lab.drillable import health_check_of, vpc_of
from tests.infra.lab.tablelab import EAST, ROLE, TABLE

NEW = {"Key": "owner", "Value": "somebody"}


def vpc(aws: Aws) -> None:
    """Tag the VPC."""
    aws.client("ec2", EAST).create_tags(Resources=[vpc_of(aws, EAST)], Tags=[NEW])


def load_balancer(aws: Aws) -> None:
    """Tag the load balancer."""
    client = aws.client("elbv2", EAST)
    arn = client.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    client.add_tags(ResourceArns=[arn], Tags=[NEW])


def listener(aws: Aws) -> None:
    """Tag its listener."""
    client = aws.client("elbv2", EAST)
    arn = client.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    (one,) = client.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    client.add_tags(ResourceArns=[one["ListenerArn"]], Tags=[NEW])


def target_group(aws: Aws) -> None:
    """Tag the target group."""
    client = aws.client("elbv2", EAST)
    arn = client.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    client.add_tags(ResourceArns=[arn], Tags=[NEW])


def function(aws: Aws) -> None:
    """Tag the function."""
    client = aws.client("lambda", EAST)
    arn = client.get_function(FunctionName="orders")["Configuration"]["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={NEW["Key"]: NEW["Value"]})


def cluster(aws: Aws) -> None:
    """Tag the cluster."""
    client = aws.client("rds", EAST)
    client.add_tags_to_resource(ResourceName=f"{_rds_arn()}:cluster:main", Tags=[NEW])


def instance(aws: Aws) -> None:
    """Tag its instance."""
    client = aws.client("rds", EAST)
    client.add_tags_to_resource(ResourceName=f"{_rds_arn()}:db:main-1", Tags=[NEW])


def table(aws: Aws) -> None:
    """Tag the table."""
    client = aws.client("dynamodb", EAST)
    arn = client.describe_table(TableName=TABLE)["Table"]["TableArn"]
    client.tag_resource(ResourceArn=arn, Tags=[NEW])


def template(aws: Aws) -> None:
    """Tag the experiment template."""
    client = aws.client("fis", EAST)
    (one,) = client.list_experiment_templates()["experimentTemplates"]
    client.tag_resource(resourceArn=one["arn"], tags={NEW["Key"]: NEW["Value"]})


def health_check(aws: Aws) -> None:
    """Tag the health check."""
    aws.client("route53", "global").change_tags_for_resource(
        ResourceType="healthcheck", ResourceId=health_check_of(aws), AddTags=[NEW]
    )


def zone(aws: Aws) -> None:
    """Tag the hosted zone."""
    client = aws.client("route53", "global")
    zone_id = client.list_hosted_zones()["HostedZones"][0]["Id"].rpartition("/")[2]
    client.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, AddTags=[NEW])


def _rds_arn() -> str:
    return f"arn:aws:rds:{EAST}:{ROLE.split(':')[4]}"


TAGGING: tuple[Callable[[Aws], None], ...] = (
    vpc,
    load_balancer,
    listener,
    target_group,
    function,
    cluster,
    instance,
    table,
    template,
    health_check,
    zone,
)
