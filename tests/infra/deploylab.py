"""A control plane with quick clocks, and the system that tests deploy on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from drill.aws import Aws
from drill.target import Environment, Objectives, Timing
from infra.deploy_config import DeployConfig
from infra.function_package import Package, archive_of
from infra.lab.control_plane import ControlPlane
from tests.infra.lab.planelab import EAST, WEST, Lab

CONFIG = DeployConfig(
    name="shop",
    primary_region=EAST,
    standby_region=WEST,
    domain="example.test",
    http_port=8080,
    database_port=5433,
    alert_email="oncall@example.com",
    protect_data=False,
    environment=Environment(kind="lab", profile="fast"),
    disposable=True,
    resolver="127.0.0.54:53",
    name_servers=("127.0.0.53:53",),
    timing=Timing(warm_up_s=1),
    objectives={"default": Objectives(rto_s=10)},
)
ONE = Package(archive_of({"app.py": b"def handle(event, context): return 1"}), "app.handle")
TWO = Package(archive_of({"app.py": b"def handle(event, context): return 2"}), "app.handle")
ACCOUNT = "123456789012"


@contextmanager
def quick_control_plane() -> Iterator[Lab]:
    """Yield an empty control plane whose clocks run as on the fast profile."""
    with ControlPlane("127.0.0.1", 0, (EAST, WEST), clock_scale=0.02) as plane:
        yield Lab(plane, Aws(plane.endpoint_url, timeout_s=60, attempts=1))


def stack_names(lab: Lab) -> list[str]:
    """Return the stacks of both regions that are there, whatever they are at."""
    return sorted(
        stack["StackName"]
        for region in (EAST, WEST)
        for stack in lab.client("cloudformation", region).describe_stacks()["Stacks"]
        if not stack["StackStatus"].startswith("DELETE_")
    )
