"""What the physics answer for the control plane: one place that moto's mended functions look at."""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.lab.metric_store import MetricStore
from infra.lab.watching import AlarmListener
from infra.lab.world import HealthReader, Invoker, WriteListener


@dataclass
class Wiring:
    """The physics that are connected now; each None until ``serve_with`` was called."""

    invoker: Invoker | None = None
    health: HealthReader | None = None
    writes: WriteListener | None = None
    alarms: AlarmListener | None = None
    metrics: MetricStore = field(default_factory=MetricStore)
    listeners: list[Callable[[], None]] = field(default_factory=list)
    databases: threading.RLock = field(default_factory=threading.RLock)
    _former: weakref.WeakSet[threading.Thread] = field(default_factory=weakref.WeakSet)

    @property
    def connected(self) -> bool:
        """Whether physics are there to make databases and functions run."""
        return self.invoker is not None

    def changed(self) -> None:
        """Tell everyone who asked that something drillable may have changed.

        What a control plane that has ended still has under way (a timer, a rotation, a request whose
        client went away) is no change of the one that came after it.
        """
        if threading.current_thread() in self._former:
            return
        for listener in list(self.listeners):
            listener()

    def end(self) -> None:
        """Disconnect everything, and hear nothing more of what is still under way in threads of its own."""
        self._former.update(one for one in threading.enumerate() if one is not threading.current_thread())
        self.clear()

    def clear(self) -> None:
        """Disconnect everything; a new control plane begins."""
        self.invoker = self.health = self.writes = self.alarms = None
        self.metrics = MetricStore()
        self.listeners.clear()


WIRING = Wiring()
