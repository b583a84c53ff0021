"""Nobody else drills the target: looked at, never taken."""

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from drill import lease_file
from drill.guards.contract import Asked
from drill.guards.free import free
from tests.drill.guards.asking import NOBODY, asked
from tests.drill.test_lease_table import LEASE_S, paused, taken
from tests.infra.lab.planelab import Lab, control_plane


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane with a lease table in the standby region."""
    with control_plane() as made:
        made.connect()
        made.client("dynamodb", "us-west-2").create_table(
            TableName="leases",
            AttributeDefinitions=[{"AttributeName": "target", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "target", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made


def question(runs: Path, lease: str | None = None) -> Asked:
    """Return a question of a target with a lease table."""
    held = asked(drills={"lease_table": "leases"}, timing={"lease_s": LEASE_S})
    return dataclasses.replace(held, runs=runs, lease=lease)


@pytest.mark.parametrize("told", ["", "another drill is running on orders"])
def test_who_tried_to_take_it_knows(tmp_path: Path, told: str) -> None:
    """A drill that begins has taken the lease or was refused: nothing is asked."""
    assert told == free(question(tmp_path, lease=told), NOBODY)


def test_a_drill_of_this_machine_refuses(tmp_path: Path) -> None:
    """Its lock is held; without a lease table that is all there is to see."""
    here = dataclasses.replace(asked(), runs=tmp_path)

    with lease_file.taken(tmp_path, "orders"):
        assert "another drill is running on orders; see it with: drill runs" in free(here, NOBODY)
    assert free(here, NOBODY) == ""


def test_looking_makes_nothing(tmp_path: Path) -> None:
    """No file appears where no drill ever ran."""
    assert free(dataclasses.replace(asked(), runs=tmp_path), NOBODY) == ""
    assert not list(tmp_path.iterdir())


def test_nobody_in_the_table_passes(tmp_path: Path, lab: Lab) -> None:
    """The first drill ever, and one after another that let go."""
    assert free(question(tmp_path), lab.aws) == ""
    with taken(lab, "run-1"):
        pass
    assert free(question(tmp_path), lab.aws) == ""


def test_a_living_drill_of_another_machine_refuses(tmp_path: Path, lab: Lab) -> None:
    """It renews; its run and its holder are named."""
    with taken(lab, "run-1"):
        said = free(question(tmp_path), lab.aws)

    assert said == "another drill is running on orders: run-1 by who runs run-1; wait for its end"


def test_a_dead_one_that_left_nothing_passes(tmp_path: Path, lab: Lab) -> None:
    """It was silent for longer than a holder may be."""
    with ExitStack() as stack:
        paused(stack, lab, "run-1")

        assert free(question(tmp_path), lab.aws) == ""


@pytest.mark.parametrize("dead", [True, False])
def test_what_another_machine_left_refuses(tmp_path: Path, lab: Lab, dead: bool) -> None:
    """Whether it died or let go; the steps and the command are told."""
    with ExitStack() as stack:
        lease = stack.enter_context(taken(lab, "run-1"))
        lease.remember("dark", {"fault": "f", "args": {}, "captured": {}})
        if dead:
            lease._ended.set()
            lease._thread.join()
        else:
            lease.release()

        said = free(question(tmp_path), lab.aws)

    assert said.startswith("run run-1 left dark broken; put it back first: drill recover run-1")
