"""Kind ``postgres``: logs in to a cluster's database as the application does, and reads its orders.

Every attempt opens a new connection. Its endpoint is asked of RDS until it has one, and the login of
Secrets Manager, again whenever the database refuses it. Whoever runs the drill must reach the
database's address: from inside its VPC, or through a VPN.

Good: connected, and the query was answered. Bad: the cluster is not there, can't be reached, refused
the login, or the query failed. Unknown: AWS did not tell where it is or who may log in.

Options:
    region: Where the cluster is.
    cluster_id: Its identifier; ``{run}`` in it is replaced by the name of what the run makes.
    secret_arn: The application's login, in that region.
    key_arn: The KMS key that opens it, for the policy; needed only where it is not AWS's own.
    database: The database's name (default: ``orders``).
    customers: Whose orders are read; ``{run}`` is replaced by the run's id, which alone is the default.

Detail: ``error`` (a short word, see :class:`drill.postgres.NotServed`), ``connect_s query_s``, and
``newest``: for each customer with orders there, as the options name it, the highest number with its nonce;
and ``since``: for each the lowest number above the highest that the first good attempt saw, if there is one.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

from drill import clock, postgres
from drill.faults import made, secret_reads
from drill.faults.contract import Call
from drill.model import Goodness, Json, ProbeSpec
from drill.probes import options
from drill.probes.calls import ask, clients
from drill.probes.contract import Context, Probe, Seen, told

_NEWEST = """
SELECT DISTINCT ON (customer) customer, number, nonce FROM orders
WHERE customer = ANY(CAST(:customers AS text[])) ORDER BY customer, number DESC
"""
_SINCE = "SELECT min(number) FROM orders WHERE customer = :customer AND number > :base"


class _Untold(Exception):
    """AWS did not tell; the text is the error's short word."""


@dataclass(slots=True)
class _Known:
    """What was learnt by now: where the database is, who logs in, and where the orders began to grow."""

    place: postgres.Place | None = None
    login: postgres.Login | None = None
    base: Mapping[str, int] | None = None


class PostgresProbe(Probe):
    """Connects and queries on each attempt, in a thread of its own."""

    kind: ClassVar[str] = "postgres"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._region = options.text(spec, "region")
        self._cluster = made.filled(options.text(spec, "cluster_id"), context.run_id)
        self._secret = options.text(spec, "secret_arn")
        self._database = options.text(spec, "database", "orders")
        named = options.texts(spec, "customers") or ("{run}",)
        self._customers = {name.replace("{run}", context.run_id): name for name in named}
        self._known = _Known()
        self._threads: ThreadPoolExecutor

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:
        """Return reads of the cluster and of the secret."""
        region = options.text(spec, "region")
        cluster = made.pattern(options.text(spec, "cluster_id"))
        key_arn = options.text(spec, "key_arn") if spec.options.get("key_arn") else ""
        arn = f"arn:{{partition}}:rds:{region}:{{account}}:cluster:{cluster}"
        return (
            Call("capture", "rds", "DescribeDBClusters", (arn,)),
            *secret_reads.calls("capture", region, options.text(spec, "secret_arn"), key_arn),
        )

    async def open(self) -> None:
        """Make the clients and the threads."""
        aws = clients(self.context.endpoint_url, self.spec.timeout_s, self.context.role)
        self._rds: Any = aws.client("rds", self._region)
        self._secrets: Any = aws.client("secretsmanager", self._region)
        self._threads = ThreadPoolExecutor(self.slots, "postgres")

    async def attempt(self, number: int) -> Seen:
        """Connect and query once."""
        try:
            async with asyncio.timeout(self.spec.timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._attempt)
        except TimeoutError:
            return Seen(Goodness.BAD, None, {"error": "timeout"})

    def _attempt(self) -> Seen:
        try:
            return self._asked(self._place(), self._login())
        except postgres.NotServed as problem:
            self._forget(problem.word)
            return Seen(Goodness.BAD, None, {"error": problem.word}, clock.monotonic_ns())
        except _Untold as problem:
            return Seen(Goodness.UNKNOWN, None, {"error": str(problem)}, clock.monotonic_ns())

    def _asked(self, place: postgres.Place, login: postgres.Login) -> Seen:
        begun_ns = clock.monotonic_ns()
        with postgres.connected(place, login) as connection:
            open_ns = clock.monotonic_ns()
            newest = {
                str(customer): (int(number), str(nonce))
                for customer, number, nonce in connection.run(_NEWEST, customers=list(self._customers))
            }
            since = self._since(connection, newest)
            done_ns = clock.monotonic_ns()
        shown: dict[str, Json] = {
            self._customers[one]: {"number": number, "nonce": nonce}
            for one, (number, nonce) in newest.items()
        }
        detail = told(
            connect_s=round((open_ns - begun_ns) / 1e9, 6),
            query_s=round((done_ns - open_ns) / 1e9, 6),
            newest=shown,
            since=since or None,
        )
        return Seen(Goodness.GOOD, self._region, detail, done_ns)

    def _since(
        self, connection: postgres.Connection, newest: Mapping[str, tuple[int, str]]
    ) -> dict[str, Json]:
        base = self._known.base
        if base is None:
            self._known.base = {one: number for one, (number, _) in newest.items()}
            return {}
        found: dict[str, Json] = {}
        for customer, (number, _) in newest.items():
            before = base.get(customer, -1)
            if number > before:
                ((lowest,),) = connection.run(_SINCE, customer=customer, base=before)
                found[self._customers[customer]] = int(lowest)
        return found

    def _place(self) -> postgres.Place:
        if self._known.place is not None:
            return self._known.place
        answer = self._told(self._rds.describe_db_clusters, DBClusterIdentifier=self._cluster)
        clusters = answer.get("DBClusters", [])
        if not clusters or not clusters[0].get("Endpoint"):
            word = "no_cluster"
            raise postgres.NotServed(word, word)
        host, port = clusters[0]["Endpoint"], int(clusters[0]["Port"])
        self._known.place = postgres.Place(
            host, port, self._database, self.context.resolver, self.spec.timeout_s
        )
        return self._known.place

    def _login(self) -> postgres.Login:
        if self._known.login is None:
            text = self._told(self._secrets.get_secret_value, SecretId=self._secret)["SecretString"]
            self._known.login = postgres.login_of(self._secret, text)
        return self._known.login

    def _told(self, method: Any, **parameters: object) -> dict[str, Any]:  # noqa: ANN401 (boto3's)
        reply = ask(method, parameters)
        if reply.error and reply.error != "DBClusterNotFoundFault":
            raise _Untold(reply.error)
        return reply.document

    def _forget(self, word: str) -> None:
        """Ask again for what may have changed meanwhile."""
        if word == postgres.WRONG_PASSWORD:
            self._known.login = None
        elif word == "dns":
            self._known.place = None

    async def close(self) -> None:
        """Let the threads go; one that still waits ends at its own time-out."""
        self._threads.shutdown(wait=False, cancel_futures=True)
