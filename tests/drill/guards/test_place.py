"""The account is the target's, and both its regions answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from drill.guards.contract import CannotTell
from drill.guards.place import account, regions
from tests.drill.guards.asking import NOBODY, asked
from tests.drill.test_target import make_document
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane, make_network


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give a control plane."""
    with control_plane() as made:
        yield made


def test_the_targets_account_passes(lab: Lab) -> None:
    """The lab's account is the one of the document."""
    assert account(asked(), lab.aws) == ""


def test_another_account_refuses(lab: Lab) -> None:
    """Both numbers are told, and what to set."""
    answer = account(asked(account="210987654321"), lab.aws)

    assert "account 123456789012, the target is in 210987654321; set AWS_PROFILE" in answer


def vpcs(east: str, west: str) -> dict[str, Any]:
    """Return the regions of a target file with these VPCs."""
    document = make_document()
    return {
        "primary": {**document["primary"], "vpc_id": east},
        "standby": {**document["standby"], "vpc_id": west},
    }


def test_both_regions_with_their_vpc_pass(lab: Lab) -> None:
    """Each is looked for in its own region."""
    east, _ = make_network(lab, EAST)
    west, _ = make_network(lab, WEST)

    assert regions(asked(**vpcs(east, west)), lab.aws) == ""


def test_a_vpc_of_the_other_region_refuses(lab: Lab) -> None:
    """Both regions that lack theirs are named."""
    east, _ = make_network(lab, EAST)
    west, _ = make_network(lab, WEST)

    answer = regions(asked(**vpcs(west, east)), lab.aws)

    assert f"us-east-1 answers but has no VPC {west}" in answer
    assert f"us-west-2 answers but has no VPC {east}" in answer
    assert "drill target check" in answer


def test_a_region_that_does_not_answer_can_not_be_told() -> None:
    """Nobody begins a drill in a region that is in trouble of its own."""
    with pytest.raises(CannotTell, match=r"does not answer .*health\.aws\.amazon\.com"):
        regions(asked(), NOBODY)
    with pytest.raises(BotoCoreError):
        account(asked(), NOBODY)
