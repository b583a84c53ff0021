"""The writer: what an answer, or none, proves of a numbered write."""

import json
import re

import pytest

from drill.model import Goodness, ProbeSpec
from drill.probes.contract import Context
from drill.probes.writer import WriterProbe, customer_of
from tests.drill.probes.scripted import Attempts, Place, Serve

WRITTEN = {"dynamodb": "written", "aurora": "written"}


def make_probe(context: Context, timeout_s: float = 5) -> WriterProbe:
    """Return a writer with sane values."""
    return WriterProbe(ProbeSpec("writer", "writer", 0.1, timeout_s), context)


class TestOrders:
    def test_numbers_and_nonces(self, serve: Serve, place: Place, attempts: Attempts) -> None:
        """Each attempt posts its own number once, with a token that sorts and a nonce of its own."""
        service = serve(lambda *_: (201, {"region": "us-east-1", "stores": WRITTEN, "cold": False}))

        seen = attempts(make_probe(place(service.port)), 3)

        posted = sorted((json.loads(body) for _, _, body in service.asked), key=lambda order: order["number"])
        assert ["POST /orders"] * 3 == [f"{method} {path}" for method, path, _ in service.asked]
        assert [0, 1, 2] == [order["number"] for order in posted]
        assert ["0000000000", "0000000001", "0000000002"] == [order["token"] for order in posted]
        assert {"run-1"} == {order["customer"] for order in posted}
        assert [each.detail["nonce"] for each in seen] == [order["nonce"] for order in posted]
        assert len({order["nonce"] for order in posted}) == 3
        assert all(re.fullmatch(r"[0-9a-f]{16}", order["nonce"]) for order in posted)

    def test_acknowledged(self, serve: Serve, place: Place, attempts: Attempts) -> None:
        """An acknowledged write keeps who answered and what it said of each store."""
        service = serve(lambda *_: (201, {"region": "us-east-1", "stores": WRITTEN, "cold": True}))

        (seen,) = attempts(make_probe(place(service.port)), 1)

        assert (Goodness.GOOD, "us-east-1") == (seen.goodness, seen.answered_by)
        assert (WRITTEN, True, 201) == tuple(seen.detail[key] for key in ("stores", "cold", "status"))

    def test_customer(self, place: Place) -> None:
        """The run's id can be put into a customer's name; the ledger is read with the same."""
        spec = ProbeSpec("writer", "writer", 1, 1, {"customer": "x-{run}-y"})

        assert customer_of(spec, place()) == "x-run-1-y"


class TestProof:
    @pytest.mark.parametrize(
        ("status", "document", "goodness"),
        [
            (200, {"replayed": True}, Goodness.GOOD),
            (200, {"replayed": True, "nonce": "another"}, Goodness.UNKNOWN),
            (201, {}, Goodness.GOOD),
            (202, {"stores": {"dynamodb": "written", "aurora": "pending"}}, Goodness.GOOD),
            (204, {}, Goodness.UNKNOWN),
            (302, {}, Goodness.UNKNOWN),
            (400, {"error": "bad"}, Goodness.BAD),
            (429, b"slow down", Goodness.BAD),
            (500, {"error": "?"}, Goodness.UNKNOWN),
            (502, b"<html>", Goodness.UNKNOWN),
            (503, {"error": "throttled", "done": False}, Goodness.BAD),
            (503, {"error": "?"}, Goodness.UNKNOWN),
            (504, {"error": "?", "done": None}, Goodness.UNKNOWN),
        ],
    )
    def test_answers(
        self,
        serve: Serve,
        place: Place,
        attempts: Attempts,
        status: int,
        document: object,
        goodness: Goodness,
    ) -> None:
        """Only a plain yes is good and only a plain no is bad."""
        (seen,) = attempts(make_probe(place(serve(lambda *_: (status, document)).port)), 1)

        assert goodness is seen.goodness

    def test_refused(self, refused: int, place: Place, attempts: Attempts) -> None:
        """Nothing was sent where nobody listened: bad, not unknown."""
        (seen,) = attempts(make_probe(place(refused)), 1)

        assert (Goodness.BAD, "refused") == (seen.goodness, seen.detail["error"])

    def test_dark(self, dark: int, place: Place, attempts: Attempts) -> None:
        """Nothing was sent while the connection never stood: bad."""
        (seen,) = attempts(make_probe(place(dark), 0.1), 1)

        assert (Goodness.BAD, "timeout") == (seen.goodness, seen.detail["error"])

    def test_no_name(self, zone: object, place: Place, attempts: Attempts) -> None:
        """Nothing was sent without an address: bad."""
        (seen,) = attempts(make_probe(place(host="shop.test", resolver="127.0.0.1:9")), 1)

        assert (Goodness.BAD, "dns") == (seen.goodness, seen.detail["error"])

    def test_hang(self, silent: int, place: Place, attempts: Attempts) -> None:
        """What became of a write that was sent and never answered is unknown."""
        (seen,) = attempts(make_probe(place(silent), 0.1), 1)

        assert (Goodness.UNKNOWN, "timeout") == (seen.goodness, seen.detail["error"])

    def test_cut_off(self, serve: Serve, place: Place, attempts: Attempts) -> None:
        """What became of a write whose connection broke is unknown, and it is not sent again."""

        def broken(*_: object) -> tuple[int, object]:
            raise ConnectionError

        service = serve(broken)
        (seen,) = attempts(make_probe(place(service.port)), 1)

        assert (Goodness.UNKNOWN, "closed") == (seen.goodness, seen.detail["error"])
        assert len(service.asked) == 1


class TestThrottled:
    @pytest.mark.parametrize(
        ("status", "document", "times"),
        [
            (201, {}, None),
            (201, {"throttled": 2}, 2),
            (201, {"throttled": True}, None),
            (429, {"throttled": 3, "done": False}, 3),
            (429, {}, 1),
            (503, {"done": False}, None),
        ],
    )
    def test_counts_refusals(
        self,
        status: int,
        document: dict[str, object],
        times: int | None,
        serve: Serve,
        place: Place,
        attempts: Attempts,
    ) -> None:
        """How often the store refused is what the answer says; a 429 that does not say is one."""
        service = serve(lambda *_: (status, document))

        (seen,) = attempts(make_probe(place(service.port)), 1)

        assert times == seen.detail.get("throttled")
