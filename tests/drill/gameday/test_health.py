"""What the health endpoint says of a scheduler: only one that is stuck, or can't serve, is not well."""

import json
import urllib.error
import urllib.request

import pytest

from drill import clock
from drill.errors import UsageError
from drill.gameday import health
from drill.gameday.scheduler import Seen

LONG_AGO_NS = round(3600e9)


@pytest.mark.parametrize(
    ("seen", "status", "what"),
    [
        (Seen(), 200, {"serving": False, "stopping": False, "stuck": False, "problems": []}),
        (Seen(serving=True, looked_ns=0), 503, {"serving": True, "stuck": True}),
        (Seen(serving=True, looked_ns=0, stopping=True), 200, {"stopping": True, "stuck": False}),
        (Seen(serving=True, looked_ns=LONG_AGO_NS, problems=["a.yaml:1:1"]), 503, {"stuck": False}),
    ],
    ids=["waits for the lock", "stuck", "rolls a drill back", "can't serve a file"],
)
def test_what_is_told(
    monkeypatch: pytest.MonkeyPatch, seen: Seen, status: int, what: dict[str, object]
) -> None:
    """One that waits for another, and one that is told to end and rolls back, are well."""
    monkeypatch.setattr(clock, "monotonic_ns", lambda: LONG_AGO_NS)

    code, body = health.told(seen)

    assert status == code
    assert what.items() <= body.items()


def test_it_answers_at_its_address_alone() -> None:
    """GET /health is answered on loopback, anything else is not there."""
    with health.answering("127.0.0.1:0", Seen()) as where:
        with urllib.request.urlopen(where, timeout=30) as answer:  # noqa: S310 (loopback)
            assert False is json.load(answer)["stuck"]
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(where.replace("health", "other"), timeout=30)  # noqa: S310 (loopback)
        refused.value.close()


@pytest.mark.parametrize("address", ["0.0.0.0:8390", "8390", "127.0.0.1:many", "192.0.2.1:80"])
def test_an_address_that_others_reach_is_refused(address: str) -> None:
    """Nothing listens outside this machine."""
    with pytest.raises(UsageError, match="an address on loopback"), health.answering(address, Seen()):
        pass
