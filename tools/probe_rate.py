"""Show how well one sampler keeps 1,000 attempts a second while it makes its AWS calls.

Usage: ``.venv/bin/python tools/probe_rate.py [--rate 1000] [--seconds 60] [--no-aws] [--hang]``

A quick HTTP service on loopback and an AWS API (moto, in a process of its own) are asked by the
real sampler's process: an ``http`` probe at the rate, and beside it what a drill has (a writer,
two DNS probes, a health check, a table, replication markers). Printed are the quantiles of the
send lag (sent minus due) of the ``http`` probe, what was never sent and why, and the processor
time that the sampler took. Nothing else should run on the machine meanwhile.
"""

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from drill.aws import Aws
from drill.model import Observation, ProbeSpec
from drill.observations import Store
from drill.probes.contract import Context
from drill.probes.process import Sampler

EAST, WEST = "us-east-1", "us-west-2"
HERE = Path(__file__).resolve().parent
CLIENTS = "clients"
SERVICE = """
import asyncio, sys
BODY = b'{"region": "us-east-1", "stores": {"dynamodb": "written"}}'
HEAD = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: "
ANSWER = HEAD + b"%d\\r\\n\\r\\n" % len(BODY) + BODY
class Service(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        if sys.argv[1] != "hang":
            self.transport.write(ANSWER)
class Names(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
    def datagram_received(self, data, peer):
        flags, answer = b"\\x81\\x80", b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4\\x7f\\0\\0\\1"
        self.transport.sendto(data[:2] + flags + b"\\0\\1\\0\\1\\0\\0\\0\\0" + data[12:] + answer, peer)
async def main():
    loop = asyncio.get_running_loop()
    http = await loop.create_server(Service, "127.0.0.1", 0, backlog=4096)
    names, _ = await loop.create_datagram_endpoint(Names, ("127.0.0.1", 0))
    print(http.sockets[0].getsockname()[1], names.get_extra_info("sockname")[1], flush=True)
    await http.serve_forever()
asyncio.run(main())
"""
API = """
import sys
from infra.lab.control_plane import ControlPlane
from tests.drill.probes.conftest import Quiet
plane, quiet = ControlPlane("127.0.0.1", 0, ("us-east-1", "us-west-2")), Quiet()
plane.serve_with(invoker=quiet, health=quiet, writes=quiet)
plane.start()
print(plane.endpoint_url, flush=True)
sys.stdin.read()
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=1000, help="attempts a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--timeout", type=float, default=5)
    parser.add_argument("--no-aws", action="store_true", help="the http probe alone")
    parser.add_argument("--hang", action="store_true", help="the service takes requests and never answers")
    typed = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        http, names = stack.enter_context(_service("hang" if typed.hang else "answer"))
        url = None if typed.no_aws else stack.enter_context(_api())
        context = Context("rate", url, (EAST, WEST), "shop.test", http, resolver=f"127.0.0.1:{names}")
        specs = [
            ProbeSpec(CLIENTS, "http", 1 / typed.rate, typed.timeout),
            *(_others(url, names) if url else ()),
        ]
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        sampler = Sampler.start(specs, context, folder / "observations.sqlite")
        time.sleep(typed.seconds)
        sampler.stop()
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        with Store.open(folder / "observations.sqlite") as store:
            kept = store.read()[0]
    _print(kept, ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime, typed.seconds)


def _others(url: str, names: int) -> list[ProbeSpec]:
    """Make what AWS probes need, and return the probes that a drill has besides."""
    aws = Aws(url, 10)
    for region in (EAST, WEST):
        aws.client("dynamodb", region).create_table(
            TableName="orders",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "customer", "KeyType": "HASH"},
                {"AttributeName": "token", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("customer", "token")
            ],
        )
    check = aws.client("route53", "global").create_health_check(
        CallerReference="rate",
        HealthCheckConfig={"Type": "HTTP", "FullyQualifiedDomainName": "shop.test", "Port": 80},
    )["HealthCheck"]["Id"]
    server = f"127.0.0.1:{names}"
    return [
        ProbeSpec("writer", "writer", 0.05, 2),
        ProbeSpec("zone", "dns", 0.1, 2, {"name": "shop.test", "name_servers": [server]}),
        ProbeSpec("resolver", "dns", 0.1, 2, {"name": "shop.test", "server": server}),
        ProbeSpec("check", "health_check", 0.5, 5, {"health_check_id": check}),
        ProbeSpec("table", "table", 0.5, 5, {"table": "orders", "region": WEST}),
        ProbeSpec(
            "replication",
            "replication",
            0.2,
            1,
            {"table": "orders", "source": EAST, "destination": WEST, "poll_s": 0.05},
        ),
    ]


@contextlib.contextmanager
def _service(mode: str) -> Iterator[tuple[int, int]]:
    with subprocess.Popen([sys.executable, "-c", SERVICE, mode], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            http, names = process.stdout.readline().split()
            yield int(http), int(names)
        finally:
            process.kill()


@contextlib.contextmanager
def _api() -> Iterator[str]:
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    os.environ.update(environment)
    with subprocess.Popen(
        [sys.executable, "-c", API], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE.parent
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.kill()


def _print(kept: list[Observation], processor_s: float, seconds: float) -> None:
    clients = [one for one in kept if one.probe == CLIENTS]
    lags = sorted((one.sent_ns - one.due_ns) / 1e6 for one in clients if one.sent_ns is not None)
    unsent = Counter(str(one.detail.get("error")) for one in clients if one.sent_ns is None)
    answers = Counter(str(one.detail.get("error", "good")) for one in clients if one.sent_ns is not None)
    quantiles = {name: lags[min(len(lags) - 1, int(share * len(lags)))] for name, share in _QUANTILES.items()}
    print(f"due {len(clients)}, sent {len(lags)}, unsent {dict(unsent)}, outcomes {dict(answers)}")
    print("send lag, ms:", ", ".join(f"{name} {value:.3f}" for name, value in quantiles.items()))
    worst = max(clients, key=lambda one: (one.sent_ns or 0) - one.due_ns)
    print(f"the latest: attempt {worst.number}")
    print(f"over 1 ms: {sum(lag > 1 for lag in lags)} of {len(lags)}")
    print(f"processor: {processor_s / seconds:.2f} of a core (the sampler's start included)")


_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}


if __name__ == "__main__":
    main()
