"""Progress on a terminal: the phase, the clock and every probe's state, renewed in place."""

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.table import Table
from rich.text import Text

from drill import clock
from drill.cli.states import newest
from drill.model import History


class Live:
    """A block at the bottom of the terminal; what is said scrolls above it."""

    def __init__(self) -> None:
        """Begin the clock."""
        self._console = Console(highlight=False)
        self._began_ns = clock.monotonic_ns()
        self._phase_ns = self._began_ns
        self._phase, self._detail = "start", ""
        self._probes: dict[str, str] = {}
        self._live = RichLive(
            console=self._console, refresh_per_second=8, get_renderable=self._block, transient=True
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the terminal as it was."""
        self._live.stop()

    def phase(self, name: str, detail: str = "") -> None:
        """Show that a phase begins, and keep a line of it."""
        self._phase, self._detail, self._phase_ns = name, detail, clock.monotonic_ns()
        self.said(f"{name}: {detail}" if detail else name)

    def seen(self, history: History) -> None:
        """Renew the probes' states."""
        self._probes = newest(history)

    def said(self, line: str) -> None:
        """Print a line above the block."""
        self._console.print(Text(f"{self._since(self._began_ns):7.1f} s  {line}"))

    def _block(self) -> Group:
        head = Text(f"{self._phase}  {self._since(self._phase_ns):.1f} s", style="bold")
        table = Table.grid(padding=(0, 2))
        for name, state in self._probes.items():
            good = state.startswith("good")
            table.add_row(Text(name), Text(state, style="green" if good else "yellow"))
        return Group(head, Text(self._detail, style="dim"), table)

    @staticmethod
    def _since(instant_ns: int) -> float:
        return (clock.monotonic_ns() - instant_ns) / 1e9
