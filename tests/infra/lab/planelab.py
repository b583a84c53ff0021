"""A control plane with answering physics, for the tests of both."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from drill.aws import Aws
from infra.lab.control_plane import ControlPlane
from infra.lab.world import CheckerReport, Invocation, ItemWrite, Snapshot

EAST, WEST = "us-east-1", "us-west-2"
ROLE = "arn:aws:iam::123456789012:role/lambda"


@dataclass
class Physics:
    """Answers for functions, checkers and tables, and keeps what it was asked."""

    answer: Invocation = field(default_factory=lambda: Invocation(b'{"ok": true}'))
    seen: list[CheckerReport] = field(default_factory=list)
    invoked: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    writes: list[ItemWrite] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Give the prepared answer."""
        self.invoked.append((region, function, qualifier, payload))
        return self.answer

    def reports(self, health_check_id: str) -> list[CheckerReport]:
        """Give the prepared reports; any check is known."""
        assert health_check_id
        return self.seen

    def throttled(self, region: str, table: str, index: str, key: Mapping[str, object]) -> None:
        """Keep the key of a refused write."""
        self.refused.append(dict(key))

    def written(self, write: ItemWrite) -> None:
        """Keep a write."""
        self.writes.append(write)


@dataclass
class Lab:
    """A control plane that answers, and its clients."""

    plane: ControlPlane
    aws: Aws

    def client(self, service: str, region: str = EAST) -> Any:
        """Return a boto3 client."""
        return self.aws.client(service, region)

    @property
    def now(self) -> Snapshot:
        """What the physics would see."""
        return self.plane.snapshot()

    def connect(self) -> Physics:
        """Connect physics that answer."""
        physics = Physics()
        self.plane.serve_with(invoker=physics, health=physics, writes=physics)
        return physics

    def changes_of(self, act: Callable[[], object]) -> int:
        """Return how many changes the control plane tells of while something is done."""
        told: list[int] = []
        self.plane.on_change(lambda: told.append(1))
        act()
        return len(told)


@contextmanager
def control_plane(clock_scale: float = 1.0) -> Iterator[Lab]:
    """Yield an empty control plane that answers."""
    with ControlPlane("127.0.0.1", 0, (EAST, WEST), clock_scale=clock_scale) as plane:
        yield Lab(plane, Aws(plane.endpoint_url, timeout_s=30, attempts=1))


def make_function(lab: Lab, archive: bytes, name: str = "orders") -> None:
    """Make a function in the east, with its role."""
    lab.client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument="{}")
    lab.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handle",
        Code={"ZipFile": archive},
    )


def make_network(lab: Lab, region: str = EAST, cidr: str = "10.1.0.0/16") -> tuple[str, str]:
    """Make a VPC with one subnet; returns the ids of both."""
    ec2 = lab.client("ec2", region)
    vpc: str = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    subnet: str = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr.replace("/16", "/24"))["Subnet"]["SubnetId"]
    return vpc, subnet
