"""The engine's recovery procedure: awaited, timed, judged, and undone with the rest."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drill import journal, plan, runs, target
from drill.aws import Aws
from drill.errors import UsageError
from drill.model import History, Outcome
from drill.scenario import Step
from drill.stop import Stop
from drill.target import Target
from tests.drill.recovery.plugin import MADE, NEVER_S, REFUSED_NAME, MadeQueue, RecoveringParams
from tests.drill.recovery.running import REGIONS, TIMING, Procedure, Told, made, queues, run, undone
from tests.faultmatrix.proxy import Kind, Proxy, Request, Weather

WAIT_S = 120


def test_a_step_is_awaited_and_timed_as_an_interval(where: Target, tmp_path: Path) -> None:
    """It was ready at a known instant: the interval has it, and the next step waits for it."""
    ready: list[int] = []

    class Watched(Told):
        def said(self, line: str) -> None:
            if line.startswith("complete: first"):
                (url,) = [url for url in self.urls() if "/first-" in url]
                tags = Aws.of(where).client("sqs", REGIONS[1]).list_queue_tags(QueueUrl=url)["Tags"]
                ready.append(int(tags[MADE]) + round(1.5e9))

        @staticmethod
        def urls() -> list[str]:
            found: list[str] = Aws.of(where).client("sqs", REGIONS[1]).list_queues()["QueueUrls"]
            return found

    steps = (
        Step("first", MadeQueue("first", ready_after_s=1.5)),
        Step("second", MadeQueue("second"), needs=("first",)),
    )
    record = run(Procedure(followed=steps), where, tmp_path / "runs", Watched())

    assert (Outcome.MET, 0) == (record.outcome, record.exit_code), record.reason
    first, second = (made(record)[name] for name in ("first", "second"))
    assert first.ready is not None
    assert first.sent_ns is not None
    assert second.sent_ns is not None
    assert first.ready.earliest_ns <= ready[0] <= first.ready.latest_ns <= second.sent_ns
    assert first.ready.earliest_ns > first.sent_ns  # the looks before have narrowed it
    assert second.ready is not None
    assert second.ready.earliest_ns == second.sent_ns  # nobody saw it incomplete
    assert ["break", "first", "second"] == [mark.step for mark in record.marks.steps]
    assert [False, True, True] == [mark.ready is not None for mark in record.marks.steps]
    assert [False, True, True] == [action.recovery for action in record.actions]
    assert [] == queues(where)


@pytest.mark.parametrize("broken", [True, False], ids=["after a fault", "declared"])
def test_a_refused_step_is_a_breach_with_its_reason(where: Target, tmp_path: Path, broken: bool) -> None:
    """AWS said no to the procedure under test: it does not work, whether or not a fault came before."""
    injected = Procedure.injected if broken else ()
    steps = (Step("first", MadeQueue("first")), Step("second", MadeQueue(REFUSED_NAME)))
    record = run(Procedure(injected, (*steps, Step("third", MadeQueue("third")))), where, tmp_path / "runs")

    assert (Outcome.BREACHED, 1) == (record.outcome, record.exit_code), record.reason
    assert "the recovery failed: second: " in record.reason
    assert "InvalidParameterValue" in record.reason
    assert "third" not in made(record)
    assert record.rolled_back
    assert [] == queues(where)


def test_a_step_that_fails_while_it_is_awaited_is_a_breach(where: Target, tmp_path: Path) -> None:
    """It was taken and then failed, as a restore may: the reason is the fault's own."""
    steps = (Step("first", MadeQueue("first", fails=True)),)
    record = run(Procedure(followed=steps), where, tmp_path / "runs")

    assert (Outcome.BREACHED, 1) == (record.outcome, record.exit_code)
    assert "first: queue first is broken" in record.reason
    assert [] == queues(where)


def test_a_step_that_is_not_ready_by_the_deadline_is_a_breach(where: Target, tmp_path: Path) -> None:
    """The drill gives it up at the deadline, and puts everything back."""
    hasty = where.model_copy(update={"timing": TIMING.model_copy(update={"deadline_s": 0.5})})
    steps = (Step("first", MadeQueue("first", ready_after_s=NEVER_S)),)
    record = run(Procedure((), steps), hasty, tmp_path / "runs")

    assert (Outcome.BREACHED, 1) == (record.outcome, record.exit_code), record.reason
    assert "first: not complete by the deadline" in record.reason
    assert record.marks.deadline_passed
    assert [] == queues(where)


def test_a_lost_answer_is_inconclusive(where: Target, tmp_path: Path) -> None:
    """Nobody knows whether the step was made: nothing is said of the procedure, and all is undone."""
    assert where.endpoint_url is not None

    def of_first(request: Request) -> bool:
        return request.action == "CreateQueue" and b"first-" in request.body

    with Proxy(where.endpoint_url, Weather(rate=1.0, kinds=(Kind.RESET_AFTER,), until=of_first)) as proxy:
        told = Told(at={"unknown: ": lambda: proxy.set(Weather())})
        steps = (Step("first", MadeQueue("first")), Step("second", MadeQueue("second")))
        through = where.model_copy(update={"endpoint_url": proxy.url})
        record = run(Procedure(followed=steps), through, tmp_path / "runs", told)

    assert (Outcome.INCONCLUSIVE, 2) == (record.outcome, record.exit_code), record.reason
    assert "The drill did not go as planned: first: " in record.reason
    assert ("unknown", "undone") == (made(record)["first"].status, made(record)["first"].undo_status)
    assert "second" not in made(record)
    assert [] == queues(where)


def test_a_lost_look_is_looked_again(where: Target, tmp_path: Path) -> None:
    """While a step is awaited an answer may be lost: nothing was decided by it."""
    assert where.endpoint_url is not None
    lost = Weather(
        rate=1.0, kinds=(Kind.RESET_BEFORE,), until=lambda request: request.action == "GetQueueUrl"
    )
    with Proxy(where.endpoint_url) as proxy:
        calmed: list[int] = []

        class Looking(Told):
            def seen(self, history: History) -> None:
                if proxy.injected:
                    calmed.append(proxy.injected.total())
                    proxy.set(Weather())

        told = Looking(at={"injected: queue first": lambda: proxy.set(lost)})
        through = where.model_copy(update={"endpoint_url": proxy.url})
        record = run(
            Procedure(followed=(Step("first", MadeQueue("first")),)), through, tmp_path / "runs", told
        )

    assert (Outcome.MET, 0) == (record.outcome, record.exit_code), record.reason
    assert len(calmed) == 1


def test_a_stop_in_the_middle_rolls_back_last_in_first_out(where: Target, tmp_path: Path) -> None:
    """What the procedure made is undone with the fault, the last first; nothing more is begun."""
    stop = Stop()
    told = Told(at={"injected: queue second": lambda: stop.ask("the tester said so")})
    steps = tuple(
        Step(name, MadeQueue(name, ready_after_s=NEVER_S if name == "second" else 0.0))
        for name in ("first", "second", "third")
    )
    record = run(Procedure(followed=steps), where, tmp_path / "runs", told, stop)

    assert (Outcome.INCONCLUSIVE, 5) == (record.outcome, record.exit_code), record.reason
    assert ["second", "first", "break"] == undone(tmp_path / "runs", record.run_id)
    assert "third" not in made(record)
    assert made(record)["second"].ready is None
    assert [] == queues(where)


def test_a_fault_that_does_not_bite_begins_no_procedure(where: Target, tmp_path: Path) -> None:
    """There is nothing to recover from: inconclusive, and no step of the procedure was made."""

    class Blunt(Procedure):
        def took_effect(self, target: Target, params: RecoveringParams, history: History) -> bool:
            return False

    hasty = where.model_copy(update={"timing": TIMING.model_copy(update={"deadline_s": 0.3})})
    record = run(Blunt(followed=(Step("first", MadeQueue("first")),)), hasty, tmp_path / "runs")

    assert (Outcome.INCONCLUSIVE, 2) == (record.outcome, record.exit_code)
    assert ["break"] == list(made(record))


@pytest.mark.parametrize(("may_take_s", "left"), [(30.0, False), (0.0, True)])
def test_an_undo_may_take_as_long_as_its_fault_says(
    where: Target, tmp_path: Path, may_take_s: float, left: bool
) -> None:
    """A deletion shows later than the target's ``effect_s``: awaited if the fault says so, else told of."""
    hasty = where.model_copy(update={"timing": TIMING.model_copy(update={"effect_s": 0.1})})
    queue = MadeQueue("first", gone_after_s=1.0, undo_may_take_s=may_take_s)
    record = run(Procedure(followed=(Step("first", queue),)), hasty, tmp_path / "runs")

    assert left is not record.rolled_back
    assert (3 if left else 0) == record.exit_code
    assert ["first"] * left == [name.partition("-")[0] for name in queues(where)]


def test_a_killed_drill_is_put_back_between_two_steps(where: Target, tmp_path: Path) -> None:
    """The runner dies when the first step is complete and the second not begun: its watchdog undoes both."""
    root, file = tmp_path / "runs", tmp_path / "target.yaml"
    target.dump(where, file)
    command = [
        sys.executable,
        "-m",
        "drill",
        "run",
        "recovering",
        "--pause-s",
        "600",
        "--unchecked-permissions",
    ]
    runner = subprocess.Popen(
        [*command, "--target", str(file), "--runs", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        _await(lambda: "ready" in _kinds(root), runner)
    finally:
        os.kill(runner.pid, signal.SIGKILL)
        runner.communicate()
    left = queues(where)
    _await(lambda: not runs.unfinished(root))

    assert ["broken", "first"] == sorted(name.partition("-")[0] for name in left)
    (folder,) = runs.folders(root)
    assert ["first", "break"] == undone(root, folder.name)
    assert [] == queues(where)


def _kinds(root: Path) -> list[str]:
    return [
        entry.kind
        for folder in runs.folders(root)
        if (folder / journal.FILE).exists() and (folder / journal.FILE).read_bytes()
        for entry in journal.read(folder)
    ]


def _await(holds: Callable[[], bool], process: "subprocess.Popen[bytes] | None" = None) -> None:
    until = time.monotonic() + WAIT_S
    while not holds():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("needs", ["nothing-of-the-kind", "second", "third"])
def test_a_step_needs_what_came_before(where: Target, needs: str) -> None:
    """A step can only use what an earlier one made: not itself, and none that comes later."""
    steps = (
        Step("first", MadeQueue("first")),
        Step("second", MadeQueue("second"), needs=(needs,)),
        Step("third", MadeQueue("third")),
    )

    with pytest.raises(UsageError, match=f"step second needs {needs}, which is no earlier step"):
        plan.make(Procedure(followed=steps), RecoveringParams(), where)


def test_a_step_of_the_procedure_may_need_an_injection(where: Target) -> None:
    """The injections come before the procedure, and the plan keeps what is needed."""
    made = plan.make(
        Procedure(followed=(Step("first", MadeQueue("first"), needs=("break",)),)), RecoveringParams(), where
    )

    assert [("break",)] == [step.needs for step in made.recovery]
