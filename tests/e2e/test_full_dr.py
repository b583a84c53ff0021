"""The whole book on the lab: dark region, restored database, orders served, and back, on one time line."""

from collections.abc import Callable

import pytest

from drill.model import LedgerResult, Measurement
from drill.record import Record
from tests.e2e.conftest import Ended, Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def measurement(record: Record, name: str, part: str = "") -> Measurement:
    """Return the one measurement of that name."""
    return next(one for one in record.measured.measurements if (one.name, one.part) == (name, part))


def ledger(record: Record, store: str, occasion: str) -> LedgerResult:
    """Return what a store's ledger came to."""
    return next(one for one in record.measured.ledgers if (one.store, one.occasion) == (store, occasion))


def test_the_whole_book(lab: Lab, drill_run: Callable[..., Ended]) -> None:
    """Clients move, the database follows, orders are served from it; then no order is lost for good."""
    before = lab.fingerprint()

    ended = drill_run("full-dr")

    assert 0 == ended.code, ended.printed
    record = ended.record
    names = [phase.name for phase in record.measured.phases]
    assert {"detection", "first_request", "all_requests", "cluster", "query", "order"} <= set(names)
    moved, served = measurement(record, "recovery_time"), measurement(record, "recovery_time", "order")
    assert moved.high is not None
    assert served.high is not None
    assert moved.low > 0
    assert served.low > measurement(record, "recovery_time", "query").low
    for store in ("dynamodb", "aurora"):
        assert ledger(record, store, "cutover").readable
        assert () == ledger(record, store, "resumed").lost
    assert measurement(record, "failback").high is not None
    assert before == lab.fingerprint()
