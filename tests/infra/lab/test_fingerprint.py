"""The fingerprint: blind to what is published as ignored, and to nothing else."""

import json
import time
from collections.abc import Callable, Iterator

import pytest
from moto.core.base_backend import BackendDict

from drill.aws import Aws
from infra.lab import fingerprint
from infra.lab.control_plane import ControlPlane, experiments
from infra.lab.fingerprint import IGNORED
from tests.infra.lab.drillable import CHANGES, build
from tests.infra.lab.drillable_tags import TAGGING
from tests.infra.lab.tablelab import EAST, REGIONS, put


@pytest.fixture(scope="module")
def clients() -> Iterator[Aws]:
    """Give the clients of a control plane that has one of everything drillable."""
    with ControlPlane("127.0.0.1", 0, REGIONS, clock_scale=0.001) as plane:
        BackendDict.reset()
        experiments.install(0.0, lambda: None)
        aws = Aws(plane.endpoint_url, timeout_s=10, attempts=1)
        build(aws)
        yield aws


def taken(aws: Aws) -> str:
    """Return the fingerprint now."""
    return fingerprint.fingerprint(aws.client, REGIONS)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_shows_and_its_undo_brings_the_fingerprint_back(
    clients: Aws, change: Callable[[Aws], Callable[[], None]]
) -> None:
    """What a drill changes gives another fingerprint; put back, it is the one from before."""
    before = taken(clients)
    back = change(clients)
    assert taken(clients) != before
    back()
    assert taken(clients) == before


@pytest.mark.parametrize("tag", TAGGING, ids=lambda tag: tag.__name__)
def test_a_new_tag_shows(clients: Aws, tag: Callable[[Aws], None]) -> None:
    """The tags of everything are read: they are what a drill's opt-in and its leftovers are told by."""
    before = taken(clients)
    tag(clients)
    assert taken(clients) != before


def test_rows_and_reads_do_not_show(clients: Aws) -> None:
    """What the application writes, and reading a secret, leave the fingerprint alone."""
    before = taken(clients)
    put(clients, "1")
    clients.client("secretsmanager", EAST).get_secret_value(SecretId="database")
    assert taken(clients) == before


def test_a_changed_secret_shows_without_being_read(clients: Aws) -> None:
    """The value never enters, but that there is a new one does."""
    before = taken(clients)
    clients.client("secretsmanager", EAST).put_secret_value(SecretId="database", SecretString="hush-hush")
    assert taken(clients) != before
    assert "hush-hush" not in json.dumps(fingerprint.configuration(clients.client, REGIONS))


def test_it_is_fast(clients: Aws) -> None:
    """Reading two regions takes less than many times what one Describe call takes (a ratio)."""
    taken(clients)
    began = time.perf_counter()
    for _ in range(20):
        clients.client("ec2", EAST).describe_vpcs()
    one_s = (time.perf_counter() - began) / 20
    began = time.perf_counter()
    taken(clients)
    assert time.perf_counter() - began < 400 * one_s


def test_what_is_ignored_has_a_reason() -> None:
    """Each entry of the published list says why."""
    assert all(len(reason) > 10 for reason in IGNORED.values())
