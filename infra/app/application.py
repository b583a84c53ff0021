"""One process of the service: what it keeps from one event to the next."""

import json
from collections.abc import Mapping
from typing import Any

from infra.app.database import Database
from infra.app.orders import Orders
from infra.app.routes import Routes
from infra.app.secret import Secret
from infra.app.settings import Settings
from infra.app.table import Table


class Application:
    """Answers a load balancer's events."""

    def __init__(self, settings: Settings) -> None:
        """Make every client; no connection is opened, so no store can keep a function from starting."""
        table = Table(settings.table, settings.api_timeout_s)
        secret = Secret(settings.db_secret, settings.api_timeout_s)
        database = Database(settings, secret)
        self._closing = (table, secret, database)
        self._region = settings.region
        orders = Orders(table, database, settings.db_pause_s)
        self._routes = Routes(settings.region, table, database, orders)
        # A process that was started ahead of its first request keeps nobody waiting.
        self._cold = not settings.kept_warm

    def handle(self, event: Mapping[str, Any]) -> Mapping[str, object]:
        """Answer one event; the answer names the region, and whether it met a cold process."""
        cold, self._cold = self._cold, False
        answer = self._routes.answer(event)
        return {
            "statusCode": answer.status,
            "isBase64Encoded": False,
            "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
            "body": json.dumps({"region": self._region, "cold": cold, **answer.body}),
        }

    def close(self) -> None:
        """Close every connection; Lambda does not ask for it, it ends the process."""
        for each in self._closing:
            each.close()
