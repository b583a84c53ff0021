import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from infra.lab.addresses import free_port
from infra.lab.gate import Connection, Gate, Passage
from infra.lab.health_checks import HealthChecks
from infra.lab.profile import FAST
from infra.lab.world import HealthCheck, Snapshot
from tests.infra.lab.netlab import EAST, Lab, lab, run, until

# 30 s become 60 ms.
PROFILE = replace(FAST, check_scale=0.002, check_connect_s=0.3, check_response_s=0.3)
INTERVAL_S = 0.06
HOST = "shop.test"


@dataclass
class Endpoint:
    """An HTTP server that answers as told and counts its requests."""

    address: str
    status: int = 200
    hangs: bool = False
    asked: list[bytes] = field(default_factory=list)
    asked_at: dict[str, list[float]] = field(default_factory=dict)
    port: int = 0

    async def serve(self, connection: Connection) -> None:
        """Answer one request."""
        head = await connection.read()
        self.asked.append(head)
        self.asked_at.setdefault(connection.peer, []).append(time.monotonic())
        if self.hangs:
            await asyncio.sleep(30)
        await connection.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\n\r\n".encode())

    @contextlib.asynccontextmanager
    async def running(self, made: Lab) -> AsyncIterator[Gate]:
        """Serve behind a gate."""
        gate = Gate(Passage("edge", EAST, self.address, self.port), self.serve, made.truth)
        gate.start()
        try:
            yield gate
        finally:
            await gate.stop()


@dataclass
class Scene:
    """Running checks of one endpoint."""

    made: Lab
    checks: HealthChecks
    endpoint: Endpoint
    gate: Gate
    told: list[tuple[str, bool]] = field(default_factory=list)

    def follow(self, *checks: HealthCheck) -> None:
        """Have these checks and no others."""
        self.checks.reconcile(Snapshot(health_checks=checks))

    def check(self, **changes: Any) -> HealthCheck:
        """Make a check of the endpoint."""
        usual = HealthCheck("one", "HTTP", host=HOST, port=self.endpoint.port, path="/health", interval_s=30)
        return replace(usual, **changes)

    async def shows(self, check_id: str, healthy: bool) -> None:
        """Wait until a check shows a state."""
        await until(lambda: self.checks.healthy(check_id) == healthy)


def _play(folder: Path, scene: Callable[[Scene], Coroutine[Any, Any, None]]) -> Lab:
    async def played(made: Lab) -> None:
        address = made.addresses.inside(EAST, "10.1.10.10")
        endpoint = Endpoint(address, port=free_port([address]))
        checks = HealthChecks(
            made.addresses, PROFILE, made.truth, lambda name: [address] if name == HOST else []
        )
        await checks.start()
        async with endpoint.running(made) as gate:
            one = Scene(made, checks, endpoint, gate)
            checks.on_change(lambda check_id, healthy: one.told.append((check_id, healthy)))
            try:
                await scene(one)
            finally:
                await checks.close()

    with lab(folder) as made:
        run(played(made))
        return made


def _calculated(threshold: int, *children: str, inverted: bool = False) -> HealthCheck:
    return HealthCheck(
        "sum", "CALCULATED", children=children, children_threshold=threshold, inverted=inverted
    )


def test_threshold_results_in_a_row_are_needed_on_the_wire(tmp_path: Path) -> None:
    """A check turns unhealthy after every checker asked ``threshold`` times in vain, and back likewise."""

    async def scene(s: Scene) -> None:
        s.endpoint.status = 503
        s.follow(s.check(threshold=3))
        await s.shows("one", healthy=False)
        assert len(s.endpoint.asked) >= 3 * PROFILE.checkers
        s.endpoint.status, before = 200, len(s.endpoint.asked)
        await s.shows("one", healthy=True)
        # One of three checkers is enough to be healthy; it alone has asked three times.
        assert 3 <= len(s.endpoint.asked) - before <= 3 * PROFILE.checkers

    made = _play(tmp_path, scene)
    assert [(e["health_check_id"], e["healthy"]) for e in made.events("health_changed")] == [
        ("one", False),
        ("one", True),
    ]


def test_checkers_are_staggered_and_keep_their_interval(tmp_path: Path) -> None:
    """Requests come one checker after the other, each at its interval, and name Route 53."""
    interval_s = 450 * PROFILE.check_scale

    async def scene(s: Scene) -> None:
        s.follow(s.check(interval_s=450))
        await until(lambda: len(s.endpoint.asked) >= 3 * PROFILE.checkers)
        first, second, third = s.endpoint.asked_at.values()
        assert third[0] - first[0] >= interval_s / 3
        for one in (first, second, third):
            assert 0.6 * interval_s <= one[1] - one[0] <= 3 * interval_s
        head = s.endpoint.asked[0].decode()
        assert head.startswith("GET /health HTTP/1.1\r\n")
        assert f"Host: {HOST}:{s.endpoint.port}\r\n" in head
        assert "Amazon-Route53-Health-Check-Service" in head

    _play(tmp_path, scene)


@pytest.mark.parametrize(
    ("status", "good"), [(200, True), (302, True), (399, True), (404, False), (500, False)]
)
def test_2xx_and_3xx_are_good(tmp_path: Path, status: int, good: bool) -> None:
    """Every checker reports what it saw, in Route 53's words."""

    async def scene(s: Scene) -> None:
        s.endpoint.status = status
        s.follow(s.check())
        await until(lambda: len(s.checks.reports("one")) == PROFILE.checkers)
        reports = s.checks.reports("one")
        assert {r.status.partition(":")[0] for r in reports} == {"Success" if good else "Failure"}
        assert all(f"HTTP Status Code {status}" in r.status for r in reports)
        assert len({r.address for r in reports}) == PROFILE.checkers
        assert all(abs(r.checked_at - time.time()) < 60 for r in reports)

    _play(tmp_path, scene)


def test_a_black_hole_times_out_and_the_round_gets_longer(tmp_path: Path) -> None:
    """Packets that vanish make every look last until the connect time-out, then the interval follows."""

    async def scene(s: Scene) -> None:
        s.follow(s.check(threshold=2))
        await until(lambda: len(s.endpoint.asked) >= 3)
        s.gate.close_path()
        dark = time.monotonic()
        await s.shows("one", healthy=False)
        assert time.monotonic() - dark >= 2 * PROFILE.check_connect_s + INTERVAL_S - 0.01
        assert all("timed out" in report.status for report in s.checks.reports("one"))
        s.gate.open_path()
        await s.shows("one", healthy=True)

    _play(tmp_path, scene)


def test_a_silent_a_closed_and_an_unknown_endpoint_fail(tmp_path: Path) -> None:
    """No answer in time, a refused connection and a name that does not resolve are all failures."""

    async def scene(s: Scene) -> None:
        s.endpoint.hangs = True
        nobody = replace(s.check(), id="nobody", host="nobody.test")
        refused = replace(s.check(), id="refused", host="127.0.0.1", port=1)
        plain = replace(s.check(), id="plain", type="HTTPS", host=s.endpoint.address)
        s.follow(s.check(), nobody, refused, plain)
        for check_id, why in (
            ("one", "did not respond"),
            ("nobody", "not resolve"),
            ("refused", "Connection refused"),
            ("plain", "Failure"),
        ):
            await s.shows(check_id, healthy=False)
            assert why in s.checks.reports(check_id)[0].status

    _play(tmp_path, scene)


def test_a_tcp_check_only_connects(tmp_path: Path) -> None:
    """A TCP check is good where the connection stands, whatever would be answered."""

    async def scene(s: Scene) -> None:
        s.endpoint.status = 500
        s.follow(s.check(type="TCP"))
        await until(lambda: len(s.checks.reports("one")) == PROFILE.checkers)
        assert {r.status for r in s.checks.reports("one")} == {"Success: TCP connection was established"}

    _play(tmp_path, scene)


def test_inverting_shows_at_once_and_is_told(tmp_path: Path) -> None:
    """Disabled and inverted, a healthy check is unhealthy at that moment, asks no more, and comes back."""

    async def scene(s: Scene) -> None:
        total = _calculated(1, "one")
        s.follow(s.check(), total)
        await until(lambda: len(s.endpoint.asked) >= 3)
        assert s.checks.healthy("one")
        s.follow(s.check(disabled=True, inverted=True), total)
        assert not s.checks.healthy("one")
        assert not s.checks.healthy("sum")
        assert sorted(s.told) == [("one", False), ("sum", False)]
        await asyncio.sleep(0.3)  # what was under way is over
        asked = len(s.endpoint.asked)
        await asyncio.sleep(2 * INTERVAL_S)
        assert len(s.endpoint.asked) == asked
        s.follow(s.check(), total)
        assert s.checks.healthy("one")
        await until(lambda: len(s.endpoint.asked) > asked)
        s.follow(s.check(inverted=True), total)
        assert not s.checks.healthy("one")

    _play(tmp_path, scene)


def test_a_deleted_check_asks_no_more(tmp_path: Path) -> None:
    """With the check its checkers go; an unknown check is healthy and has no reports."""

    async def scene(s: Scene) -> None:
        s.follow(s.check())
        await until(lambda: len(s.endpoint.asked) >= 1)
        s.follow()
        await asyncio.sleep(0.3)  # what was under way is over
        asked = len(s.endpoint.asked)
        await asyncio.sleep(2 * INTERVAL_S)
        assert len(s.endpoint.asked) == asked
        assert s.checks.healthy("one")
        assert s.checks.reports("one") == ()

    _play(tmp_path, scene)
