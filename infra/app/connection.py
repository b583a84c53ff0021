"""Connections to Aurora: encrypted where the server offers it, as Aurora does."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pg8000.native

from infra.app.secret import Credentials

# pg8000 lets what happens while TLS is negotiated through as it is.
FAILURES = (pg8000.native.Error, OSError)
# https://www.postgresql.org/docs/current/errcodes-appendix.html
WRONG_PASSWORD = frozenset({"28P01", "28000"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is.

    Attributes:
        host: The cluster's writer endpoint.
        port: TCP port.
        database: Name of the database in it.
        timeout_s: Connecting to it, and each statement.

    """

    host: str
    port: int
    database: str
    timeout_s: float


def connect(place: Place, credentials: Credentials, application_name: str) -> pg8000.native.Connection:
    """Open a connection; raises one of :data:`FAILURES`."""
    with contextlib.ExitStack() as undone:
        # Where TLS is not agreed on in time, pg8000 would leave its own socket open.
        channel = undone.enter_context(socket.create_connection((place.host, place.port), place.timeout_s))
        connection = pg8000.native.Connection(
            credentials.username,
            password=credentials.password,
            host=place.host,
            database=place.database,
            application_name=application_name,
            sock=channel,
        )
        undone.pop_all()
    return connection


def causes(problem: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it; pg8000 wraps what the network or the server said."""
    cause: BaseException | None = problem
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def code_of(problem: BaseException) -> str:
    """Return PostgreSQL's code for an error; empty if it is none of its own."""
    for cause in causes(problem):
        if isinstance(cause, pg8000.native.DatabaseError) and isinstance(cause.args[0], dict):
            return str(cause.args[0].get("C", ""))
    return ""
