"""The system deployed in a control plane without physics, for all that an audit only reads."""

from collections.abc import Iterator

import pytest

from drill.target import Target
from infra.deploy import deploy
from tests.infra.deploylab import CONFIG, ONE, quick_control_plane
from tests.infra.lab.planelab import Lab


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[Lab, Target]]:
    """Give the deployed system, and its owner's clients."""
    config = CONFIG.model_copy(update={"alert_email": None})
    with quick_control_plane() as lab:
        target = deploy(lab.aws.client, config, ONE)
        costs = lab.client("ce")
        costs.update_cost_allocation_tags_status(
            CostAllocationTagsStatus=[{"TagKey": "project", "Status": "Active"}]
        )
        yield lab, target.model_copy(update={"endpoint_url": lab.plane.endpoint_url})
