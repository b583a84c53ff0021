"""Waiting for a stack, and giving up."""

import pytest

from drill.errors import DrillError
from infra import stack_changes
from infra.deploy_config import DeployConfig
from tests.infra.lab.planelab import EAST, WEST, control_plane, make_network


def test_a_stack_that_takes_too_long_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that never starts ends the wait with the stack's name and what it is at."""
    monkeypatch.setattr(stack_changes, "STACK_WITHIN_S", 0.2)
    with control_plane() as lab:
        lab.connect()
        vpc, subnet = make_network(lab)
        group = lab.client("ec2").create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
        data = DeployConfig("shop", EAST, WEST).stack(
            EAST, "data", Project="shop", SubnetIds=subnet, SecurityGroupId=group, SecretReplicaRegion=WEST
        )
        with pytest.raises(DrillError, match=r"^stack shop-data in us-east-1 is still CREATE_IN_PROGRESS"):
            stack_changes.put(lab.aws.client, data)
