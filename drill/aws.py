"""Clients of AWS: one place for endpoint, region, time-outs and retries.

Reads are retried by botocore's standard mode. A write whose answer is lost is *unknown*:
whoever makes it decides, so a fault's calls must be safe to repeat.
"""

import ipaddress
import threading
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from drill.target import Target

# Services without regions of their own; their control plane is in us-east-1,
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/disaster-recovery-resiliency.html
GLOBAL_REGION = "us-east-1"


class Aws:
    """Makes and keeps boto3 clients for one target; safe from any thread."""

    def __init__(self, endpoint_url: str | None, timeout_s: float, attempts: int = 4) -> None:
        """Remember where AWS answers; nothing is called.

        Args:
            endpoint_url: Where the API answers; None for AWS itself.
            timeout_s: When connecting, and then an answer, is given up.
            attempts: How often botocore tries a call that failed in a way that may pass.

        """
        self._endpoint_url = endpoint_url
        self._config = Config(
            connect_timeout=timeout_s,
            read_timeout=timeout_s,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra="drill",
        )
        self._session = boto3.Session(**_credentials(endpoint_url))
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, target: Target, attempts: int = 4) -> "Aws":
        """Return the clients of a target."""
        return cls(target.endpoint_url, target.timing.api_timeout_s, attempts)

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 (boto3 clients have no static type)
        """Return a client of ``service`` in ``region`` (``global`` for services without regions)."""
        name = GLOBAL_REGION if region == "global" else region
        with self._lock:
            if (service, name) not in self._clients:
                self._clients[service, name] = self._session.client(
                    service, region_name=name, endpoint_url=self._endpoint_url, config=self._config
                )
            return self._clients[service, name]


def _credentials(endpoint_url: str | None) -> dict[str, str]:
    """Return placeholders for an endpoint on loopback: no real key is ever used to sign for it."""
    host = urlsplit(endpoint_url).hostname if endpoint_url else None
    try:
        loopback = host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        return {}
    return {"aws_access_key_id": "loopback", "aws_secret_access_key": "loopback"}
