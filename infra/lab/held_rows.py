"""Which rows a database holds, by their primary keys, as its own server tells over the socket."""

from collections.abc import Iterator
from dataclasses import dataclass

from pg8000.native import identifier

from infra.lab.postgres import Server

_DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
_KEYS = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY k.place)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE i.indisprimary AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
GROUP BY n.nspname, c.relname
ORDER BY n.nspname, c.relname
"""


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of one table.

    Attributes:
        database: The database that the table is in.
        table: Its name.
        keys: The primary key of each row, as texts.

    """

    database: str
    table: str
    keys: tuple[tuple[str, ...], ...]


def read(server: Server, user: str, password: str) -> Iterator[Held]:
    """Yield the rows of every table that has a primary key (blocking).

    Raises:
        DrillError: The server refused something or went away.

    """
    for (database,) in server.ask(_DATABASES, user, password):
        with server.connected(user, password, database) as connection:
            for schema, table, columns in connection.run(_KEYS) or ():
                texts = ", ".join(f"{identifier(column)}::text" for column in columns)
                rows = connection.run(f"SELECT {texts} FROM {identifier(schema)}.{identifier(table)}")  # noqa: S608 - quoted
                yield Held(database, table, tuple(tuple(row) for row in rows or ()))
