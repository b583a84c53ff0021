"""What is done with databases besides running them: copied, stopped for a while, promoted, led elsewhere."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from pg8000.native import literal

from drill.errors import DrillError
from infra.lab import base_backup
from infra.lab.database import Database

ATTEMPTS = 3
CAUGHT_UP_WITHIN_S = 30.0
_POLL_S = 0.01


async def back_up(database: Database, target: Path, progress: base_backup.Progress) -> float | None:
    """Pack a database's files into a folder.

    Returns:
        The instant whose data they hold; None if it does not run, so that any since it stopped will do.

    Raises:
        DrillError: It failed.

    """
    home, software = database.ground.home, database.ground.software
    for _ in range(ATTEMPTS):
        try:
            if database.running:
                return await base_backup.take(software, home, database.folder, target, progress)
            if await _at_rest(database, lambda: base_backup.pack(home, database.files, target)):
                return None
        except DrillError:
            if database.running:
                raise
        # The server was stopped, or started, in the middle of it.
        await asyncio.to_thread(home.do, "rm", "-rf", str(target))
        await asyncio.to_thread(home.do, "mkdir", "-m", "700", str(target))
    raise _restless(database)


async def clone(database: Database, target: Path) -> None:
    """Copy a database's files into a folder that is not there yet, to be started alone.

    Raises:
        DrillError: It failed.

    """
    home, software = database.ground.home, database.ground.software
    for _ in range(ATTEMPTS):
        try:
            if database.running:
                await base_backup.copy(software, home, database.folder, target)
                break
            if await _at_rest(database, lambda: home.do("cp", "-a", str(database.files), str(target))):
                break
        except DrillError:
            if database.running:
                raise
        await asyncio.to_thread(home.do, "rm", "-rf", str(target))
    else:
        raise _restless(database)
    await asyncio.to_thread(base_backup.stand_alone, home, target)


async def _at_rest(database: Database, act: Callable[[], object]) -> bool:
    """Do something to a database's files while no server runs over them; returns whether none did."""

    async def unless_running() -> bool:
        if database.running:
            return False
        await asyncio.to_thread(act)
        return True

    return await database.order(unless_running)


def _restless(database: Database) -> DrillError:
    return DrillError(f"{database.cluster.id} was stopped and started while it was copied; try again")


async def lay_follower(leader: Database, target: Path) -> None:
    """Copy a database's files into a folder that is not there yet, to be started as its follower.

    Raises:
        DrillError: It failed.

    """
    await clone(leader, target)
    await asyncio.to_thread(base_backup.follow_from, leader.ground.home, target, leader.folder)


async def restart(database: Database) -> None:
    """End a database's server as in a crash; it is started again at once.

    Raises:
        DrillError: The database is gone.

    """

    async def act() -> None:
        await database.stop(signal.SIGQUIT)

    await database.order(act)


async def halt(database: Database, first: signal.Signals) -> str:
    """Stop a database's server until :func:`resume` or :func:`lead`; returns where its log ends.

    With ``SIGINT`` it ends when those that follow it have received all that it wrote.

    Raises:
        DrillError: The database is gone.

    """

    async def act() -> str:
        database.halted = True
        await database.stop(first)
        ground = database.ground
        return await asyncio.to_thread(
            base_backup.checkpoint_of, ground.software, ground.home, database.files
        )

    return str(await database.order(act))


async def resume(database: Database) -> None:
    """Run a halted database again, as before.

    Raises:
        DrillError: The database is gone.

    """

    async def act() -> None:
        database.halted = False

    await database.order(act)


async def streaming(follower: Database) -> None:
    """Wait until a follower receives what its leader writes.

    Raises:
        DrillError: It took too long.

    """
    await _until(follower, "SELECT count(*) = 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'")


async def catch_up(follower: Database, position: str) -> None:
    """Wait until a follower has replayed its leader's log beyond a position.

    Raises:
        DrillError: It took too long.

    """
    await _until(follower, f"SELECT pg_last_wal_replay_lsn() > {literal(position)}::pg_lsn")


async def _until(follower: Database, question: str) -> None:
    deadline = asyncio.get_running_loop().time() + CAUGHT_UP_WITHIN_S
    while not follower.running or (await follower.ask(question))[0][0] is not True:
        if asyncio.get_running_loop().time() > deadline:
            msg = f"{follower.cluster.id} did not catch up in {CAUGHT_UP_WITHIN_S:.0f} s; try again"
            raise DrillError(msg)
        await asyncio.sleep(_POLL_S)


async def promote(follower: Database) -> None:
    """Have a follower take writes, with what has arrived so far.

    Raises:
        DrillError: It did not, or is gone.

    """

    async def act() -> None:
        if follower.running:
            await follower.ask("SELECT pg_promote(true, 60)")
        await asyncio.to_thread(base_backup.stand_alone, follower.ground.home, follower.files)
        follower.take_writes()

    await follower.order(act)


async def lead(leader: Database, former: Database, *, afresh: bool) -> None:
    """Have a halted database follow another one, and run.

    Args:
        leader: The one that takes writes.
        former: The one that is halted.
        afresh: Copy everything; otherwise what ``former`` has is a part of the leader's history.

    Raises:
        DrillError: It can't be copied, or one is gone.

    """
    home = former.ground.home

    async def act() -> None:
        if afresh:
            await asyncio.to_thread(home.do, "rm", "-rf", str(former.files))
            await lay_follower(leader, former.files)
        else:
            await asyncio.to_thread(base_backup.follow_from, home, former.files, leader.folder)
        former.follows, former.halted = True, False

    await former.order(act)
