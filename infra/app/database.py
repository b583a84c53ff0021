"""Orders in Aurora.

One connection a process, opened when it is first needed and again after a failure. Every
statement may be repeated without harm, so that a connection which died while nobody used it
costs one more attempt and no failure.
"""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import pg8000.native

from infra.app.connection import FAILURES, WRONG_PASSWORD, Place, causes, code_of, connect
from infra.app.order import AURORA, Order, StoreUnavailable
from infra.app.secret import Credentials, Secret
from infra.app.settings import Settings

# Tokens sort bytewise in DynamoDB; without COLLATE "C" they would sort by the cluster's locale.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    customer text COLLATE "C" NOT NULL,
    token text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    nonce text NOT NULL,
    region text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (customer, token)
)
"""
_INSERT = """
INSERT INTO orders (customer, token, number, nonce, region)
SELECT * FROM unnest(CAST(:customers AS text[]), CAST(:tokens AS text[]), CAST(:numbers AS bigint[]),
                     CAST(:nonces AS text[]), CAST(:regions AS text[]))
ON CONFLICT DO NOTHING
"""
_PAGE = """
SELECT customer, token, number, nonce, region FROM orders
WHERE customer = :customer AND token > :after ORDER BY token LIMIT :limit
"""

# IF NOT EXISTS does not keep two first processes apart; a reader can't make tables.
_SOMEONE_ELSE_MAKES_IT = {"23505", "42P07", "42710", "25006"}
# Connection, transaction state, authorisation, catalogue, privilege, resources, intervention, system.
_AWAY = ("08", "25", "28", "3D", "42501", "53", "55", "57", "58", "XX")


class Database:
    """The table of orders in Aurora; every method raises :class:`StoreUnavailable`."""

    def __init__(self, settings: Settings, secret: Secret) -> None:
        """Take where the cluster is and where its credentials are; nothing is opened yet."""
        self._place = Place(settings.db_host, settings.db_port, settings.db_name, settings.db_timeout_s)
        self._secret = secret
        self._connection: pg8000.native.Connection | None = None

    def insert(self, orders: Sequence[Order]) -> None:
        """Write orders; those that are there already stay as they are."""
        self._run(
            _INSERT,
            customers=[order.customer for order in orders],
            tokens=[order.token for order in orders],
            numbers=[order.number for order in orders],
            nonces=[order.nonce for order in orders],
            regions=[order.region for order in orders],
        )

    def page(self, customer: str, after: str, limit: int) -> tuple[list[Order], str | None]:
        """Return a customer's orders after a token, in order, and the token to go on after, if any."""
        rows = self._run(_PAGE, customer=customer, after=after, limit=limit + 1)
        orders = [_order(row) for row in rows[:limit]]
        return orders, orders[-1].token if len(rows) > limit else None

    def ping(self) -> None:
        """See whether the database answers."""
        self._run("SELECT 1")

    def _run(self, statement: str, **parameters: object) -> list[list[Any]]:
        kept = self._connection is not None
        try:
            return self._run_once(statement, parameters)
        except FAILURES as problem:
            self.close()
            # A kept connection may have died of old age; one that hangs would hang again.
            if not kept or not _gone(problem):
                _give_up(problem)
        try:
            return self._run_once(statement, parameters)
        except FAILURES as problem:
            self.close()
            _give_up(problem)

    def _run_once(self, statement: str, parameters: dict[str, object]) -> list[list[Any]]:
        if self._connection is None:
            self._connection = self._open()
        rows: list[list[Any]] | None = self._connection.run(statement, **parameters)
        return rows or []

    def _open(self) -> pg8000.native.Connection:
        connection = self._logged_in()
        try:
            connection.run(_SCHEMA)
        except pg8000.native.DatabaseError as problem:
            if code_of(problem) not in _SOMEONE_ELSE_MAKES_IT:
                connection.close()
                raise
        return connection

    def _logged_in(self) -> pg8000.native.Connection:
        """Log in with what is known, then with what is in force now, then with what was before that.

        The second way serves after two rotations, the third a database that was restored from a point
        before the last one.
        """
        secret = self._secret
        ways: tuple[Callable[[], Credentials], ...] = (
            secret.credentials,
            partial(secret.credentials, stale=True),
            secret.former,
        )
        refused: BaseException | None = None
        for credentials in ways:
            try:
                return connect(self._place, credentials(), "orders")
            except FAILURES as problem:
                if code_of(problem) not in WRONG_PASSWORD:
                    raise
                refused = problem
            except StoreUnavailable:
                if refused is None:
                    raise
                break
        assert refused is not None  # noqa: S101 (a loop that ends so was refused)
        raise refused

    def close(self) -> None:
        """Close the connection, if there is one; the next statement opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(pg8000.native.Error, OSError):  # it is broken: that is why it is dropped
                connection.close()


def _order(row: Sequence[Any]) -> Order:
    customer, token, number, nonce, region = row
    return Order(customer, token, number, nonce, region, pending=False)


def _gone(problem: BaseException) -> bool:
    """Say whether the connection is closed, as opposed to silent."""
    silent = any(isinstance(cause, TimeoutError) for cause in causes(problem))
    code = code_of(problem)
    return not silent and (not code or code.startswith("57"))


def _give_up(problem: BaseException) -> NoReturn:
    code = code_of(problem)
    if code and not code.startswith(_AWAY):
        raise problem
    raise StoreUnavailable(AURORA, code or type(problem).__name__, lost=True) from problem
