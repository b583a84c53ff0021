"""The canary: it tells what a connection showed, and nothing else."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from infra.app import canary
from infra.lab.control_plane.server import ControlPlane

NAMESPACE = "drill/test"


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """Yield an AWS API that the canary's process would be led to."""
    with ControlPlane("127.0.0.1", 0, ("us-east-1", "us-west-2")) as plane:
        monkeypatch.setenv("AWS_ENDPOINT_URL", plane.endpoint_url)
        monkeypatch.setenv("AWS_REGION", "us-west-2")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "loopback")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "loopback")
        monkeypatch.setenv("NAMESPACE", NAMESPACE)
        monkeypatch.setenv("PEER", "us-east-1")
        monkeypatch.setenv("PEER_HOST", "127.0.0.1")
        monkeypatch.setenv("TIMEOUT_S", "0.2")
        canary._cloudwatch.cache_clear()
        yield plane
        canary._cloudwatch.cache_clear()


def _published() -> list[Any]:
    until = datetime.now(UTC) + timedelta(minutes=1)
    values: list[Any] = boto3.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=canary.METRIC,
        Dimensions=[{"Name": "Region", "Value": "us-west-2"}, {"Name": "Peer", "Value": "us-east-1"}],
        StartTime=until - timedelta(minutes=5),
        EndTime=until,
        Period=300,
        Statistics=["Minimum", "SampleCount"],
    )["Datapoints"]
    return values


def test_a_peer_that_answers_is_reachable(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that stands is published as 1."""
    with socket.create_server(("127.0.0.1", 0)) as peer:
        monkeypatch.setenv("PEER_PORT", str(peer.getsockname()[1]))
        said = canary.handle({}, None)

    assert said == {"reachable": True, "why": ""}
    assert [point["Minimum"] for point in _published()] == [1.0]


def test_a_peer_that_is_gone_is_not(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A connection that fails is published as 0, with the reason in the log."""
    with socket.create_server(("127.0.0.1", 0)) as peer:
        monkeypatch.setenv("PEER_PORT", str(peer.getsockname()[1]))

    said = canary.handle({}, None)

    assert not said["reachable"]
    assert "ConnectionRefusedError" in said["why"]
    assert "us-east-1 can't be reached" in capsys.readouterr().out
    assert [point["Minimum"] for point in _published()] == [0.0]


def test_packets_that_vanish_are_given_up() -> None:
    """A peer behind a black hole is given up after its time-out."""
    silent = socket.create_server(("127.0.0.1", 0), backlog=0)
    address, port = silent.getsockname()
    held = [socket.socket() for _ in range(4)]
    try:
        for one in held:
            one.setblocking(False)
            one.connect_ex((address, port))
        assert "imed out" in canary.why_not(canary.Peer(address, port, "us-east-1", 0.2))
    finally:
        for one in (*held, silent):
            one.close()
