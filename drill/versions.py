"""What a run was made with, for its record."""

import platform
from importlib.metadata import PackageNotFoundError, version

_NAMED = ("drill", "boto3", "pycurl")


def versions() -> dict[str, str]:
    """Return the versions of the program, of Python and of what speaks to the system."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.release()}"}
    for name in _NAMED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
