"""Reading the ledger from a restored database itself, as a ``postgres`` probe connects to it."""

from drill import clock, postgres
from drill.faults import made
from drill.model import LedgerRead, LedgerRow, ProbeSpec
from drill.probes import options
from drill.probes.calls import Reply, ask, clients
from drill.probes.contract import Context

STORE = "aurora"
_ROWS = "SELECT number, nonce FROM orders WHERE customer = :customer ORDER BY token"


def read(context: Context, spec: ProbeSpec, occasion: str, timeout_s: float) -> LedgerRead:
    """Read every order of a run.

    Args:
        context: The drill's.
        spec: The ``postgres`` probe of the database.
        occasion: ``cutover`` or ``resumed``.
        timeout_s: When connecting, and the query, is given up.

    Returns:
        The rows, or why the database could not be read.

    """
    region = options.text(spec, "region")
    sent_ns = clock.monotonic_ns()
    try:
        place, login = _place(context, spec, timeout_s), _login(context, spec, timeout_s)
        with postgres.connected(place, login) as connection:
            sent_ns = clock.monotonic_ns()
            rows = connection.run(_ROWS, customer=context.run_id)
    except postgres.NotServed as problem:
        why = f"the restored database could not be read: {problem.word}"
        return LedgerRead(STORE, occasion, sent_ns, clock.monotonic_ns(), None, error=why)
    held = tuple(LedgerRow(int(number), str(nonce)) for number, nonce in rows)
    return LedgerRead(STORE, occasion, sent_ns, clock.monotonic_ns(), region, held)


def _place(context: Context, spec: ProbeSpec, timeout_s: float) -> postgres.Place:
    rds = clients(context.endpoint_url, timeout_s, context.role).client("rds", options.text(spec, "region"))
    name = made.filled(options.text(spec, "cluster_id"), context.run_id)
    found = _told(ask(rds.describe_db_clusters, {"DBClusterIdentifier": name}))
    one = found.document["DBClusters"][0]
    database = options.text(spec, "database", "orders")
    return postgres.Place(str(one["Endpoint"]), int(one["Port"]), database, context.resolver, timeout_s)


def _login(context: Context, spec: ProbeSpec, timeout_s: float) -> postgres.Login:
    region, secret = options.text(spec, "region"), options.text(spec, "secret_arn")
    client = clients(context.endpoint_url, timeout_s, context.role).client("secretsmanager", region)
    found = _told(ask(client.get_secret_value, {"SecretId": secret}))
    return postgres.login_of(secret, found.document["SecretString"])


def _told(reply: Reply) -> Reply:
    if reply.error:
        raise postgres.NotServed(reply.error, reply.error)
    return reply
