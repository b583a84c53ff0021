"""The one impure loop: the life of a drill, step by step.

Plan and guards come first and touch nothing. From the first injection on the rollback runs
whatever happens: success, deadline, stop condition, exception or signal.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from drill import abort, assemble, clock, evidence, guard, lease, record, rollback, runs
from drill.actions import Actions
from drill.assemble import Happened
from drill.aws import Aws
from drill.errors import DrillError, Refused, RollbackIncomplete
from drill.journal import Journal, Writer
from drill.lease import Lease
from drill.model import Between, History, Marks
from drill.observations import Store
from drill.order import Order
from drill.probes.contract import Context
from drill.probes.process import Sampler
from drill.progress import Progress, Steadfast
from drill.read_back import ReadBack
from drill.record import Record
from drill.scenario import Step
from drill.steps import Steps
from drill.stop import Stop, on_signals
from drill.stop_conditions import StopConditions
from drill.versions import versions
from drill.watch import Watch
from drill.watchdog import Watchdog

_LOG = structlog.get_logger()


def run(order: Order, aws: Aws, progress: Progress, stop: Stop | None = None) -> Record:
    """Run a drill from guards to record.

    Returns:
        The record, which is in the run's folder too.

    Raises:
        Refused: A guard said no; nothing was touched.
        DrillError: The run's folder, journal or probes could not be made; nothing was touched.

    """
    stop = stop or Stop()
    progress = Steadfast(progress)
    target = order.plan.target
    run_id = order.run_id or runs.new_id(order.plan)
    # The lease comes first: what a drill under way has not undone yet is no leftover.
    with on_signals(stop), contextlib.ExitStack() as stack:
        progress.phase("guard", "checking that it may begin")
        try:
            held = stack.enter_context(lease.taken(order.runs, target, aws, run_id))
        except Refused as problem:
            raise _refused(order, aws, str(problem)) or problem from problem
        refused = _refused(order, aws, "")
        if refused:
            raise refused
        folder = runs.create(order.runs, run_id, order.plan)
        writer = Writer.own(held.fence, held.check)
        with Journal.create(folder, order.plan.scenario, target.name, writer) as log:
            drill = _Drill(order, aws.fenced(held.check), progress, stop, folder, held, log)
            happened = drill.live()
        try:
            finished = assemble.record(order, happened, drill.watch.last())
            record.write(finished, folder / runs.RECORD)
            _seal(folder, progress)
        except Exception as problem:
            drill.complain(problem)
            raise
        finally:
            drill.watch.close()
        return finished


def _seal(folder: Path, progress: Progress) -> None:
    """Write the manifest; without one the drill is as good, and only harder to prove."""
    try:
        evidence.seal(folder)
    except DrillError as problem:
        progress.said(f"no manifest was made: {problem}")


def _refused(order: Order, aws: Aws, lease_refusal: str) -> Refused | None:
    """Ask all guards at once, and return what they refuse together."""
    asked = guard.Asked(order.plan, order.runs, order.confirmed, lease=lease_refusal)
    refusals = guard.check(asked, aws)
    told = "; ".join(f"{refusal.guard}: {refusal.why}" for refusal in refusals)
    return Refused(told) if refusals else None


class _Drill:
    """One drill under way."""

    def __init__(  # noqa: PLR0913 (what a drill holds while it runs)
        self,
        order: Order,
        aws: Aws,
        progress: Progress,
        stop: Stop,
        folder: Path,
        held: Lease,
        log: Journal,
    ) -> None:
        self._order, self._aws, self._progress, self._stop = order, aws, progress, stop
        self._folder, self._lease, self._journal = folder, held, log
        self._target = order.plan.target
        self._timing = order.plan.target.timing
        self._actions = Actions()
        self._steady_before = False
        self._took_effect: bool | None = None
        self._failed = ""
        self._recovery_failed = ""
        self._watchdog: Watchdog | None = None
        self._stops: StopConditions | None = StopConditions(order.plan, aws)
        self._due = clock.wall_in(0)
        self._steps = Steps(aws, self._target, folder.name, log, held, self._actions, progress)
        specs = order.plan.probes
        store = Store.create(folder / runs.OBSERVATIONS)
        self._started = clock.now()
        self._context = Context.of(self._target, folder.name)
        self._sampler = Sampler.start(specs, self._context, folder / runs.OBSERVATIONS)
        self.watch = Watch(store, specs, Marks(self._started.monotonic_ns))
        self._read_back = ReadBack(order.plan, self._context, self.watch)

    def live(self) -> Happened:
        """Watch, break, watch, put back, watch; return what happened.

        Raises:
            RollbackIncomplete: Something else failed, and not everything was put back.

        """
        try:
            try:
                self._tried(self._break_and_watch)
            finally:
                self._roll_back()
            self._tried(self._settle)
        except Exception as problem:
            self.complain(problem)
            raise
        finally:
            self._end_probes()
            if self._watchdog is not None:
                self._watchdog.dismiss()
        return Happened(
            run_id=self._folder.name,
            started=self._started,
            ended=clock.now(),
            versions=versions(),
            steady_before=self._steady_before,
            took_effect=self._took_effect,
            failed=self._failed,
            recovery_failed=self._recovery_failed,
            stopped_by=self._stop.reason,
            interrupted=self._stop.interrupted,
            actions=self._actions.listed(),
            rolled_back=not self._left(),
        )

    def complain(self, problem: Exception) -> None:
        """Let what is still broken go before whatever else went wrong.

        Raises:
            RollbackIncomplete: A step is not known to be undone.

        """
        left = self._left()
        if left:
            folder = self._folder
            msg = (
                f"still broken: {', '.join(left)}; put back with: {runs.rollback_command(folder)} ({problem})"
            )
            raise RollbackIncomplete(msg) from problem

    def _left(self) -> list[str]:
        """Return what is not known to be undone."""
        armed = [rollback.DISARMING] if self._journal.armed() else []
        return [step.step for step in self._journal.pending()] + armed

    def _tried(self, part: Callable[[], None]) -> None:
        """Do a part of the drill; a failure that a person can act on goes into the record, not past it."""
        try:
            part()
        except DrillError as problem:
            self._failed = self._failed or str(problem)

    def _break_and_watch(self) -> None:
        self._await_steady()
        if self._steady_before and not self._stop.asked:
            self._watchdog = Watchdog.start(self._folder, self._timing.lease_s)
            self._inject()
            if not (self._failed or self._stop.asked):
                self._observe()

    def _await_steady(self) -> None:
        """Wait until the steady state has held for the whole warm-up."""
        self._enter("warm-up", "the steady state must hold before anything is touched")
        window_s = self._timing.warm_up_s
        self._steady_before = self._steady_for(window_s, window_s + self._timing.effect_s)

    def _inject(self) -> None:
        """Capture, journal the undo, inject; for every step, in order."""
        self._enter("inject", "breaking it")
        scenario, params = self._order.scenario, self._order.params
        steps = scenario.steps(self._target, params)
        self._due = clock.wall_in(self._at_most_s((*steps, *scenario.recovery(self._target, params))))
        first_ns = clock.monotonic_ns()
        for step in steps:
            if self._must_stop():
                break
            self._failed = self._steps.make(step, self._due)
            if step.prepares and not self._failed:
                self._failed = self._steps.complete(step, self._until_ns((step,)), self._goes_on)
            if self._failed:
                break
            self._wait(lambda _: False, step.then_wait_s)
            if step.prepares:
                first_ns = clock.monotonic_ns()
        injected = Between(first_ns, clock.monotonic_ns())
        self._mark_steps()
        self.watch.marks = replace(self.watch.marks, injected=injected)

    def _at_most_s(self, steps: Sequence[Step]) -> float:
        """Return how long after now everything should be undone, whatever happens."""
        timing = self._timing
        every_s = sum(
            step.then_wait_s + 3 * timing.effect_s + step.within_s + step.prepares * timing.deadline_s
            for step in steps
        )
        return every_s + timing.deadline_s + timing.effect_s + timing.lease_s

    def _until_ns(self, steps: Sequence[Step]) -> int:
        """Return when it is given up that steps, begun now, have come to what is awaited of them."""
        longer_s = sum(step.within_s for step in steps)
        return clock.monotonic_ns() + round((self._timing.deadline_s + longer_s) * 1e9)

    def _observe(self) -> None:
        """Watch until the awaited recovery has come, or the deadline has."""
        self._enter("observe", "waiting for the recovery")
        scenario, params = self._order.scenario, self._order.params
        until_ns = self._until_ns(scenario.recovery(self._target, params))

        def bit(history: History) -> bool:
            self._took_effect = self._took_effect or scenario.took_effect(self._target, params, history)
            return self._took_effect

        def recovered(history: History) -> bool:
            return bit(history) and scenario.ended(self._target, params, history)

        self._took_effect = False
        ended = self._recover(bit, until_ns) and self._wait(recovered, self._left_s(until_ns))
        if self._failed:
            return
        bit(self.watch.look())  # a procedure that failed at once was not looked beyond
        if ended or not self._stop.asked:
            now_ns = clock.monotonic_ns()
            self.watch.marks = replace(self.watch.marks, recovery_ended_ns=now_ns, deadline_passed=not ended)
            self._read_stores(self._order.plan.ledger_stores)

    def _read_stores(self, stores: Sequence[str]) -> None:
        """Read what stores hold at cutover, each once."""
        for store in stores:
            if not any(read.store == store for read in self.watch.ledgers):
                self._progress.said(f"reading the {store} ledger")
                self._read_back.at_cutover(store)

    def _recover(self, bit: Callable[[History], bool], until_ns: int) -> bool:
        """Follow the recovery procedure under test, once the fault took effect; say whether none failed."""
        scenario, params = self._order.scenario, self._order.params
        procedure = scenario.recovery(self._target, params)
        if not procedure:
            return True
        broken = any(not step.prepares for step in scenario.steps(self._target, params))
        if broken and not self._wait(bit, self._left_s(until_ns)):
            return True
        self._enter("recover", "following the recovery procedure")
        for step in procedure:
            if self._must_stop():
                return True
            why = self._steps.make(step, self._due, recovery=True)
            refused = self._actions.refused(step)
            # A disaster that was only declared shows by what the procedure does, also by that it can't.
            self._took_effect = self._took_effect or (refused and not broken)
            if why and not refused:
                self._failed = why  # nobody knows whether the procedure would have gone on
            elif not why:
                why = self._steps.complete(step, until_ns, self._goes_on)
            self._mark_steps()
            if why:
                self._recovery_failed = "" if self._failed else why
                return False
            self._read_stores(step.verifies)
            self._wait(lambda _: False, step.then_wait_s)
        return True

    def _goes_on(self) -> bool:
        self._progress.seen(self.watch.look())
        self._stop.wait(self._timing.poll_s)
        return not self._must_stop()

    def _mark_steps(self) -> None:
        self.watch.marks = replace(self.watch.marks, steps=self._actions.marks())

    def _roll_back(self) -> None:
        """Undo everything that was intended, the last first, and check each."""
        self._stops = None  # from here on stopping would change nothing
        if not self._left():
            self._journal.mark_closed()
            return
        try:
            # A journal or a log that can't be written must not keep the rollback from running.
            with contextlib.suppress(DrillError, OSError):
                self._enter("roll back", "putting everything back")
        finally:  # nor must a bug of whoever is told
            self._undo()

    def _undo(self) -> None:
        sent_ns = clock.monotonic_ns()
        undone = rollback.roll_back(self._journal, self._aws, self._target, self._folder.name, self._lease)
        self.watch.marks = replace(self.watch.marks, undone=Between(sent_ns, clock.monotonic_ns()))
        for one in undone:
            self._actions.undone(one)
            self._progress.said(one.said)

    def _settle(self) -> None:
        """Wait until the steady state holds again, and read the stores a second time."""
        if not self._actions.listed() or self._stop.asked or not self._sampler.alive:
            return
        self._enter("settle", "waiting for the steady state")
        if self._steady_for(self._timing.settle_s, self._timing.failback_s):
            self.watch.marks = replace(self.watch.marks, settled_ns=clock.monotonic_ns())
            self._once_resumed()

    def _end_probes(self) -> None:
        try:
            self._sampler.stop()
        except DrillError as problem:
            # The system is back as it was; what the probes saw is judged without the part that is missing.
            self._stop.ask(str(problem))

    def _once_resumed(self) -> None:
        """Read every store back, and again until what was missing is there."""
        until_ns = clock.monotonic_ns() + round(self._timing.failback_s * 1e9)

        def goes_on() -> bool:
            self._stop.wait(self._timing.poll_s)
            return clock.monotonic_ns() < until_ns and not self._must_stop()

        for store in self._order.plan.ledger_stores:
            self._progress.said(f"reading the {store} ledger")
            self._read_back.once_resumed(store, goes_on)

    def _steady_for(self, window_s: float, at_most_s: float) -> bool:
        """Wait until the steady state has held for a whole window that begins no earlier than now."""
        began_ns = clock.monotonic_ns()

        def held(history: History) -> bool:
            since_ns = max(began_ns, clock.monotonic_ns() - round(window_s * 1e9))
            whole = self._elapsed_s(began_ns) >= window_s
            return whole and self._order.scenario.steady(self._target, history, since_ns, window_s)

        return self._wait(held, at_most_s)

    def _wait(self, holds: Callable[[History], bool], at_most_s: float) -> bool:
        """Look until ``holds``, the time is over or somebody asks to stop; return whether it held."""
        began_ns = clock.monotonic_ns()
        while True:
            history = self.watch.look()
            self._progress.seen(history)
            if holds(history):
                return True
            if self._elapsed_s(began_ns) >= at_most_s or self._must_stop():
                return False
            self._stop.wait(self._timing.poll_s)

    def _must_stop(self) -> bool:
        if not self._sampler.alive:
            why = self._sampler.complaint
            self._stop.ask(f"the probes' process ended; nobody would see the recovery: {why}")
        if self._watchdog is not None and not self._watchdog.alive:
            self._stop.ask("the watchdog ended; nobody would put the system back if this process died")
        for why in (self._lease.lost(), abort.asked(self._folder)):
            if why:
                self._stop.ask(why)
        if self._stops is not None and not self._stop.asked:
            why = self._stops.tripped(self.watch.look())
            if why:
                self._stop.ask(why)
        return self._stop.asked

    def _enter(self, phase: str, detail: str) -> None:
        _LOG.info("phase", run_id=self._folder.name, phase=phase)
        self._journal.phase(phase)
        self._progress.phase(phase, detail)

    @staticmethod
    def _left_s(until_ns: int) -> float:
        return max(0.0, (until_ns - clock.monotonic_ns()) / 1e9)

    @staticmethod
    def _elapsed_s(since_ns: int) -> float:
        return (clock.monotonic_ns() - since_ns) / 1e9
