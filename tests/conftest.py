"""What holds for every test: no account, no network beyond this machine, no time limit on examples."""

import ipaddress
import os
import shutil
import signal
import socket
import sys

import pytest
from hypothesis import settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# The machine is shared: how long an example takes says nothing.
settings.register_profile("drill", deadline=None)
settings.load_profile("drill")


def pytest_configure() -> None:
    """Make sure that no test, and nothing that a test starts, can reach an AWS account; hear Ctrl-C."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        # A drill looks at the whole system first, which takes a while; the tests of that ask for it.
        DRILL_AUDIT="0",
    )
    sys.addaudithook(_refuse_other_machines)
    # A shell that starts the tests in its background, or nohup, has all of them ignore these.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse every connection from the tests' own process that leaves this machine."""
    if event not in {"socket.connect", "socket.sendto"}:
        return
    connecting, address = arguments[:2]
    if not isinstance(connecting, socket.socket) or not isinstance(address, tuple):
        return
    if connecting.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(str(address[0])):
        msg = f"a test may only talk to this machine, not to {address[0]}"
        raise RuntimeError(msg)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of a Chromium; skip where there is none, but fail in CI, which skips nothing."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    if os.environ.get("CI") == "true":
        pytest.fail("no Chromium on this machine, and CI skips nothing; install it with: make browser")
    pytest.skip("no Chromium on this machine; install it as root with: make browser")
