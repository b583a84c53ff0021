"""What ends a drill before its time: alarms, what the probes see, its longest allowed duration.

They are asked at every poll and answer at once: AWS is read on threads of their own.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from drill import alarm_states, clock, stop_expression
from drill.aws import Aws
from drill.model import History
from drill.plan import Plan
from drill.target import Target

_NS = 1_000_000_000

States: TypeAlias = Mapping[str, str]
"""The state of each alarm by its name."""


class StopConditions:
    """The stop conditions of one drill, from its beginning on."""

    def __init__(self, plan: Plan, aws: Aws) -> None:
        """Begin to count the drill's duration; nothing is asked yet."""
        target = plan.target
        self._began_ns = clock.monotonic_ns()
        self._most_s = target.limits.max_duration_s
        self._expressions = tuple(stop_expression.parse(text) for text in target.stop.when)
        self._alarms = tuple(
            _Alarms(partial(alarm_states.read, aws, region, names), region, target)
            for region, names in target.stop.alarms.items()
        )

    def tripped(self, history: History) -> str:
        """Return one line on why the drill must end now; empty if it may go on.

        AWS is asked at most once every ``timing.api_interval_s``, and nobody waits for its answer.
        """
        return next(filter(None, self._reasons(history)), "")

    def _reasons(self, history: History) -> Iterator[str]:
        for alarms in self._alarms:
            yield alarms.tripped()
        for expression in self._expressions:
            yield stop_expression.tripped(expression, history)
        if self._most_s is not None and clock.monotonic_ns() - self._began_ns > self._most_s * _NS:
            yield f"it has taken longer than the {self._most_s:g} s that are allowed (limits.max_duration_s)"


class _Alarms:
    """The alarms of one region, read again and again, each time on a thread of its own.

    A thread that waits for AWS in vain delays neither the drill nor the end of the program.
    """

    def __init__(self, read: Callable[[], States], region: str, target: Target) -> None:
        self._read, self._region = read, region
        self._interval_ns = round(target.timing.api_interval_s * _NS)
        self._unseen_s = target.stop.unseen_s
        self._answers: queue.SimpleQueue[tuple[int, States | str]] = queue.SimpleQueue()
        self._asked_ns: int | None = None
        self._waiting = False
        self._seen_ns = clock.monotonic_ns()
        self._problem = "no answer yet"
        self._fired = ""

    def tripped(self) -> str:
        """Return why the drill must end; once it must, the answer stays."""
        with contextlib.suppress(queue.Empty):
            self._heard(*self._answers.get_nowait())
        now_ns = clock.monotonic_ns()
        if not self._waiting and (self._asked_ns is None or now_ns - self._asked_ns >= self._interval_ns):
            self._asked_ns, self._waiting = now_ns, True
            threading.Thread(target=self._ask, args=(now_ns,), name="stop-alarms", daemon=True).start()
        if not self._fired and now_ns - self._seen_ns > self._unseen_s * _NS:
            self._fired = (
                f"the alarms in {self._region} could not be read for {self._unseen_s:g} s: {self._problem}"
            )
        return self._fired

    def _ask(self, sent_ns: int) -> None:
        try:
            self._answers.put((sent_ns, self._read()))
        except (BotoCoreError, ClientError) as problem:
            self._answers.put((sent_ns, " ".join(str(problem).split())))

    def _heard(self, sent_ns: int, answer: States | str) -> None:
        self._waiting = False
        if isinstance(answer, str):
            self._problem = answer
            return
        # An answer may be as old as its question.
        self._seen_ns = sent_ns
        for name, state in answer.items():
            if state == alarm_states.ALARM and not self._fired:
                self._fired = f"alarm {name} in {self._region} fired"
            elif state == alarm_states.MISSING and not self._fired:
                self._fired = f"alarm {name} in {self._region} is not there any more"
