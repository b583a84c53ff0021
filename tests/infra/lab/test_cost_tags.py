"""Cost allocation tags: known once a resource has them, active once somebody says so."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an account with a tagged queue in each region."""
    with control_plane() as made:
        for region, tag in ((EAST, "project"), (WEST, "team")):
            made.client("sqs", region).create_queue(QueueName="q", tags={tag: "x"})
        yield made


def shown(lab: Lab, **asked: object) -> dict[str, str]:
    """Return the status of each tag."""
    listed = lab.client("ce").list_cost_allocation_tags(**asked)["CostAllocationTags"]
    return {one["TagKey"]: one["Status"] for one in listed}


def test_a_tag_of_a_resource_is_inactive_until_it_is_activated(lab: Lab) -> None:
    """In whichever region the resource is; what is asked for narrows the list."""
    assert {"project": "Inactive", "team": "Inactive"}.items() <= shown(lab).items()
    wanted = [{"TagKey": "project", "Status": "Active"}]
    lab.client("ce").update_cost_allocation_tags_status(CostAllocationTagsStatus=wanted)

    assert shown(lab, Status="Active") == {"project": "Active"}
    assert shown(lab, TagKeys=["team", "nobody-has-it"]) == {"team": "Inactive"}
    (one,) = lab.client("ce").list_cost_allocation_tags(TagKeys=["project"])["CostAllocationTags"]
    assert one["Type"] == "UserDefined"
    assert one["LastUpdatedDate"].endswith("Z")


def test_a_tag_that_no_resource_has_is_not_known(lab: Lab) -> None:
    """Billing learns of a tag from what carries it."""
    wanted = [{"TagKey": "nobody-has-it", "Status": "Active"}, {"TagKey": "project", "Status": "Active"}]
    with pytest.raises(ClientError, match="Tag keys not found: nobody-has-it"):
        lab.client("ce").update_cost_allocation_tags_status(CostAllocationTagsStatus=wanted)

    assert shown(lab, Status="Active") == {}
