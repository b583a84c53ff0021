"""The http probe, against a service and a resolver that really run."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from drill.errors import UsageError
from drill.model import Goodness, ProbeSpec
from drill.probes.contract import Context
from drill.probes.http import HttpProbe
from tests.drill.probes.scripted import Attempts, Place, Serve, Zone, seconds


def make_probe(context: Context, timeout_s: float = 5, **options: object) -> HttpProbe:
    """Return a probe with sane values."""
    return HttpProbe(ProbeSpec("clients", "http", 0.1, timeout_s, options), context)  # type: ignore[arg-type]


def served(*_: object) -> tuple[int, object]:
    """Answer as the drilled application does."""
    return 200, {"region": "us-east-1", "cold": True}


class TestAnswers:
    def test_good(self, serve: Serve, place: Place, attempts: Attempts, zone: Zone) -> None:
        """A 2xx answer is good; region, cold start, address and every stage's time are kept."""
        service = serve(served)
        zone.records["shop.test"] = ["127.0.0.1"]
        context = place(service.port, "shop.test", resolver=zone.server)

        (seen,) = attempts(make_probe(context), 1)

        assert (Goodness.GOOD, "us-east-1") == (seen.goodness, seen.answered_by)
        assert {"status": 200, "address": "127.0.0.1", "cold": True} == {
            key: seen.detail[key] for key in ("status", "address", "cold")
        }
        stages = [seconds(seen.detail, key) for key in ("connect_s", "first_byte_s", "total_s")]
        assert sorted(stages) == stages
        assert stages[0] > 0
        assert seconds(seen.detail, "resolve_s") > 0
        assert "error" not in seen.detail
        assert service.asked == [("GET", "/health/regional", b"")]

    def test_503(self, serve: Serve, place: Place, attempts: Attempts) -> None:
        """An error answer is bad and still tells which region gave it."""
        service = serve(lambda *_: (503, {"region": "us-east-1", "cold": False}))

        (seen,) = attempts(make_probe(place(service.port), path="/x"), 1)

        assert (Goodness.BAD, "us-east-1") == (seen.goodness, seen.answered_by)
        assert (503, "http_503", False) == tuple(seen.detail[key] for key in ("status", "error", "cold"))
        assert service.asked == [("GET", "/x", b"")]

    @pytest.mark.parametrize("body", [b"<html>", b'{"region": ', b"", b"[1]", b'{"region": 7, "cold": "no"}'])
    def test_a_body_that_says_nothing(
        self, serve: Serve, place: Place, attempts: Attempts, body: bytes
    ) -> None:
        """A 200 is good whatever its body; without a region nobody is said to have answered."""
        (seen,) = attempts(make_probe(place(serve(lambda *_: (200, body)).port)), 1)

        assert (Goodness.GOOD, None) == (seen.goodness, seen.answered_by)
        assert "cold" not in seen.detail


class TestFailures:
    def test_refused(self, refused: int, place: Place, attempts: Attempts) -> None:
        """Nobody listens: refused."""
        (seen,) = attempts(make_probe(place(refused)), 1)

        assert (Goodness.BAD, "refused") == (seen.goodness, seen.detail["error"])

    def test_hang(self, silent: int, place: Place, attempts: Attempts) -> None:
        """A server that says nothing: a time-out, although the connection stood."""
        (seen,) = attempts(make_probe(place(silent), 0.5), 1)

        assert (Goodness.BAD, "timeout") == (seen.goodness, seen.detail["error"])
        assert 0 < seconds(seen.detail, "connect_s") < seconds(seen.detail, "total_s")
        assert "first_byte_s" not in seen.detail

    def test_dark(self, dark: int, place: Place, attempts: Attempts) -> None:
        """Packets vanish: a time-out in which no connection ever stood, at the address that was tried."""
        (seen,) = attempts(make_probe(place(dark), 0.1), 1)

        assert (Goodness.BAD, "timeout") == (seen.goodness, seen.detail["error"])
        assert seen.detail["address"] == "127.0.0.1"
        assert "connect_s" not in seen.detail

    def test_time_outs_overlap(self, silent: int, place: Place, attempts: Attempts) -> None:
        """Two hundred attempts hang at once and together take one time-out."""
        seen = attempts(make_probe(place(silent), 1.5), 200)

        assert ["timeout"] * 200 == [each.detail["error"] for each in seen]
        assert all(1.4 <= seconds(each.detail, "total_s") < 5 for each in seen)

    @pytest.mark.parametrize(
        ("record", "word"), [("NXDOMAIN", "nxdomain"), ("SERVFAIL", "servfail"), ([], "no_address")]
    )
    def test_dns(
        self, zone: Zone, place: Place, attempts: Attempts, record: str | list[str], word: str
    ) -> None:
        """A name without an address is bad, and why is kept."""
        zone.records["shop.test"] = record
        (seen,) = attempts(make_probe(place(host="shop.test", resolver=zone.server)), 1)

        assert (Goodness.BAD, "dns", word) == (seen.goodness, seen.detail["error"], seen.detail["dns_error"])

    def test_dns_silent(self, zone: Zone, place: Place, attempts: Attempts) -> None:
        """A resolver that says nothing uses the attempt's time up."""
        zone.records["shop.test"] = "silent"
        (seen,) = attempts(make_probe(place(host="shop.test", resolver=zone.server), 0.2), 1)

        assert (Goodness.BAD, "timeout") == (seen.goodness, seen.detail["dns_error"])
        assert seconds(seen.detail, "resolve_s") >= 0.2

    def test_dns_nobody(self, place: Place, attempts: Attempts) -> None:
        """A resolver that is not there is told at once."""
        (seen,) = attempts(make_probe(place(host="shop.test", resolver="127.0.0.1:9"), 30), 1)

        assert (Goodness.BAD, "unreachable") == (seen.goodness, seen.detail["dns_error"])


class TestClients:
    def test_resolves_and_connects_each_time(
        self, serve: Serve, zone: Zone, place: Place, attempts: Attempts
    ) -> None:
        """Nothing is cached: as many questions and as many connections as attempts."""
        service = serve(served)
        zone.records["shop.test"] = ["127.0.0.1"]

        seen = attempts(make_probe(place(service.port, "shop.test", resolver=zone.server)), 5)

        assert zone.asked["shop.test"] == 5
        assert [None] * 5 == [each.detail.get("reused") for each in seen]

    def test_concurrent_attempts_keep_their_own_addresses(
        self, serve: Serve, zone: Zone, place: Place, attempts: Attempts
    ) -> None:
        """An attempt connects where its own answer said, while others were told another address."""
        first = serve(lambda *_: (200, {"region": "one"}), "127.0.0.2")
        serve(lambda *_: (200, {"region": "two"}), "127.0.0.3", first.port)
        lock = threading.Lock()
        turns = {"n": 0}

        class Turning(dict[str, str | Sequence[str]]):
            def get(self, *_: object) -> list[str]:
                with lock:
                    turns["n"] += 1
                    return [f"127.0.0.{2 + turns['n'] % 2}"]

        zone.records = Turning()
        seen = attempts(make_probe(place(first.port, "shop.test", resolver=zone.server)), 40)

        by_address = {"127.0.0.2": "one", "127.0.0.3": "two"}
        assert 20 == sum(each.answered_by == "one" for each in seen)
        assert all(each.answered_by == by_address[str(each.detail["address"])] for each in seen)

    def test_goes_on_to_the_next_address(
        self, serve: Serve, zone: Zone, place: Place, attempts: Attempts
    ) -> None:
        """Of several addresses a client takes the first that answers."""
        service = serve(served)
        zone.records["shop.test"] = ["127.0.0.9", "127.0.0.1"]

        (seen,) = attempts(make_probe(place(service.port, "shop.test", resolver=zone.server)), 1)

        assert (Goodness.GOOD, "127.0.0.1") == (seen.goodness, seen.detail["address"])

    def test_by_way_of_a_load_balancer(self, serve: Serve, place: Place, attempts: Attempts) -> None:
        """A load balancer's address is connected to, and the request still names the service."""
        service = serve(served)

        (seen,) = attempts(make_probe(place(host="shop.test"), by_way_of="127.0.0.1", port=service.port), 1)

        assert seen.goodness is Goodness.GOOD

    def test_no_proxy(
        self, serve: Serve, place: Place, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy in the environment is not used: it would be what is measured."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

        (seen,) = attempts(make_probe(place(serve(served).port)), 1)

        assert seen.goodness is Goodness.GOOD

    @pytest.mark.parametrize("keep", [False, True])
    def test_kept_connection(self, serve: Serve, place: Place, *, keep: bool) -> None:
        """Only when asked to behave as a pool does, the second attempt reuses the first's connection."""
        service = serve(served)

        async def twice() -> list[bool]:
            probe = make_probe(place(service.port), keep_connection=keep)
            await probe.open()
            seen = [await probe.attempt(0), await probe.attempt(1)]
            await probe.close()
            return ["reused" in each.detail for each in seen]

        assert [False, keep] == asyncio.run(twice())

    @pytest.mark.parametrize("options", [{"path": 3}, {"port": "a"}, {"port": 0}, {"keep_connection": "yes"}])
    def test_wrong_options(self, place: Place, options: dict[str, object]) -> None:
        """A wrong option names itself before anything is asked."""
        with pytest.raises(UsageError, match=f"option '{next(iter(options))}' must be"):
            make_probe(place(), 5, **options)
