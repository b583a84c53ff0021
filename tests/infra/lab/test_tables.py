"""Replication of global tables: a real control plane, real writes, and what the truth log says of them."""

import asyncio
import itertools
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.core.base_backend import BackendDict

from drill.aws import Aws
from infra.lab.control_plane import ControlPlane, experiments
from tests.infra.lab.replicationlab import World, replicating, run
from tests.infra.lab.tablelab import EAST, QUICK, REGIONS, TABLE, WEST, get, key, make_table, put, until


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Give a control plane."""
    with ControlPlane("127.0.0.1", 0, REGIONS) as one:
        yield one


@pytest.fixture(scope="module")
def clients(plane: ControlPlane) -> Aws:
    """Give its clients."""
    return Aws(plane.endpoint_url, timeout_s=10, attempts=1)


@pytest.fixture
def world(plane: ControlPlane, clients: Aws, tmp_path: Path) -> World:
    """Give a global table and its replication, which has not begun; experiments start at once."""
    BackendDict.reset()
    experiments.install(0.0, lambda: None)
    clients.client("iam", "global").create_role(RoleName="fis", AssumeRolePolicyDocument="{}")
    arn = make_table(clients)
    return replicating(plane, clients, tmp_path / "truth.jsonl", arn, QUICK)


def test_a_write_reaches_the_other_region_and_no_further(world: World) -> None:
    """What the east accepts shows in the west, each way once; a replica's write is not sent back."""

    async def story() -> None:
        await world.put("1", "from-east")
        await world.put("2", "from-west", WEST)
        await world.shows("1", "from-east", WEST)
        await world.shows("2", "from-west", EAST)
        await world.replicated(2)
        await asyncio.sleep(0.2)

    run(world, story())
    went = sorted((event["source"], event["region"]) for event in world.events("item_replicated"))
    assert went == [(EAST, WEST), (WEST, EAST)]


def test_the_truth_log_has_both_ends_of_each_write(world: World) -> None:
    """Each write is logged when its table had it and when the other one had it."""

    async def story() -> None:
        for token in "abc":
            await world.put(token, "n")
        await world.replicated(3)

    run(world, story())
    written = {event["key"]["token"]["S"]: event for event in world.events("item_written")}
    arrived = {event["key"]["token"]["S"]: event for event in world.events("item_replicated")}
    assert set(written) == set(arrived) == set("abc")
    for token, event in arrived.items():
        assert event["written_ns"] == written[token]["at_ns"] < event["at_ns"]
        assert (event["region"], event["source"], event["table"]) == (WEST, EAST, TABLE)
        assert (written[token]["region"], written[token]["table"]) == (EAST, TABLE)


def test_deletions_and_updates_are_replicated(world: World) -> None:
    """An update arrives as the whole item, and a deletion as a deletion."""
    client = world.aws.client("dynamodb", EAST)

    async def story() -> None:
        await world.put("1", "n")
        await world.put("2", "n")
        await world.shows("1", "n")
        await world.shows("2", "n")
        await asyncio.to_thread(
            client.update_item,
            TableName=TABLE,
            Key=key("1"),
            UpdateExpression="SET nonce = :n",
            ExpressionAttributeValues={":n": {"S": "updated"}},
        )
        await asyncio.to_thread(client.delete_item, TableName=TABLE, Key=key("2"))
        await world.shows("1", "updated")

        async def gone() -> bool:
            return await world.nonce("2") is None

        await until(gone)

    run(world, story())


def test_the_lag_follows_the_profile(world: World, tmp_path: Path) -> None:
    """The median of many lags lies near the profile's, never below its order of magnitude."""
    lagging = world.with_lag(0.3, 0.3, tmp_path)

    async def story() -> None:
        for number in range(60):
            await lagging.put(str(number), "n")
        await lagging.replicated(60)

    run(lagging, story())
    lags_s = [(event["at_ns"] - event["written_ns"]) / 1e9 for event in lagging.events("item_replicated")]
    assert 0.2 < statistics.median(lags_s) < 0.9
    assert len({round(lag_s, 3) for lag_s in lags_s}) > 20


def test_writes_of_one_key_arrive_in_their_order(world: World) -> None:
    """However the lags fall, no region goes back to an earlier state of an item."""

    async def story() -> None:
        for number in range(40):
            await world.put("1", str(number))
        await world.shows("1", "39")
        await asyncio.sleep(0.2)
        assert await world.nonce("1") == "39"

    run(world, story())
    arrived = [event["written_ns"] for event in world.events("item_replicated")]
    assert arrived == sorted(arrived)
    assert len(arrived) == 40


def test_the_last_writer_wins_everywhere(world: World) -> None:
    """Both regions end with the later of two concurrent writes, whichever way it went."""

    async def story() -> None:
        for number, (first, second) in enumerate(itertools.permutations(REGIONS)):
            token = str(number)
            await world.put(token, "earlier", first)
            await world.put(token, "later", second)
            await world.shows(token, "later", EAST)
            await world.shows(token, "later", WEST)
        await asyncio.sleep(0.3)
        for token in "01":
            assert await world.nonce(token, EAST) == await world.nonce(token, WEST) == "later"

    run(world, story())


@pytest.mark.parametrize("paused", REGIONS)
def test_a_pause_holds_back_both_directions_until_it_ends(world: World, paused: str) -> None:
    """While either region is paused nothing passes, either way; then all of it arrives."""

    async def story() -> None:
        experiment = await world.pause(paused)
        for number in range(10):
            await world.put(f"e{number}", "n", EAST)
            await world.put(f"w{number}", "n", WEST)
        await asyncio.sleep(0.4)
        assert world.events("item_replicated") == []
        await world.resume(experiment, paused)
        await world.replicated(20)
        assert await world.nonce("e9", WEST) == await world.nonce("w9", EAST) == "n"

    run(world, story())
    (began,), (ended,) = world.events("replication_paused"), world.events("replication_resumed")
    assert (began["region"], began["table"]) == (ended["region"], ended["table"]) == (paused, TABLE)
    arrived = [event["at_ns"] for event in world.events("item_replicated")]
    assert began["at_ns"] < ended["at_ns"] < min(arrived)


def test_a_pause_catches_what_is_on_its_way(world: World, tmp_path: Path) -> None:
    """A write that was accepted and had not arrived when the pause began waits for its end."""
    lagging = world.with_lag(2.0, 0.01, tmp_path)

    async def story() -> None:
        await lagging.put("1", "n")
        experiment = await lagging.pause()
        await asyncio.sleep(2.4)
        assert await lagging.nonce("1") is None
        await lagging.resume(experiment)
        await lagging.shows("1", "n")

    run(lagging, story())


def test_a_pause_keeps_the_order_and_the_last_writer(world: World) -> None:
    """After a pause in which both regions wrote one item, both hold the later write."""

    async def story() -> None:
        experiment = await world.pause()
        for number in range(5):
            await world.put("1", f"east-{number}", EAST)
        await world.put("1", "west", WEST)
        await world.resume(experiment)
        await world.shows("1", "west", EAST)
        await asyncio.sleep(0.3)
        assert await world.nonce("1", WEST) == "west"

    run(world, story())


def test_a_later_local_write_is_not_undone_by_an_earlier_remote_one(world: World) -> None:
    """The question whether a write is outdated is asked with the table locked, so nothing comes between."""

    async def story() -> None:
        tasks = []
        for number in range(60):
            region = REGIONS[number % 2]
            tasks.append(asyncio.create_task(world.put("1", f"{number}", region)))
            await asyncio.sleep(0.005)
        await asyncio.gather(*tasks)
        await asyncio.sleep(0.5)
        last = max(world.events("item_written"), key=lambda event: int(event["at_ns"]))
        east, west = await world.nonce("1", EAST), await world.nonce("1", WEST)
        assert east == west
        assert last["region"] == REGIONS[int(str(east)) % 2]

    run(world, story())


def test_a_table_younger_than_the_snapshot_is_replicated_too(world: World) -> None:
    """A write that comes before the physics have seen its table is kept, not lost."""

    async def story() -> None:
        await asyncio.to_thread(make_table, world.aws, "customers")
        client = world.aws.client("dynamodb", EAST)
        await asyncio.to_thread(client.put_item, TableName="customers", Item=key("1"))
        await asyncio.sleep(0.1)
        assert world.events("item_replicated") == []
        world.tables.reconcile(world.plane.snapshot())
        await world.replicated(1)

    run(world, story())


def test_writes_before_the_start_and_after_the_close_do_no_harm(world: World) -> None:
    """What was written before the loop runs is sent when it does; after the close nothing happens."""
    put(world.aws, "1", "early")

    async def story() -> None:
        await world.shows("1", "early")

    run(world, story())
    put(world.aws, "2", "late")
    assert get(world.aws, "2", WEST) is None
