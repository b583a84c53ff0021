"""A small AWS for the faults: the lab's control plane over HTTP, with one of everything that they break."""

from collections.abc import Iterator

import pytest
from moto.core.base_backend import BackendDict

from drill.aws import Aws
from infra.lab.control_plane import ControlPlane, experiments
from tests.drill.faults.breakage import give_acl, make_global_table
from tests.drill.faults.peered import Peered
from tests.drill.faults.peered import make as make_peered

REGIONS = ("us-east-1", "us-west-2")


@pytest.fixture(scope="module")
def clients() -> Iterator[Aws]:
    """Give the clients of a control plane that a file's tests share: making clients is slow."""
    with ControlPlane("127.0.0.1", 0, REGIONS) as plane:
        yield Aws(plane.endpoint_url, timeout_s=10, attempts=1)


@pytest.fixture
def aws(clients: Aws) -> Aws:
    """Give the clients of an empty account."""
    BackendDict.reset()
    experiments.install(0.05, lambda: None)
    return clients


@pytest.fixture
def vpc(aws: Aws) -> tuple[str, tuple[str, str]]:
    """Give a VPC with two subnets, which have different network ACLs."""
    ec2 = aws.client("ec2", "us-east-1")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    first, second = (
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr)["Subnet"]["SubnetId"]
        for cidr in ("10.0.1.0/24", "10.0.2.0/24")
    )
    own = ec2.create_network_acl(VpcId=vpc_id)["NetworkAcl"]["NetworkAclId"]
    give_acl(aws, second, own)
    return vpc_id, (first, second)


@pytest.fixture
def health_check(aws: Aws) -> str:
    """Give the id of an HTTP health check."""
    made = aws.client("route53", "global").create_health_check(
        CallerReference="one",
        HealthCheckConfig={
            "Type": "HTTP",
            "IPAddress": "192.0.2.1",
            "Port": 80,
            "ResourcePath": "/health/regional",
            "RequestInterval": 10,
            "FailureThreshold": 3,
        },
    )
    return str(made["HealthCheck"]["Id"])


@pytest.fixture
def table(aws: Aws) -> str:
    """Give the ARN of a global table in us-east-1; the role for AWS FIS is there too."""
    aws.client("iam", "global").create_role(RoleName="fis", AssumeRolePolicyDocument="{}")
    return make_global_table(aws, "orders")


@pytest.fixture
def peered(aws: Aws) -> Peered:
    """Give two VPCs with a peering and the routes over it."""
    return make_peered(aws)
