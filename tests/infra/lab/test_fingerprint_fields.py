"""Every field of everything that a deployment makes shows in the fingerprint, unless it is published as ignored."""

from collections.abc import Iterator

import pytest

from infra.deploy import deploy
from infra.deploy_config import DeployConfig
from infra.function_package import Package, archive_of
from infra.lab import fingerprint
from infra.lab.fingerprint import IGNORED, REGIONAL, WITHOUT_REGION
from infra.lab.fingerprint.sections import Section
from tests.infra.lab.answers import Recording, Replay, compared, named, with_change
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane

CODE = Package(archive_of({"app.py": b"def handle(event, context): return 1"}), "app.handle")
# What one deployment has none of; tests of their own look at them.
EMPTY = {"experiments", "templates", "flow_logs", "policies", "cluster_snapshots"}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give the whole system, deployed with a global database and NAT gateways."""
    with control_plane(clock_scale=0.001) as made:
        config = {"name": "shop", "primary_region": EAST, "standby_region": WEST, "domain": "example.test"}
        more = {"replication": "global", "nat": "one", "alert_email": "ops@example.test"}
        deploy(made.aws.client, DeployConfig.model_validate({**config, **more}), CODE)
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("section", [*REGIONAL, *WITHOUT_REGION], ids=lambda section: section.name)
def test_every_field_that_is_not_ignored_shows(
    lab: Lab, section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each leaf of each answer of the API, changed alone, changes the fingerprint; unless it is ignored."""
    here = section in REGIONAL
    monkeypatch.setattr(fingerprint, "REGIONAL", (section,) if here else ())
    monkeypatch.setattr(fingerprint, "WITHOUT_REGION", () if here else (section,))
    recording = Recording(lab.aws)
    before = fingerprint.fingerprint(recording.client, (EAST,))
    assert fingerprint.fingerprint(Replay(recording.answers).client, (EAST,)) == before
    silent, count = set(), 0
    for call, answer in recording.answers.items():
        for path in compared(call.operation, answer):
            count += 1
            others = {**recording.answers, call: with_change(answer, path)}
            if fingerprint.fingerprint(Replay(others).client, (EAST,)) == before:
                silent.add((call.operation, *named(path)))
    explained = {entry.partition(".")[2] for entry in IGNORED if entry.startswith(f"{section.name}.")}
    assert {path for path in silent if not explained & set(path)} == set()
    assert count or section.name in EMPTY
