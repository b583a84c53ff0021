"""The errors that a person can act on.

::

    DrillError                 one line, with the next command to type
    ├── UsageError             bad input: nothing was touched (exit 64)
    │   ├── TargetError        the target file is unreadable or invalid
    │   └── NoSuchRun          a run id that no folder answers to
    ├── Refused                a guard said no: nothing was touched (exit 4)
    ├── LeaseLost              another holds the target now: this process may touch nothing any more
    └── RollbackIncomplete     something is still broken (exit 3)

Anything else that is raised is a bug in the program and shows its traceback.
"""


class DrillError(Exception):
    """A failure that its reader can mend; printed bare, never with a traceback."""


class UsageError(DrillError):
    """The command, a parameter or a file is wrong; nothing was touched."""


class TargetError(UsageError):
    """The target file can't be read or does not say what it must."""


class NoSuchRun(UsageError):
    """No folder of finished or unfinished runs has this id."""


class Refused(DrillError):
    """A guard refused the drill; nothing was touched."""


class LeaseLost(DrillError):
    """Another process holds the target; whatever this one would still do, it must not."""


class RollbackIncomplete(DrillError):
    """A rollback left something broken; the text names the command that tries again."""
