"""Connections to a PostgreSQL database as the drilled application's login, and short words for failures.

Encrypted where the server offers it, as Aurora does; what is checked is the password (SCRAM), which
the server must know too. A password is in no text that leaves here.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import dns.exception
import dns.resolver
import pg8000.native

from drill import redaction
from drill.errors import DrillError

Connection: TypeAlias = Any
"""An open connection of pg8000, which has no static type; ``run`` returns a statement's rows."""

WRONG_PASSWORD = "wrong_password"  # noqa: S105 (a word for it)
# PostgreSQL's own, https://www.postgresql.org/docs/current/runtime-config-connection.html
_ITERATIONS = 4096
_SALT_BYTES = 16
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_WORDS = {
    "28P01": WRONG_PASSWORD,
    "28000": WRONG_PASSWORD,
    "3D000": "no_database",
    "42P01": "no_table",
    "42501": "no_permission",
    "57P03": "starting",
    "53300": "too_many_connections",
}


class NotServed(DrillError):
    """A database did not do what was asked.

    Attributes:
        word: Why, in a short word: ``dns``, ``timeout``, ``refused``, ``closed``, ``wrong_password``,
            ``no_database``, ``no_table``, ``no_permission``, ``starting``, or PostgreSQL's code.

    """

    def __init__(self, text: str, word: str) -> None:
        """Say what happened, for people and for programs."""
        super().__init__(text)
        self.word = word


@dataclass(frozen=True, slots=True)
class Login:
    """A database user."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is.

    Attributes:
        host: Its endpoint's name.
        port: TCP port.
        database: Name of the database in it.
        resolver: ``address:port`` of the resolver that knows the name; None for this machine's own.
        timeout_s: When connecting, and then each statement, is given up.

    """

    host: str
    port: int
    database: str
    resolver: str | None
    timeout_s: float


def login_of(secret: str, text: str) -> Login:
    """Return the login that a secret of Secrets Manager holds.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html

    Args:
        secret: What it is called, for the message.
        text: Its value.

    Raises:
        DrillError: It is no JSON with a user and a password; the text holds nothing of it.

    """
    try:
        document = json.loads(text)
        login = Login(str(document["username"]), str(document["password"]))
    except (ValueError, KeyError, TypeError):
        msg = f"secret {secret} is no JSON with username and password; see: drill target check"
        raise DrillError(msg) from None
    redaction.learn((login.password,))
    return login


@contextlib.contextmanager
def connected(place: Place, login: Login) -> Iterator[Connection]:
    """Give a connection; what fails while it is used is told in the same way.

    Raises:
        NotServed: It could not be opened, or something asked over it failed.

    """
    try:
        connection = _open(place, login)
        try:
            yield connection
        finally:
            with contextlib.suppress(pg8000.native.Error, OSError):  # it may be what broke
                connection.close()
    except (pg8000.native.Error, OSError, dns.exception.DNSException) as problem:
        word = word_of(problem)
        msg = f"database {place.host} did not answer as it should: {word}; see: drill target check"
        raise NotServed(msg, word) from None


def word_of(problem: BaseException) -> str:
    """Return a short word for what the network, DNS or the server said."""
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, pg8000.native.DatabaseError) and isinstance(cause.args[0], dict):
            code = str(cause.args[0].get("C", ""))
            return _WORDS.get(code, code)
        if isinstance(cause, TimeoutError):
            return "timeout"
        if isinstance(cause, ConnectionRefusedError):
            return "refused"
        if isinstance(cause, (dns.exception.DNSException, socket.gaierror)):
            return "dns"
        cause = cause.__cause__ or cause.__context__
    return "closed"


def _open(place: Place, login: Login) -> Connection:
    with contextlib.ExitStack() as undone:
        # Where TLS is not agreed on in time, pg8000 would leave its own socket open.
        channel = undone.enter_context(
            socket.create_connection((_address(place), place.port), place.timeout_s)
        )
        connection = pg8000.native.Connection(
            login.username,
            password=login.password,
            host=place.host,
            database=place.database,
            application_name="drill",
            sock=channel,
        )
        undone.pop_all()
    return connection


def _address(place: Place) -> str:
    if place.resolver is None:
        return place.host
    address, _, port = place.resolver.partition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [address], int(port or 53)
    resolver.lifetime = place.timeout_s
    answer = resolver.resolve(place.host, "A", search=False)
    return str(next(iter(answer)).address)


def verifier(password: str) -> str:
    """Return what PostgreSQL keeps of a password, for ``ALTER ROLE … PASSWORD``: statements may be logged.

    The form of RFC 5803, https://www.postgresql.org/docs/current/catalog-pg-authid.html; ``password``
    is ASCII.
    """
    salt = os.urandom(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    shown = (base64.b64encode(raw).decode("ascii") for raw in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ITERATIONS, *shown)
