"""The lease across machines: one holder, a number that grows, and who was paused does nothing."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

import pytest

from drill import lease_table
from drill.aws import Aws
from drill.errors import DrillError, LeaseLost, Refused
from drill.lease_table import TableLease
from drill.model import Json
from drill.target import Drills, Target
from tests.infra.lab.planelab import Lab, control_plane
from tests.scenarios.test_region_outage import make_target

LEASE_S = 3.0


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane with a lease table in the standby region."""
    with control_plane() as made:
        made.connect()
        made.client("dynamodb", make_target().standby.name).create_table(
            TableName="leases",
            AttributeDefinitions=[{"AttributeName": "target", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "target", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made


def wanted() -> Target:
    """Return a target with a lease table and a short lease."""
    target = make_target()
    timing = target.timing.model_copy(update={"lease_s": LEASE_S})
    return target.model_copy(update={"timing": timing, "drills": Drills(lease_table="leases")})


def taken(
    lab: Lab, run_id: str, dead_fence: int | None = None, lease_s: float = LEASE_S
) -> AbstractContextManager[TableLease]:
    """Take the lease of the target as one machine would."""
    target = wanted()
    timing = target.timing.model_copy(update={"lease_s": lease_s})
    return lease_table.taken(
        lab.aws, target.model_copy(update={"timing": timing}), run_id, f"who runs {run_id}", dead_fence
    )


def paused(stack: ExitStack, lab: Lab, run_id: str) -> TableLease:
    """Take the lease and fall silent, as a stopped process does."""
    lease = stack.enter_context(taken(lab, run_id))
    lease._ended.set()
    lease._thread.join()
    return lease


def test_only_one_of_many_at_once_has_it(lab: Lab) -> None:
    """Of eight that begin together one gets it; the others are refused and named who has it."""

    def take(number: int) -> str:
        try:
            with taken(lab, f"run-{number}"):
                time.sleep(4 * LEASE_S)
        except Refused as problem:
            return str(problem)
        return "held"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(take, range(8)))

    assert said.count("held") == 1
    assert all("another drill" in line for line in said if line != "held")


def test_a_living_holder_is_not_taken_over_from(lab: Lab) -> None:
    """However long its drill lasts, its renewals keep others out, and its own checks pass."""
    with taken(lab, "run-1") as lease:
        for _ in range(3):
            with pytest.raises(Refused, match="run-1 by who runs run-1"):
                taken(lab, "run-2").__enter__()
        lease.check()
        assert lease.lost() == ""


def test_who_let_go_is_followed_at_once(lab: Lab) -> None:
    """A finished drill makes nobody wait, and the number grows."""
    with taken(lab, "run-1", lease_s=600) as first:
        pass
    with taken(lab, "run-2", lease_s=600) as second:
        assert second.fence == first.fence + 1


def test_who_was_paused_does_nothing_when_it_wakes(lab: Lab) -> None:
    """After a whole silent lease another takes over; the first one's checks and writes are refused."""
    with ExitStack() as stack:
        first = paused(stack, lab, "run-1")
        second = stack.enter_context(taken(lab, "run-2"))

        with pytest.raises(LeaseLost):
            first.check()
        with pytest.raises(LeaseLost):
            first.remember("step", {})
        assert "lost" in first.lost()
        second.check()
        assert second.steps == {}


def test_who_was_paused_and_not_replaced_goes_on(lab: Lab) -> None:
    """A lease that ran out and that nobody took is renewed before anything is done."""
    with ExitStack() as stack:
        first = paused(stack, lab, "run-1")
        time.sleep(1.5 * LEASE_S)
        assert "can't be renewed" in first.lost()
        first.check()
        assert first.lost() == ""


def test_what_is_broken_stays_known_to_other_machines(lab: Lab) -> None:
    """A step that was not undone keeps new drills out; who puts that run back gets what it needs."""
    undo: dict[str, Json] = {"fault": "f", "args": {"a": [1]}, "captured": {"b": None}}
    with taken(lab, "run-1") as first:
        first.remember("one", undo)
        first.remember("two", undo)
        first.forget("two")

    with pytest.raises(Refused, match="run run-1 left one broken"):
        taken(lab, "run-2").__enter__()
    with taken(lab, "run-1") as again:
        assert again.steps == {"one": undo}
        again.forget("one")
    with taken(lab, "run-2") as free:
        assert free.steps == {}


def test_a_holder_that_is_known_to_be_dead_is_not_waited_for(lab: Lab) -> None:
    """A watchdog that has killed its runner takes over within the lease."""
    with ExitStack() as stack:
        first = stack.enter_context(taken(lab, "run-1", lease_s=600))
        second = stack.enter_context(taken(lab, "run-1", dead_fence=first.fence))
        assert second.fence == first.fence + 1
        with pytest.raises(LeaseLost):
            first.remember("step", {})


def test_a_fenced_client_asks_before_each_write_and_no_read(lab: Lab) -> None:
    """What may change something is sent only when the check passes; reads always are."""
    asked: list[int] = []

    def check() -> None:
        asked.append(1)
        msg = "another holds it"
        raise LeaseLost(msg)

    fenced: Aws = lab.aws.fenced(check)
    client = fenced.client("sqs", "us-east-1")
    client.list_queues()
    assert asked == []
    with pytest.raises(LeaseLost):
        client.create_queue(QueueName="q")
    assert asked == [1]
    assert "QueueUrls" not in lab.client("sqs").list_queues()


def test_a_table_that_is_not_there_is_said(lab: Lab) -> None:
    """A missing table is one line that names it, and no lease."""
    target = wanted().model_copy(update={"drills": Drills(lease_table="gone")})
    with pytest.raises(DrillError, match=r"lease table gone in .* can't be used"):
        lease_table.taken(lab.aws, target, "run-1", "me", None).__enter__()
