"""A deployment that was destroyed with its data leaves the lab as it was before."""

from typing import Any

import pytest

from infra.deploy import deploy
from infra.destroy import destroy
from infra.lab import fingerprint
from tests.infra.deploylab import CONFIG, ONE, quick_control_plane
from tests.infra.lab.planelab import EAST, WEST, Lab


def configuration(lab: Lab) -> dict[str, Any]:
    """Return everything drillable."""
    return fingerprint.configuration(lab.client, (EAST, WEST))


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"replication": "global", "nat": "per-az"}], ids=["backup", "global"])
def test_a_destroyed_deployment_leaves_nothing(more: dict[str, str]) -> None:
    """What is left of each section is what was there before, key for key."""
    config = CONFIG.model_copy(update=more)
    with quick_control_plane() as lab:
        before = configuration(lab)
        deploy(lab.aws.client, config, ONE)
        assert configuration(lab) != before
        destroy(lab.aws.client, config, config.name)
        after = configuration(lab)
        left = [
            (place, section, sorted(set(found) ^ set(before[place][section])))
            for place, sections in after.items()
            for section, found in sections.items()
            if found != before[place][section]
        ]
        assert left == []
