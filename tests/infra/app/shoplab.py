"""The application over a real PostgreSQL, reached over a link that can be cut, and moto's DynamoDB."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import boto3

from infra.app.application import Application
from infra.app.settings import Settings, settings_from
from infra.lab import world
from tests.infra.lab import databaselab
from tests.infra.lab.databaselab import CLUSTER

REGION = "us-east-1"
TABLE = "orders"
T = TypeVar("T")


class Loop:
    """An event loop in a thread that lives as long as what was started in it."""

    def __init__(self) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Link:
    """Carries TCP connections to a unix socket: ``open``, ``dark`` (nothing passes) or ``closed``."""

    def __init__(self) -> None:
        """Lead nowhere yet."""
        self.path: Path | None = None
        self.state = "open"
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def drop(self) -> None:
        """Close every connection, as a restarted server does."""
        for writer in tuple(self._writers):
            writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close()
        self.state = "closed"
        await self.drop()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self.state == "closed" or self.path is None:
                return
            far_reader, far_writer = await asyncio.open_unix_connection(str(self.path))
            self._writers.add(far_writer)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # one side hung up, so the other is closed
            while piece := await reader.read(65536):
                while self.state == "dark":  # noqa: ASYNC110 - a test lights it up again
                    await asyncio.sleep(0.01)
                writer.write(piece)
        writer.close()


class Backend:
    """Both stores and the secret."""

    def __init__(self, loop: Loop, lab: databaselab.Lab, link: Link) -> None:
        """Take what runs already."""
        self.loop = loop
        self.link = link
        self._lab = lab
        self.dynamodb = boto3.client("dynamodb")
        self.secrets = boto3.client("secretsmanager")
        self.secret_arn = ""
        self._clients: list[Client] = []

    def begin(self) -> None:
        """Make both stores empty."""
        self.link.state = "open"
        self.link.path = self._lab.databases.socket_path(CLUSTER.region, CLUSTER.id)
        self.loop.run(self.link.drop())
        self.sql("DROP TABLE IF EXISTS orders")
        make_table(self.dynamodb)
        self.secret_arn = self.secrets.create_secret(
            Name="database", SecretString=json.dumps({"username": "keeper", "password": "first"})
        )["ARN"]

    def end(self) -> None:
        """Put back what a test may have changed."""
        while self._clients:
            self._clients.pop().application.close()
        self.link.state = "open"
        self.password("first")
        with contextlib.suppress(self.dynamodb.exceptions.ResourceNotFoundException):  # a test deletes it
            self.dynamodb.delete_table(TableName=TABLE)
        self.secrets.delete_secret(SecretId=self.secret_arn, ForceDeleteWithoutRecovery=True)

    def sql(self, statement: str) -> Any:
        """Run a statement past the application."""
        assert self.link.path is not None
        password = self._lab.cluster.password
        return databaselab.query(self.link.path, statement, password=password)

    def password(self, password: str) -> None:
        """Give the database another master password, and end every connection to it."""
        self.loop.run(self._lab.change_password(password))
        self.loop.run(self.link.drop())

    def item(self, token: str) -> Any:
        """Return an order's item as the table holds it."""
        key = {"customer": {"S": "c"}, "token": {"S": token}}
        return self.dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")

    def rows(self) -> list[list[Any]]:
        """Return token, number and nonce of every row in Aurora."""
        rows: list[list[Any]] = self.sql("SELECT token, number, nonce FROM orders ORDER BY token")
        return rows

    def environment(self, **changed: str) -> dict[str, str]:
        """Return the application's environment variables."""
        return {
            "AWS_REGION": REGION,
            "TABLE_NAME": TABLE,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.link.port),
            "DB_NAME": "shop",
            "DB_SECRET_ARN": self.secret_arn,
            "DB_TIMEOUT_S": "1",
            "DB_PAUSE_S": "2",
            "API_TIMEOUT_S": "10",
            **changed,
        }

    def application(self, **changed: str) -> "Client":
        """Return the application, as one new process would be."""
        self._clients.append(Client(settings_from(self.environment(**changed))))
        return self._clients[-1]


class Client:
    """Asks the application as a load balancer does."""

    def __init__(self, settings: Settings) -> None:
        """Make the application."""
        self.application = Application(settings)

    def get(self, path: str, **query: str) -> tuple[int, Any]:
        """Return status and body of a GET."""
        return self._ask({"httpMethod": "GET", "path": path, "queryStringParameters": query, "body": ""})

    def post(self, path: str, body: object = None, **query: str) -> tuple[int, Any]:
        """Return status and body of a POST."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self._ask({"httpMethod": "POST", "path": path, "queryStringParameters": query, "body": text})

    def order(self, number: int, /, **changed: object) -> tuple[int, Any]:
        """Return status and body of a POST of an order."""
        return self.post("/orders", make_order(number, **changed))

    def _ask(self, event: dict[str, object]) -> tuple[int, Any]:
        answer = self.application.handle({"isBase64Encoded": False, "headers": {}, **event})
        status, body = answer["statusCode"], answer["body"]
        assert isinstance(status, int)
        assert isinstance(body, str)
        return status, json.loads(body)


def make_order(number: int, /, **changed: object) -> dict[str, object]:
    """Return the body of a valid order."""
    fields = {"customer": "c", "token": f"{number:010}", "number": number, "nonce": f"n{number}"}
    return {**fields, **changed}


def make_table(dynamodb: Any) -> None:
    """Make the table of orders as the template does."""
    names = ("customer", "token", "pending")
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=_keys("customer", "token"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "pending",
                "KeySchema": _keys("pending", "token"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _keys(hashed: str, ranged: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hashed, "KeyType": "HASH"},
        {"AttributeName": ranged, "KeyType": "RANGE"},
    ]


@contextlib.contextmanager
def backend(state_dir: Path) -> Iterator[Backend]:
    """Give running stores; the environment must say where AWS's API is."""
    loop = Loop()
    link = Link()
    lab = databaselab.Lab(state_dir)
    try:
        loop.run(_start(lab, link))
        stores = Backend(loop, lab, link)
        yield stores
        stores.dynamodb.close()
        stores.secrets.close()
    finally:
        loop.run(link.close())
        loop.run(lab.databases.close())
        lab.truth.close()
        loop.close()


async def _start(lab: databaselab.Lab, link: Link) -> None:
    await lab.databases.start()
    lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
    await lab.up(CLUSTER)
    await link.start()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
