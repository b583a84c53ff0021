"""Reading back what the stores hold: at cutover, and once replication has resumed.

Both times the standby is asked, by way of its own load balancer: it is the system that has to
hold what the primary acknowledged, wherever DNS leads at that moment. A scenario in which the primary
has to hold it says so: option ``read_in`` of its measure ``ledger``.
"""

from collections.abc import Callable
from dataclasses import replace

from drill.measure.accounts import RESUMED, lost_in, unreconciled_in
from drill.model import LedgerRead
from drill.plan import Plan
from drill.probes.contract import Context
from drill.probes.ledger import Reading, stream_ledger
from drill.watch import Watch

CUTOVER = "cutover"


class ReadBack:
    """Reads the stores of one drill."""

    def __init__(self, plan: Plan, context: Context, watch: Watch) -> None:
        """Take what the drill plans, where everything is, and what its probes see."""
        ledgers = [spec for spec in plan.measures if spec.kind == "ledger"]
        asked = {spec.options.get("read_in", plan.target.standby.name) for spec in ledgers}
        region = plan.target.primary if asked == {plan.target.primary.name} else plan.target.standby
        self._context = replace(context, by_way_of=region.load_balancer)
        self._timeout_s = plan.target.timing.api_timeout_s
        self._writers = [spec.probe for spec in ledgers]
        self._fallen_back = [spec.probe for spec in plan.measures if spec.kind == "fallback"]
        self._watch = watch

    def at_cutover(self, store: str) -> None:
        """Read a store as it is now."""
        self._watch.add(self._read(store, CUTOVER))

    def once_resumed(self, store: str, goes_on: Callable[[], bool]) -> None:
        """Read a store until what was acknowledged is there, or for as long as ``goes_on``.

        What was accepted as pending is awaited too, where a scenario measures that. Replication takes
        its time to catch up; what is still missing at the last reading is lost.
        """
        while True:
            read = self._read(store, RESUMED)
            if not self._missing(read) or not goes_on():
                break
            self._watch.drop(read)
        self._watch.add(read)

    def _read(self, store: str, occasion: str) -> LedgerRead:
        reading = Reading(store, self._context.run_id, occasion, self._timeout_s)
        return stream_ledger(self._context, reading, self._watch.draft())

    def _missing(self, read: LedgerRead) -> bool:
        history = self._watch.look()
        lost = any(lost_in(read, history, writer) for writer in self._writers)
        return lost or any(unreconciled_in(read, history, writer) for writer in self._fallen_back)
