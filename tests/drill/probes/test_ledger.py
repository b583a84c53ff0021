"""Reading the ledger through the service."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from drill.model import LedgerRow
from drill.probes.ledger import read_ledger
from tests.drill.probes.scripted import Place, Serve

ROWS: list[dict[str, object]] = [{"number": n, "nonce": f"n{n}", "token": f"{n:010d}"} for n in range(5)]
Query = dict[str, list[str]]


def paged(
    rows: list[dict[str, object]], region: Callable[[Query], str] = lambda _: "us-west-2"
) -> Callable[..., tuple[int, object]]:
    """Return a script that answers with two orders a page, as the application pages."""

    def answer(_method: str, path: str, _body: bytes) -> tuple[int, object]:
        query = parse_qs(urlsplit(path).query)
        after = query.get("after", [""])[0]
        left = [row for row in rows if str(row["token"]) > after]
        page, more = left[:2], len(left) > 2
        following = page[-1]["token"] if more else None
        return 200, {"region": region(query), "store": query["store"][0], "orders": page, "next": following}

    return answer


class TestReading:
    def test_all_pages(self, serve: Serve, place: Place) -> None:
        """Every order of every page is there, once and in order, of the customer that was asked for."""
        service = serve(paged(ROWS))

        read = read_ledger(place(service.port), "aurora", "drill run#1", "cutover", 10)

        assert tuple(LedgerRow(n, f"n{n}") for n in range(5)) == read.rows
        assert ("aurora", "cutover", "us-west-2", "") == (read.store, read.occasion, read.region, read.error)
        assert read.sent_ns < read.done_ns
        queries = [parse_qs(urlsplit(path).query) for _, path, _ in service.asked]
        assert {"drill run#1"} == {query["customer"][0] for query in queries}
        assert [None, "0000000001", "0000000003"] == [query.get("after", [None])[0] for query in queries]

    def test_a_row_that_is_there_twice(self, serve: Serve, place: Place) -> None:
        """Duplicates are kept: they are a finding."""
        twice = [ROWS[0], {**ROWS[0], "token": "0000000000b"}]

        read = read_ledger(place(serve(paged(twice)).port), "aurora", "c", "cutover", 10)

        assert (LedgerRow(0, "n0"), LedgerRow(0, "n0")) == read.rows

    def test_empty(self, serve: Serve, place: Place) -> None:
        """A store without orders was read all the same."""
        read = read_ledger(place(serve(paged([])).port), "dynamodb", "c", "resumed", 10)

        assert ((), "us-west-2", "") == (read.rows, read.region, read.error)

    def test_retries_a_page(self, serve: Serve, place: Place) -> None:
        """A page that fails once is asked for again and what was read is not lost."""
        page = paged(ROWS)
        failures = iter([False, True, False, False])
        service = serve(lambda *request: (503, {"error": "busy"}) if next(failures) else page(*request))

        read = read_ledger(place(service.port), "aurora", "c", "cutover", 10)

        assert 5 == len(read.rows)
        assert "" == read.error

    def test_another_region_in_the_middle(self, serve: Serve, place: Place) -> None:
        """When the other region answers in the middle, reading begins again: no ledger is half of each."""
        regions = iter(["us-east-1", "us-west-2", "us-west-2", "us-west-2", "us-west-2"])
        service = serve(paged(ROWS, lambda _: next(regions)))

        read = read_ledger(place(service.port), "aurora", "c", "cutover", 10)

        assert ("us-west-2", [0, 1, 2, 3, 4]) == (read.region, [row.number for row in read.rows])


class TestUnreadable:
    def test_store_away(self, serve: Serve, place: Place) -> None:
        """What the service says of a store that it can't reach is kept, with no region and no rows."""
        service = serve(lambda *_: (503, {"error": "aurora can't be reached"}))

        read = read_ledger(place(service.port), "aurora", "c", "cutover", 0.5)

        assert (None, ()) == (read.region, read.rows)
        assert "aurora could not be read: aurora can't be reached" == read.error
        assert read.done_ns - read.sent_ns >= 400_000_000

    def test_nobody_there(self, refused: int, place: Place) -> None:
        """A service that is not there is an error of the reading, not of the program."""
        read = read_ledger(place(refused), "aurora", "c", "cutover", 0.3)

        assert "aurora could not be read: refused" == read.error

    @pytest.mark.parametrize(
        ("document", "error"),
        [
            ({"orders": []}, "not a page of orders"),
            (b"<html>", "not a page of orders"),
            ({"region": "a", "orders": [{"number": "1", "nonce": "n"}], "next": None}, "no number or nonce"),
            ({"region": "a", "orders": [], "next": ""}, "do not advance"),
        ],
    )
    def test_no_ledger(self, serve: Serve, place: Place, document: object, error: str) -> None:
        """An answer that is no page of orders is an error, never an empty ledger."""
        read = read_ledger(place(serve(lambda *_: (200, document)).port), "aurora", "c", "cutover", 5)

        assert error in read.error
        assert read.region is None
