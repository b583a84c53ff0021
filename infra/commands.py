"""The commands that messages tell their reader to type."""

import shlex
from pathlib import Path

FILE = Path("system.yaml")
"""Where the system file is, unless it is said."""


def typed(verb: str, config: Path = FILE, *more: object) -> str:
    """Return a command of ``drill infra`` as it is to be typed.

    Args:
        verb: For example ``deploy``.
        config: The system file, as it was given.
        more: Its other options and arguments.

    """
    given = [] if config == FILE else ["--config", str(config)]
    return shlex.join(["drill", "infra", verb, *given, *map(str, more)])
