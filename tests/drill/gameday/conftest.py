"""One PostgreSQL server for all stores of game days."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from urllib.parse import quote

import pytest

from infra.lab.postgres import Server, find
from infra.lab.postgres_home import ADMIN, Home, make_home
from infra.lab.spawn import unprivileged

_NUMBER = count(1)


@dataclass(frozen=True)
class Stores:
    """A PostgreSQL server in which each test has a database of its own.

    Attributes:
        home: Where it lives.
        server: It.

    """

    home: Home
    server: Server

    @property
    def password(self) -> str:
        """What must be written nowhere."""
        return self.home.admin_password

    def url(self) -> str:
        """Return the address of a store that nobody has used yet."""
        name = f"gamedays_{next(_NUMBER)}"
        self.server.run([f"CREATE DATABASE {name}"], ADMIN, self.password)
        where = quote(str(self.server.socket.parent), safe="")
        return f"postgresql+psycopg://{ADMIN}:{quote(self.password)}@/{name}?host={where}"

    def cut(self) -> None:
        """End every session of a store, as a server that is started again does."""
        text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'gamedays%'"
        self.server.run([text], ADMIN, self.password)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Start the server, and stop it after the last test."""
    home = make_home(tmp_path_factory.mktemp("stores"), unprivileged())
    try:
        software = find(home.owner, home.folder / "software")
        home.initialise(software)
        place = home.room("stores")
        home.furnish(place / "data")
        server = Server(software, place, home.folder / "log", home.owner)
        with asyncio.Runner() as runner:
            runner.run(server.start())
            try:
                yield Stores(home, server)
            finally:
                runner.run(server.stop())
    finally:
        home.remove()
