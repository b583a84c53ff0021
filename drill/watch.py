"""What the engine sees of the probes while a drill runs: their store, read again and again."""

from collections.abc import Mapping, Sequence

from drill.errors import DrillError
from drill.ledger_rows import Draft
from drill.model import ClockReading, History, LedgerRead, Marks, ProbeSpec
from drill.observations import Store


class Watch:
    """Gathers the observations as they come in."""

    def __init__(self, store: Store, probes: Sequence[ProbeSpec], marks: Marks) -> None:
        """Begin with nothing seen."""
        self._store = store
        self._probes: Mapping[str, ProbeSpec] = {spec.name: spec for spec in probes}
        self._reader = store.reader(self._probes)
        self.marks = marks
        self.ledgers: list[LedgerRead] = []

    def look(self) -> History:
        """Read what is new and return all that is known.

        Raises:
            DrillError: The store is damaged or gone: from here on nobody sees what the probes do.

        """
        self._reader.more()
        return self._known("")

    def last(self) -> History:
        """Return all that is known at the end, and what is the matter if that is not all there was."""
        try:
            self._reader.more()
            self._store.see_that_all_is_there(self._reader)
            clocks = [ClockReading(one.monotonic_ns, one.wall) for one in self._store.clocks()]
        except DrillError as problem:
            return self._known(str(problem))
        return self._known("", clocks)

    def close(self) -> None:
        """Let go of the store; nothing lazily read of a history can be read any more."""
        self._store.close()

    def draft(self) -> Draft:
        """Begin a reading of a store: its rows go into the run's folder as they come."""
        return self._store.draft()

    def drop(self, ledger: LedgerRead) -> None:
        """Let go of the rows of a reading that another one follows."""
        self._store.drop_ledger(ledger)

    def add(self, ledger: LedgerRead) -> None:
        """Keep a reading of a store, in the run's folder too."""
        self._store.add_ledger(ledger)
        self.ledgers.append(ledger)

    def _known(self, damage: str, clocks: Sequence[ClockReading] = ()) -> History:
        return History(self._probes, self._reader.seen, self.marks, tuple(self.ledgers), clocks, damage)
