"""The load balancers: HTTP listeners that invoke Lambda functions.

Events and answers have the form of
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
(translated in ``edge_event.py``). Every listener answers in each of its load balancer's
subnets, and each of these places honours the network ACL of that subnet alone, and the load
balancer's security groups.
"""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import h11

from infra.lab.addresses import Addresses
from infra.lab.edge_event import Answer, Request, answer_from, event_from, plain
from infra.lab.gate import Connection, Passage
from infra.lab.gates import Gates
from infra.lab.profile import Profile
from infra.lab.reachability import INTERNET, Openness, accepts_from
from infra.lab.security import Peer, lets_in
from infra.lab.service_metrics import ServiceMetrics, served
from infra.lab.truth import TruthLog
from infra.lab.world import Invoker, Listener, LoadBalancer, Snapshot, Subnet

INVOCATIONS_AT_ONCE = 64
# The most that a load balancer hands to a function: 1 MB.
BODY_BYTES = 1_000_000
_NEVER_A_BODY = frozenset({204, 304})


def load_balancer_addresses(
    addresses: Addresses, snapshot: Snapshot, balancer: LoadBalancer
) -> tuple[str, ...]:
    """Return every address at which a load balancer answers, one per subnet."""
    return tuple(
        addresses.inside(balancer.region, addresses.host(subnet.cidr, balancer.arn))
        for subnet in snapshot.subnets
        if subnet.id in balancer.subnet_ids
    )


class Edge:
    """Serves HTTP for every load balancer of the snapshot."""

    def __init__(
        self,
        addresses: Addresses,
        profile: Profile,
        truth: TruthLog,
        invoker: Invoker,
        *,
        metrics: ServiceMetrics | None = None,
    ) -> None:
        """Say what runs the functions, and who counts; nothing listens before the first snapshot."""
        self._metrics = metrics
        self._addresses = addresses
        self._truth = truth
        self._invoker = invoker
        self._targets: Mapping[Passage, tuple[LoadBalancer, Listener]] = {}
        self._gates = Gates(profile.acl_s, truth, self._carry)
        self._threads = ThreadPoolExecutor(INVOCATIONS_AT_ONCE, thread_name_prefix="edge")

    async def start(self) -> None:
        """Do nothing yet: listeners come with the snapshots."""

    def reconcile(self, snapshot: Snapshot) -> None:
        """Follow a snapshot; a changed ACL takes effect the profile's ``acl_s`` later."""
        wanted: dict[Passage, Openness] = {}
        targets: dict[Passage, tuple[LoadBalancer, Listener]] = {}
        for balancer in snapshot.load_balancers:
            for subnet in snapshot.subnets:
                if subnet.id not in balancer.subnet_ids:
                    continue
                private = self._addresses.host(subnet.cidr, balancer.arn)
                address = self._addresses.inside(balancer.region, private)
                for listener in balancer.listeners:
                    passage = Passage("edge", balancer.region, address, listener.port)
                    wanted[passage] = _accepts(snapshot, balancer, subnet, listener.port)
                    targets[passage] = (balancer, listener)
        self._targets = targets
        self._gates.follow(wanted)

    async def close(self) -> None:
        """Stop listening, drop every connection, and wait for no invocation."""
        await self._gates.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _carry(self, passage: Passage, connection: Connection) -> None:
        http = h11.Connection(h11.SERVER)
        while True:
            try:
                request = await _next_request(http, connection)
            except h11.RemoteProtocolError as problem:
                await _refuse(http, connection, problem.error_status_hint)
                return
            if request is None:
                return
            answer = await self._answer(passage, connection.peer, request)
            await connection.write(_response(http, answer, request.method))
            self._truth.log(
                "request_served",
                region=passage.region,
                method=request.method,
                path=request.target.partition("?")[0],
                status=answer.status,
            )
            if http.our_state is not h11.DONE:
                return
            http.start_next_cycle()

    async def _answer(self, passage: Passage, peer: str, request: Request) -> Answer:
        if len(request.body) > BODY_BYTES:
            return plain(413)
        balancer, listener = self._targets[passage]
        event = event_from(request, balancer, listener, peer)
        began = time.monotonic()
        invocation = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            self._invoker.invoke,
            passage.region,
            listener.function,
            listener.qualifier,
            event,
        )
        answer = answer_from(invocation)
        if self._metrics is not None:
            response_s = time.monotonic() - began if answer.by_target else None
            self._metrics.add(served(balancer, listener.target_group, answer.status, response_s))
        return answer


def _accepts(snapshot: Snapshot, balancer: LoadBalancer, subnet: Subnet, port: int) -> Openness:
    way = accepts_from(subnet, INTERNET, port)
    return way if not way[0] else lets_in(snapshot, balancer.security_group_ids, Peer(INTERNET), port)


async def _next_request(http: h11.Connection, connection: Connection) -> Request | None:
    head: h11.Request | None = None
    body: list[bytes] = []
    while True:
        happened = http.next_event()
        if happened is h11.NEED_DATA:
            if http.they_are_waiting_for_100_continue:
                await connection.write(
                    http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
                )
            http.receive_data(await connection.read())
        elif isinstance(happened, h11.Request):
            head = happened
        elif isinstance(happened, h11.Data):
            # What is over the limit is read but not kept: the answer is 413.
            if sum(map(len, body)) <= BODY_BYTES:
                body.append(bytes(happened.data))
        elif isinstance(happened, h11.EndOfMessage) and head is not None:
            return Request.of(head, b"".join(body))
        else:
            return None


def _response(http: h11.Connection, answer: Answer, method: str = "") -> bytes:
    if answer.status in _NEVER_A_BODY:
        answer = Answer(answer.status, answer.headers, b"")
    headers = [*answer.headers, ("content-length", str(len(answer.body)))]
    sent = http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
    if answer.body and method != "HEAD":
        sent += http.send(h11.Data(data=answer.body)) or b""
    return sent + (http.send(h11.EndOfMessage()) or b"")


async def _refuse(http: h11.Connection, connection: Connection, status: int) -> None:
    if http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
        refusal = plain(status)
        closing = Answer(refusal.status, (*refusal.headers, ("connection", "close")), refusal.body)
        await connection.write(_response(http, closing))
