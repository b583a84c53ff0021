"""What `drill lab status` says of properties that nothing in the lab obeys."""

import sys
from pathlib import Path
from subprocess import run

import pytest

from infra.lab import stacks, unphysical
from tests.infra.lab.planelab import EAST, WEST, control_plane
from tests.infra.stacklab import VPC, make

TEMPLATE = VPC.replace(
    "Tags: [{Key: a, Value: b}]", "EnableDnsSupport: true\n      Tags: [{Key: a, Value: b}]"
)


@pytest.mark.parametrize(("second", "gateways"), [("1", 0), ("2", 1)])
def test_used_properties_without_physics_are_listed_by_type(
    tmp_path: Path, second: str, gateways: int
) -> None:
    """What is deployed, does nothing and is no tag is named; what is obeyed or not made is not."""
    with control_plane() as lab:
        make(lab, TEMPLATE, Second=second)
        obeyed = {
            **stacks.physics(),
            "AWS::EC2::VPC": frozenset({"CidrBlock"}),
            "AWS::EC2::Subnet": frozenset(),
        }
        unphysical.note(tmp_path, obeyed)
        shown = list(unphysical.lines(tmp_path, lab.client, (EAST, WEST)))
        assert shown[1:] == [
            "  AWS::EC2::Subnet: CidrBlock, VpcId",
            "  AWS::EC2::VPC: EnableDnsSupport",
        ]
        made = lab.client("ec2").describe_internet_gateways()["InternetGateways"]
        assert len(made) == gateways


def test_an_empty_lab_lists_nothing(tmp_path: Path) -> None:
    """Without stacks there is nothing to say."""
    with control_plane() as lab:
        unphysical.note(tmp_path, stacks.physics())
        assert list(unphysical.lines(tmp_path, lab.client, (EAST, WEST))) == []


def test_what_is_obeyed_is_a_property_of_the_type(tmp_path: Path) -> None:
    """No type claims physics for a property that CloudFormation does not know."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    with control_plane():
        for kind, names in stacks.physics().items():
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(EAST, kind).schema
            assert names <= set(schema["properties"]), kind


def test_asking_does_not_load_the_lab() -> None:
    """A status takes no seconds: what it needs is read without the control plane's libraries."""
    code = "import sys, infra.lab.unphysical; sys.exit('moto' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
