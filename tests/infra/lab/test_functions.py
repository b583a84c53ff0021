import asyncio
import dataclasses
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.lab import functions, world
from tests.infra.lab.functionlab import make_function, running
from tests.infra.lab.processes import alive, until


def test_a_free_process_is_used_again(tmp_path: Path) -> None:
    """The second invocation meets the process of the first one, and its start is in the truth log."""

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            first, second = await lab.invoke(), await lab.invoke()
            assert first["pid"] == second["pid"]
            assert (first["calls"], second["calls"]) == (1, 2)
            assert first["arn"] == make_function().arn
            assert 0 < second["left_ms"] <= 5000
            (start,) = lab.starts()
            assert (start["kind"], start["provisioned"]) == ("function_started", False)

    asyncio.run(scenario())


def test_a_process_handles_one_invocation_at_a_time(tmp_path: Path) -> None:
    """Invocations at the same time meet a process each."""

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            calls = [lab.invoke(do="sleep", seconds=2) for _ in range(2)]
            answers = await asyncio.gather(*calls)
            assert len({answer["pid"] for answer in answers}) == 2
            assert [answer["calls"] for answer in answers] == [1, 1]

    asyncio.run(scenario())


def test_who_waits_for_a_start_takes_what_is_free_before(tmp_path: Path) -> None:
    """With no turn to start, an invocation is served by the process that the one before it gives back."""

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            first = await lab.invoke()
            while not lab.functions._starts.locked():
                await lab.functions._starts.acquire()
            crowd = [lab.invoke(do="sleep", seconds=0.1) for _ in range(5)]
            assert {answer["pid"] for answer in await asyncio.gather(*crowd)} == {first["pid"]}
            assert len(lab.starts()) == 1

    asyncio.run(scenario())


def test_code_that_is_no_archive_is_an_error(tmp_path: Path) -> None:
    """A function whose code can't be unpacked fails each invocation with the reason."""

    async def scenario() -> None:
        async with running(tmp_path, make_function(code=b"no zip")) as lab:
            for _ in range(2):
                error, answer = await lab.invoke()
                assert error == "Unhandled"
                assert answer["errorMessage"].startswith("Could not unzip uploaded file")

    asyncio.run(scenario())


def test_invocations_beyond_the_limit_are_throttled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many invocations under way as are allowed, one more gets status 429."""
    monkeypatch.setattr(functions, "LIMIT", 1)

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            await lab.invoke()
            busy = asyncio.create_task(lab.invoke(do="sleep", seconds=1))
            await until(lambda: bool(lab.functions._running))
            got = await asyncio.to_thread(lab.functions.invoke, "us-east-1", "shop", "", b"{}")
            assert (got.status, got.error) == (429, "TooManyRequestsException")
            await busy
            assert (await lab.invoke())["calls"] == 3

    asyncio.run(scenario())


def test_what_a_handler_raises_is_an_error_with_its_payload(tmp_path: Path) -> None:
    """An exception is ``Unhandled`` and carries its type, and the process lives on."""

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            error, answer = await lab.invoke(do="raise")
            assert (error, answer["errorType"], answer["errorMessage"]) == (
                "Unhandled",
                "ValueError",
                "told to",
            )
            assert (await lab.invoke())["calls"] == 2

    asyncio.run(scenario())


def test_a_timed_out_process_is_killed(tmp_path: Path) -> None:
    """At the function's time-out the process ends, the error says so, and the next start is cold."""

    async def scenario() -> None:
        async with running(tmp_path, make_function(timeout_s=1.0)) as lab:
            before = await lab.invoke()
            error, answer = await lab.invoke(do="sleep", seconds=30)
            assert error == "Unhandled"
            assert answer["errorMessage"].endswith("Task timed out after 1.00 seconds")
            assert not alive(before["pid"])
            assert (await lab.invoke())["calls"] == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(("do", "how"), [("die", "signal: SIGKILL"), ("exit", "exit status 7")])
def test_a_crash_is_an_exit_error(do: str, how: str, tmp_path: Path) -> None:
    """A process that ends in an invocation is reported with how it ended, and is replaced."""

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            error, answer = await lab.invoke(do=do)
            assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
            assert answer["errorMessage"].endswith(how)
            assert (await lab.invoke())["calls"] == 1

    asyncio.run(scenario())


def test_a_broken_module_is_an_init_error(tmp_path: Path) -> None:
    """Code that can't be imported gives the runtime client's own error."""

    async def scenario() -> None:
        broken = make_function(source="import nothing_of_this_name")
        async with running(tmp_path, broken) as lab:
            error, answer = await lab.invoke()
            assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")

    asyncio.run(scenario())


def test_what_does_not_exist_is_not_found(tmp_path: Path) -> None:
    """An unknown function or qualifier gives status 404."""

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            got = await asyncio.to_thread(lab.functions.invoke, "us-east-1", "shop", "live", b"{}")
            assert (got.status, got.error) == (404, "ResourceNotFoundException")

    asyncio.run(scenario())


def test_a_function_is_found_before_the_next_look_at_the_control_plane(tmp_path: Path) -> None:
    """A function created a moment ago can be invoked at once."""

    async def scenario() -> None:
        async with running(tmp_path) as lab:
            lab.control.held = world.Snapshot(functions=(make_function(),))
            assert (await lab.invoke())["calls"] == 1

    asyncio.run(scenario())


def test_an_alias_leads_to_its_version(tmp_path: Path) -> None:
    """A qualifier is resolved through the aliases, and follows one that moves."""

    async def scenario() -> None:
        old = make_function(version="1", source="def handle(event, context): return 'old'")
        new = make_function(version="2", source="def handle(event, context): return 'new'")
        alias = world.FunctionAlias("shop", "us-east-1", "live", "1")
        async with running(tmp_path, old, new, aliases=(alias,)) as lab:
            assert await lab.invoke("live") == "old"
            moved = dataclasses.replace(alias, version="2")
            lab.functions.reconcile(world.Snapshot(functions=(old, new), aliases=(moved,)))
            assert await lab.invoke("live") == "new"
            assert await lab.invoke("1") == "old"

    asyncio.run(scenario())


def test_new_code_replaces_running_processes(tmp_path: Path) -> None:
    """After an update no invocation meets a process of the old code."""

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            old = await lab.invoke()
            updated = make_function(source="def handle(event, context): return 'updated'")
            lab.functions.reconcile(world.Snapshot(functions=(updated,)))
            assert await lab.invoke() == "updated"
            await until(lambda: not alive(old["pid"]))

    asyncio.run(scenario())


def test_provisioned_processes_are_warm_before_they_are_needed(tmp_path: Path) -> None:
    """They are reported when warm, are met first, and are replaced when they die."""

    async def scenario() -> None:
        warm = make_function(version="1", provisioned=2)
        async with running(tmp_path, warm) as lab:
            await until(lambda: bool(lab.control.ready) and lab.control.ready[-1] == 2)
            starts = len(lab.starts())
            assert starts == 2
            answers = await asyncio.gather(*(lab.invoke("1", do="sleep", seconds=1) for _ in range(2)))
            assert [answer["calls"] for answer in answers] == [1, 1]
            assert len(lab.starts()) == starts
            assert (await lab.invoke("1", do="environment"))["AWS_LAMBDA_INITIALIZATION_TYPE"] == (
                "provisioned-concurrency"
            )
            await lab.invoke("1", do="die")
            await until(lambda: len(lab.starts()) == 3)
            await until(lambda: lab.control.ready[-1] == 2)
            assert 1 in lab.control.ready[2:]

    asyncio.run(scenario())


def test_free_processes_end_after_a_while(tmp_path: Path) -> None:
    """A process that was free for the idle time is ended; a provisioned one is not."""

    async def scenario() -> None:
        warm = make_function(version="1", provisioned=1)
        async with running(tmp_path, make_function(), warm, idle_s=0.5) as lab:
            free, kept = await lab.invoke(), await lab.invoke("1")
            await until(lambda: not alive(free["pid"]))
            assert alive(kept["pid"])

    asyncio.run(scenario())


def test_a_process_sees_only_what_lambda_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment has the function's variables and Lambda's, and nothing of the daemon's but PATH."""
    monkeypatch.setenv("SECRET_OF_THE_DAEMON", "x")
    monkeypatch.setenv("AWS_PROFILE", "x")

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            got = await lab.invoke(do="environment")
            assert got["GREETING"] == "hello"
            assert got["AWS_REGION"] == got["AWS_DEFAULT_REGION"] == "us-east-1"
            assert got["AWS_ENDPOINT_URL"] == "http://us-east-1"
            assert got["AWS_LAMBDA_FUNCTION_NAME"] == "shop"
            assert got["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
            assert not {"SECRET_OF_THE_DAEMON", "AWS_PROFILE"} & got.keys()

    asyncio.run(scenario())


def test_output_goes_to_the_functions_log(tmp_path: Path) -> None:
    """What a handler prints is in the log of its function."""

    async def scenario() -> None:
        source = "def handle(event, context): print('spoken'); return 1"
        async with running(tmp_path, make_function(source=source)) as lab:
            await lab.invoke()
            assert "spoken" in (tmp_path / "function-us-east-1-shop.log").read_text()

    asyncio.run(scenario())


def test_invoking_in_the_loop_is_refused(tmp_path: Path) -> None:
    """The blocking call refuses to block the loop that it waits for."""

    async def scenario() -> None:
        async with running(tmp_path, make_function()) as lab:
            with pytest.raises(RuntimeError, match="await run"):
                lab.functions.invoke("us-east-1", "shop", "", b"{}")
            assert json.loads((await lab.functions.run("us-east-1", "shop", "", b"{}")).payload)["calls"] == 1

    asyncio.run(scenario())


def test_closing_ends_processes_and_waiting_callers(tmp_path: Path) -> None:
    """An invocation under way ends with an error and its process is gone."""

    async def scenario() -> int:
        with ThreadPoolExecutor(1) as threads:
            async with running(tmp_path, make_function()) as lab:
                pid = int((await lab.invoke())["pid"])
                event = b'{"do": "sleep", "seconds": 30}'
                waiting = threads.submit(lab.functions.invoke, "us-east-1", "shop", "", event)
                await until(lambda: bool(lab.functions._running))
            assert waiting.result(timeout=5).error == "Unhandled"
            assert lab.functions.invoke("us-east-1", "shop", "", b"{}").status == 503
            return pid

    assert not alive(asyncio.run(scenario()))


DAEMON = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.infra.lab.functionlab import make_function, running

async def main():
    async with running(Path({state!r}), make_function()) as lab:
        print((await lab.invoke())["pid"], flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_killed_daemon_leaves_no_function(tmp_path: Path) -> None:
    """SIGKILL of the daemon ends its functions' processes."""
    code = DAEMON.format(root=str(Path(__file__).parents[3]), state=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        pid = int(daemon.stdout.readline())
        assert alive(pid)
        daemon.kill()
    deadline = time.monotonic() + 20
    while alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
