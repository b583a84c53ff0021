"""Gates that follow what the control plane asks for, as late as a network change really comes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from infra.lab.gate import Connection, Gate, Passage
from infra.lab.reachability import Openness
from infra.lab.truth import TruthLog

Carry = Callable[[Passage, Connection], Awaitable[None]]


class Gates:
    """A set of gates, one for each passage that is wanted."""

    def __init__(self, delay_s: float, truth: TruthLog, carry: Carry) -> None:
        """Say how long a change takes to reach the packets, and what serves a connection."""
        self._delay_s = delay_s
        self._truth = truth
        self._carry = carry
        self._gates: dict[Passage, Gate] = {}
        self._asked: dict[Passage, bool] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._stopping: set[asyncio.Task[None]] = set()

    def follow(self, wanted: Mapping[Passage, Openness]) -> None:
        """Have exactly these gates; a new one is right at once, a changed one after the delay.

        Raises:
            DrillError: An address can't be bound.

        """
        for passage in self._gates.keys() - wanted.keys():
            self._remove(passage)
        for passage, (is_open, why) in wanted.items():
            if passage not in self._gates:
                self._add(passage)
                if not is_open:
                    self._gates[passage].close_path(why)
            elif self._asked[passage] != is_open:
                self._change_later(passage, is_open, why)
            self._asked[passage] = is_open

    async def close(self) -> None:
        """Remove all gates; leaves no task and no socket."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for passage in list(self._gates):
            self._remove(passage)
        await asyncio.gather(*self._stopping)

    def _add(self, passage: Passage) -> None:
        async def serve(connection: Connection) -> None:
            await self._carry(passage, connection)

        gate = Gate(passage, serve, self._truth)
        gate.start()
        self._gates[passage] = gate

    def _remove(self, passage: Passage) -> None:
        gate = self._gates.pop(passage)
        del self._asked[passage]
        # The address is free from here on, even if the same passage is wanted again at once.
        gate.shut()
        task = asyncio.get_running_loop().create_task(gate.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    def _change_later(self, passage: Passage, is_open: bool, why: str) -> None:
        gate = self._gates[passage]

        def change() -> None:
            self._timers.discard(timer)
            if self._gates.get(passage) is not gate:
                return
            if is_open:
                gate.open_path()
            else:
                gate.close_path(why)

        timer = asyncio.get_running_loop().call_later(self._delay_s, change)
        self._timers.add(timer)
