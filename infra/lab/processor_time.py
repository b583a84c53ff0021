"""How much processor time a process and its children have used, as Linux counts it."""

import os
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Behind the name in brackets: utime, stime, cutime, cstime, see proc(5).
_FIRST, _LAST = 11, 15


def processor_s(pid: int) -> float:
    """Return the seconds that a process and its children have used, living or not; 0 if it is gone."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    own = sum(_ticks(str(pid)))
    living = sum(sum(_ticks(child)[:2]) for child in children)
    return (own + living) / _TICKS_A_SECOND


def _ticks(pid: str) -> list[int]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    except OSError:
        return [0, 0]
    return [int(field) for field in fields[_FIRST:_LAST]]
