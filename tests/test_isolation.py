"""What `conftest.py` promises: no test leaves this machine or finds an account."""

import socket
import sys

import boto3
import pytest


@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto"])
def test_a_connection_to_another_machine_is_refused(event: str) -> None:
    """The announcement of a connection is refused before a packet is sent (here none ever is)."""
    with socket.socket() as one, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        sys.audit(event, one, ("192.0.2.1", 443))


@pytest.mark.parametrize("host", ["127.16.0.53", "localhost"])
def test_a_connection_to_this_machine_is_not_refused(host: str) -> None:
    """Loopback is where the lab lives."""
    with socket.socket() as one:
        sys.audit("socket.connect", one, (host, 443))


def test_no_account_is_found() -> None:
    """A test that forgets an endpoint still has no credentials that open anything."""
    credentials = boto3.Session().get_credentials()

    assert credentials is not None
    assert credentials.access_key == "testing"
