import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from infra.app.settings import settings_from
from tests.infra.app.shoplab import TABLE, Backend, Client, free_port, make_order


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        make_order(1, customer="a.b"),
        make_order(1, customer=""),
        make_order(1, customer=None),
        make_order(1, token="a b"),
        make_order(1, token="x" * 65),
        make_order(1, number="1"),
        make_order(1, number=True),
        make_order(1, number=-1),
        make_order(1, number=2**63),
        make_order(1, nonce=""),
        make_order(1, nonce="\n"),
        {"customer": "c"},
    ],
    ids=str,
)
def test_bad_orders_are_refused(body: object, shop: Backend) -> None:
    """What is no order is 400 with a reason, and nothing is stored."""
    status, answer = shop.application().post("/orders", body)
    assert (status, answer["done"]) == (400, False)
    assert answer["error"]
    assert shop.dynamodb.scan(TableName=TABLE)["Count"] == 0


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"customer": "a.b"},
        {"customer": "c", "store": "paper"},
        {"customer": "c", "limit": "0"},
        {"customer": "c", "limit": "1001"},
        {"customer": "c", "limit": "ten"},
        {"customer": "c", "after": "a b"},
    ],
    ids=str,
)
def test_bad_queries_are_refused(query: dict[str, str], shop: Backend) -> None:
    """A query that can't be answered is 400 with a reason."""
    status, answer = shop.application().get("/orders", **query)
    assert status == 400
    assert answer["error"]


def test_unknown_paths_are_not_found(shop: Backend) -> None:
    """A path or method that is not served is 404, and still names the region."""
    client = shop.application()
    assert client.get("/nothing")[0] == 404
    assert client.get("/")[0] == 404
    status, answer = client.post("/health")
    assert (status, answer["region"]) == (404, "us-east-1")


def test_the_first_answer_of_a_process_is_cold(shop: Backend) -> None:
    """``cold`` is true once; never in a process that was kept warm."""
    client = shop.application()
    assert [client.get("/health/regional")[1]["cold"] for _ in range(3)] == [True, False, False]
    warm = shop.application(AWS_LAMBDA_INITIALIZATION_TYPE="provisioned-concurrency")
    assert warm.get("/health/regional")[1]["cold"] is False


def test_the_regional_health_is_about_this_region_alone(shop: Backend) -> None:
    """A silent database makes the deep check fail and leaves the regional one as it was."""
    client = shop.application()
    assert client.get("/health/regional")[1]["checks"] == {"function": "ok", "table": "ok"}
    assert client.get("/health")[1]["checks"] == {"function": "ok", "table": "ok", "database": "ok"}
    shop.link.state = "dark"
    assert client.get("/health/regional")[0] == 200
    status, answer = client.get("/health")
    assert status == 503
    assert answer["checks"]["table"] == "ok"
    assert answer["checks"]["database"].startswith("aurora: ")


def test_without_its_table_a_region_is_unhealthy(shop: Backend) -> None:
    """Both checks fail when the table is gone."""
    client = shop.application()
    shop.dynamodb.delete_table(TableName=TABLE)
    status, answer = client.get("/health/regional")
    assert status == 503
    assert answer["checks"] == {"function": "ok", "table": "dynamodb: ResourceNotFoundException"}
    assert client.get("/health")[0] == 503


def test_a_refused_write_was_not_done(shop: Backend) -> None:
    """Without a table an order is 503 and known not to be done, and Aurora has nothing either."""
    client = shop.application()
    client.get("/health")
    shop.dynamodb.delete_table(TableName=TABLE)
    status, answer = client.order(1)
    assert (status, answer["done"]) == (503, False)
    assert shop.rows() == []


class Aws:
    """An AWS API that answers every call alike."""

    def __init__(self, act: Callable[[BaseHTTPRequestHandler], None]) -> None:
        """Serve in a thread."""
        self.calls = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.calls += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                act(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def refuse(status: int, code: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return what answers with an error of DynamoDB's."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": ""}).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Answer nothing until the client has gone."""
    handler.connection.settimeout(10)
    handler.connection.recv(1)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@pytest.fixture
def aws() -> Iterator[Callable[..., Aws]]:
    """Give a maker of AWS APIs, and close them."""
    made: list[Aws] = []

    def make(act: Callable[[BaseHTTPRequestHandler], None]) -> Aws:
        made.append(Aws(act))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def client_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Client]]:
    """Give a maker of applications with their AWS API at a URL, and close them."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made: list[Client] = []

    def make(url: str) -> Client:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        settings = {
            "AWS_REGION": "us-east-1",
            "TABLE_NAME": TABLE,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(free_port()),
            "DB_NAME": "shop",
            "DB_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:database",
            "API_TIMEOUT_S": "0.3",
        }
        made.append(Client(settings_from(settings)))
        return made[-1]

    yield make
    for each in made:
        each.application.close()


@pytest.mark.parametrize(
    ("act", "status", "done"),
    [
        (refuse(400, "ProvisionedThroughputExceededException"), 429, False),
        (refuse(400, "ResourceNotFoundException"), 503, False),
        (refuse(500, "InternalServerError"), 504, None),
        (hang, 504, None),
        (hang_up, 504, None),
    ],
    ids=["throttled", "no table", "server error", "hangs", "hangs up"],
)
def test_what_is_known_of_a_failed_write(
    act: Callable[[BaseHTTPRequestHandler], None],
    status: int,
    done: bool | None,
    aws: Callable[..., Aws],
    client_of: Callable[[str], Client],
) -> None:
    """A refusal is known not to be done, a lost answer is unknown and not sent again; a throttled one is."""
    api = aws(act)
    got, answer = client_of(api.url).order(1)
    assert (got, answer["done"]) == (status, done)
    assert api.calls == (3 if status == 429 else 1)
    assert answer.get("throttled") == (3 if status == 429 else None)


def test_a_write_that_was_never_sent_was_not_done(client_of: Callable[[str], Client]) -> None:
    """With nobody listening at AWS's endpoint an order is known not to be done."""
    status, answer = client_of(f"http://127.0.0.1:{free_port()}").order(1)
    assert (status, answer["done"]) == (503, False)


def test_a_throttled_table_is_not_an_unhealthy_region(
    aws: Callable[..., Aws], client_of: Callable[[str], Client]
) -> None:
    """Throttling does not fail a region over: the table answers."""
    api = aws(refuse(400, "ProvisionedThroughputExceededException"))
    assert client_of(api.url).get("/health/regional")[0] == 200


def test_events_are_decoded_as_a_load_balancer_sends_them(shop: Backend) -> None:
    """Paths and queries come percent-encoded, and a body may come in base64."""
    application = shop.application().application
    body = base64.b64encode(json.dumps(make_order(7)).encode()).decode()
    event = {"httpMethod": "POST", "path": "/orders", "body": body, "isBase64Encoded": True}
    assert application.handle(event)["statusCode"] == 201
    event = {"httpMethod": "GET", "path": "/orders/c%2E0000000007"}
    assert application.handle(event)["statusCode"] == 200
    query = {"customer": "%63", "limit": "%31"}
    listed = application.handle({"httpMethod": "GET", "path": "/orders", "queryStringParameters": query})
    assert listed["statusCode"] == 200
