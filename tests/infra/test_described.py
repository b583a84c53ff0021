"""Every property that the templates declare can be read back through its service's own Describe calls."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import deploy
from infra.lab.stacks.live import Live
from tests.infra import described
from tests.infra.deploylab import CONFIG, ONE, quick_control_plane
from tests.infra.described.reader import Reader, differences
from tests.infra.lab.planelab import EAST, WEST, Lab
from tests.infra.stacklab import live

# What a deployment need not have, so that each property of the templates is declared at least once.
MORE: Mapping[str, Mapping[str, Any]] = {
    "backup": {"protect_data": True},
    "global": {
        "replication": "global",
        "nat": "per-az",
        "alert_webhook": "https://pager.example.com/in",
        "table_billing": "PAY_PER_REQUEST",
    },
}


def readers() -> dict[str, Reader]:
    """Return every reader in the folder, by type."""
    found: dict[str, Reader] = {}
    for path in Path(described.__path__[0]).glob("*.py"):
        found |= getattr(importlib.import_module(f"tests.infra.described.{path.stem}"), "READERS", {})
    return found


@pytest.fixture(scope="module", params=MORE)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Give the whole system, deployed."""
    with quick_control_plane() as made:
        deploy(made.aws.client, CONFIG.model_copy(update=dict(MORE[request.param])), ONE)
        yield made


def resources(lab: Lab) -> Iterator[tuple[str, str, Live]]:
    """Yield every resource of every stack with its region and its name."""
    for region in (EAST, WEST):
        for stack in lab.client("cloudformation", region).describe_stacks()["Stacks"]:
            for name, one in live(stack["StackName"], region).items():
                yield region, f"{stack['StackName']}.{name}", one


@pytest.mark.slow
def test_every_property_of_the_templates_is_described(lab: Lab) -> None:
    """What a deployed template says of a resource is what its service shows of it."""
    known = readers()
    missing = {one.kind.name for _, _, one in resources(lab)} - set(known)
    assert missing == set(), "these types have no reader in tests/infra/described"
    wrong = [
        f"{region} {name} ({one.kind.name}) {line}"
        for region, name, one in resources(lab)
        for line in _differences(lab, region, one, known[one.kind.name])
    ]
    assert wrong == []


def _differences(lab: Lab, region: str, one: Live, read: Reader) -> list[str]:
    declared = one.request.properties.values_as_given()
    return differences(declared, read(lab.client, region, one.made.physical_resource_id, declared))
