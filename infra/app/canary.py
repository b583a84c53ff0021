"""The canary of the way to the other region: one connection a minute, told to CloudWatch.

A peering stays ``active`` when its traffic stops, so that only bytes can tell:
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from infra.app.table import client_config

_API_TIMEOUT_S = 5.0
METRIC = "Reachable"


@dataclass(frozen=True, slots=True)
class Peer:
    """What is connected to.

    Attributes:
        host: ``PEER_HOST``.
        port: ``PEER_PORT``.
        name: ``PEER``: the other region.
        timeout_s: ``TIMEOUT_S``, 5 by default: when a connection is given up.

    """

    host: str
    port: int
    name: str
    timeout_s: float

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Peer":
        """Return what the environment names."""
        return cls(
            host=environment["PEER_HOST"],
            port=int(environment["PEER_PORT"]),
            name=environment["PEER"],
            timeout_s=float(environment.get("TIMEOUT_S", "5")),
        )


def handle(_event: object, _context: object) -> dict[str, Any]:
    """Connect once, and publish 1 or 0 as ``Reachable``; what can't be published is raised.

    A minute without a data point is an alarm as well, so that a canary that died is noticed.
    """
    peer = Peer.of(os.environ)
    why = why_not(peer)
    _cloudwatch().put_metric_data(
        Namespace=os.environ["NAMESPACE"],
        MetricData=[
            {
                "MetricName": METRIC,
                "Dimensions": [
                    {"Name": "Region", "Value": os.environ["AWS_REGION"]},
                    {"Name": "Peer", "Value": peer.name},
                ],
                "Value": 0.0 if why else 1.0,
                "Unit": "None",
            }
        ],
    )
    if why:
        print(f"{peer.host}:{peer.port} in {peer.name} can't be reached: {why}")
    return {"reachable": not why, "why": why}


def why_not(peer: Peer) -> str:
    """Open a connection and close it; returns why that failed, or nothing."""
    try:
        with socket.create_connection((peer.host, peer.port), peer.timeout_s):
            return ""
    except OSError as problem:
        return f"{type(problem).__name__}: {problem}"


@cache
def _cloudwatch() -> Any:  # noqa: ANN401 (boto3 clients have no static type)
    return boto3.client("cloudwatch", config=client_config(_API_TIMEOUT_S, attempts=2))
