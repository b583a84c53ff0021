"""What a restored database really lacks: the lab's own log of its rows, beside what clients were promised."""

from drill.faults.made import name_of
from drill.model import Goodness, LedgerResult, Observation
from drill.observations import Store
from drill.probes.writer import token
from drill.runs import OBSERVATIONS
from tests.e2e.conftest import Ended, Lab

AURORA = "aurora"


def held_in_truth(lab: Lab, ended: Ended) -> set[str]:
    """Return the tokens of the run's orders in the restored database before anybody could reach it."""
    run_id = ended.record.run_id
    orders: set[str] = set()
    for event in lab.truth():
        if event["kind"] == "rows_restored" and event["cluster"] == name_of(run_id):
            keys = event["keys"]
            assert isinstance(keys, list)
            orders |= {order for customer, order in keys if event["table"] == "orders" and customer == run_id}
    return orders


def taken_ns(lab: Lab, snapshot: str) -> int:
    """Return the instant whose data a snapshot of the primary's holds, by the truth log."""
    return next(
        int(str(event["at_ns"]))
        for event in lab.truth()
        if event["kind"] == "snapshot_taken" and event["snapshot"] == snapshot
    )


def promised(ended: Ended, until_ns: int) -> dict[int, Observation]:
    """Return the orders that the database had acknowledged by an instant, as the client saw it."""
    return {
        seen.number: seen
        for seen in Store.open(ended.folder / OBSERVATIONS).by_probe("writer")
        if seen.goodness is Goodness.GOOD
        and isinstance(stores := seen.detail.get("stores"), dict)
        and stores.get(AURORA) == "written"
        and (seen.done_ns or 0) <= until_ns
    }


def lost_in_truth(lab: Lab, ended: Ended, until_ns: int) -> set[int]:
    """Return the orders acknowledged by an instant that the restored data does not hold."""
    held = held_in_truth(lab, ended)
    return {number for number in promised(ended, until_ns) if token(number) not in held}


def at_cutover(ended: Ended) -> LedgerResult:
    """Return what the drill's ledger of the database came to when it was restored."""
    listed = ended.record.measured.ledgers
    (found,) = [one for one in listed if (one.store, one.occasion) == (AURORA, "cutover")]
    assert found.readable
    return found


def declared_ns(ended: Ended) -> int:
    """Return when the disaster was."""
    injected = ended.record.marks.injected
    assert injected is not None
    return injected.earliest_ns
