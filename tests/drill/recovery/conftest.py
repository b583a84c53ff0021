"""An account in which the tests' procedure can be followed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.core.base_backend import BackendDict

from drill.aws import Aws
from drill.target import Target
from infra.lab.control_plane import ControlPlane
from tests.drill.measure.worlds import target as made_up
from tests.drill.recovery.plugin import install
from tests.drill.recovery.running import REGIONS, TIMING


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Give an AWS API without anything behind it: that is all that a procedure needs."""
    with ControlPlane("127.0.0.1", 0, REGIONS) as plane:
        yield plane


@pytest.fixture
def where(plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """Give a target in an empty account; the tests' plugin is installed for this and other processes."""
    BackendDict.reset()
    install(tmp_path / "installed")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    bare = made_up()
    aws = Aws(plane.endpoint_url, timeout_s=20)
    regions = {
        place: region.model_copy(
            update={
                "vpc_id": aws.client("ec2", region.name).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            }
        )
        for place, region in (("primary", bare.primary), ("standby", bare.standby))
    }
    more = {"endpoint_url": plane.endpoint_url, "disposable": True, "timing": TIMING}
    return bare.model_copy(update={**regions, **more})


def _vpc(aws: Aws, region: str) -> str:
    made = aws.client("ec2", region).create_vpc(CidrBlock="10.0.0.0/16")
    return str(made["Vpc"]["VpcId"])
