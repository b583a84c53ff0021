"""Where days are kept: an SQLite file beside them, or a PostgreSQL database by its URL; and its one lock.

Whoever holds the lock serves the store: a file lock beside an SQLite store, an advisory lock of a
PostgreSQL one (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). Both are
let go of when their process dies, and another takes over then. The URL may hold a password, which is
written nowhere: not in an error, a log, a file or the environment of a drill.
"""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from dbos import error
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from drill import redaction
from drill.errors import UsageError

VARIABLE = "DRILL_GAMEDAY_STORE"
_MEND = f"correct --store or {VARIABLE}"
_FORM = "postgresql://USER:PASSWORD@HOST/DATABASE, with %40 for an @ in the password"
# Any number, the same for all schedulers: "drill" in ASCII.
_ADVISORY = 0x6472696C6C
# A server that is gone, and at the server a scheduler that is gone, are known of within half a minute:
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS and
# https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-TCP-KEEPALIVES-IDLE.
_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_CONNECTING = {**_ALIVE, "connect_timeout": 10, "tcp_user_timeout": 20_000}


def address(root: Path, given: str = "") -> str:
    """Return the address of the store: SQLite beside the days, unless another is given.

    Raises:
        UsageError: What is given is none; its text does not quote it.

    """
    if not given:
        root.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{(root / 'store.sqlite').resolve()}"
    try:
        url = sa.make_url(given)
    except (ArgumentError, ValueError):
        url = sa.URL.create("none")
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite" and url.database:
        return given
    if kind not in {"postgresql", "postgres"} or not url.database or "@" in (url.host or ""):
        msg = f"the store's address is none; {_MEND}: {_FORM}"
        raise UsageError(msg)
    redaction.learn((given, url.password, *map(str, url.query.values())))
    # As DBOS does, whatever driver is named.
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


class Lock(Protocol):
    """The right to serve a store; one process at a time has it."""

    def take(self) -> bool | None:
        """Take it, or see that it is still held.

        Returns:
            Whether it is held; None if the store does not answer, and nobody can say.

        """

    @property
    def why(self) -> str:
        """Why the store did not answer."""


@contextlib.contextmanager
def lock(url: str) -> Iterator[Lock]:
    """Give a store's lock, not yet taken, and let go of it afterwards."""
    with _file(url) if url.startswith("sqlite") else _database(url) as found:
        yield found


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what the store's libraries raise into a line that says what to do, without any secret.

    Raises:
        UsageError: The store can't be used.

    """
    try:
        yield
    except (SQLAlchemyError, error.DBOSException) as problem:
        msg = f"the store can't be used: {_said(problem)}; {_MEND}"
        raise UsageError(msg) from None


def there(url: str) -> None:
    """Refuse an SQLite store that nobody has made; asking for it would make an empty one.

    Raises:
        UsageError: There is none.

    """
    path = sa.make_url(url).database
    if url.startswith("sqlite") and not Path(str(path)).exists():
        msg = f"no scheduler has used the store {path}; name the one it uses with --store or {VARIABLE}"
        raise UsageError(msg)


def quiet() -> None:
    """Keep secrets out of what DBOS logs."""
    logger = logging.getLogger("dbos")
    if not any(isinstance(one, _Redacting) for one in logger.filters):
        logger.addFilter(_Redacting())


class _Redacting(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redaction.redacted(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redaction.redacted(logging.Formatter().formatException(record.exc_info))
        return True


class _FileLock:
    why = ""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def take(self) -> bool | None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class _DatabaseLock:
    """An advisory lock of a session: a session that is lost has lost it, and it is asked for anew."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._session: sa.Connection | None = None
        self._held = False
        self.why = ""

    def take(self) -> bool | None:
        try:
            if self._session is None:
                self._session = self._engine.connect()
                for name, value in _ALIVE.items():
                    self._session.exec_driver_sql(f"SET tcp_{name} = {value}")
            asked = "SELECT true" if self._held else f"SELECT pg_try_advisory_lock({_ADVISORY})"
            self._held = bool(self._session.exec_driver_sql(asked).scalar())
        except DBAPIError as problem:
            self.why = _said(problem)
            self.let_go()
            return None
        return self._held

    def let_go(self) -> None:
        """End the session; the server then gives the lock to whoever asks."""
        session, self._session, self._held = self._session, None, False
        if session is not None:
            with contextlib.suppress(DBAPIError):  # it is gone already
                session.close()


@contextlib.contextmanager
def _file(url: str) -> Iterator[Lock]:
    path = Path(str(sa.make_url(url).database)).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        yield _FileLock(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _database(url: str) -> Iterator[Lock]:
    made = sa.create_engine(
        url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT", connect_args=_CONNECTING
    )
    found = _DatabaseLock(made)
    try:
        yield found
    finally:
        found.let_go()
        made.dispose()


def _said(problem: Exception) -> str:
    """Return what went wrong in one line; never the statement and its values."""
    cause = problem.orig if isinstance(problem, DBAPIError) else problem
    return redaction.redacted(" ".join(str(cause).split()))
