"""What the stacks need of the lab around them: its AWS API, and whom to tell of changes."""

import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config


class Setting:
    """The lab's own AWS API and its clients; filled when a control plane begins."""

    def __init__(self) -> None:
        """Begin with nothing: :meth:`begin` fills it."""
        self._endpoint_url = ""
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self.changed: Callable[[], None] = lambda: None

    def begin(self, endpoint_url: str, changed: Callable[[], None]) -> None:
        """Use another control plane from now on."""
        with self._lock:
            self._endpoint_url, self.changed = endpoint_url, changed
            self._clients.clear()

    def client(self, service: str, region: str) -> Any:
        """Return a boto3 client of the lab's own API; called from several threads."""
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = boto3.client(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint_url,
                    aws_access_key_id="loopback",
                    aws_secret_access_key="loopback",  # noqa: S106 (no secret: the lab checks none)
                    config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
                )
            return self._clients[service, region]


SETTING = Setting()
