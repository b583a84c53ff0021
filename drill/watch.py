"""What the engine sees of the probes while a drill runs: their store, read again and again."""

from collections.abc import Mapping, Sequence

from drill.model import History, LedgerRead, Marks, Observation, ProbeSpec
from drill.observations import Store


class Watch:
    """Gathers the observations as they come in."""

    def __init__(self, store: Store, probes: Sequence[ProbeSpec], marks: Marks) -> None:
        """Begin with nothing seen."""
        self._store = store
        self._probes: Mapping[str, ProbeSpec] = {spec.name: spec for spec in probes}
        self._seen: dict[str, list[Observation]] = {spec.name: [] for spec in probes}
        self._cursor = 0
        self.marks = marks
        self.ledgers: list[LedgerRead] = []

    def look(self) -> History:
        """Read what is new and return all that is known."""
        fresh, self._cursor = self._store.read(self._cursor)
        for observation in fresh:
            self._seen[observation.probe].append(observation)
        return History(self._probes, self._seen, self.marks, tuple(self.ledgers))

    def add(self, ledger: LedgerRead) -> None:
        """Keep a reading of a store, in the run's folder too."""
        self._store.add_ledger(ledger)
        self.ledgers.append(ledger)
