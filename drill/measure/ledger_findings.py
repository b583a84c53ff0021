"""What a ledger tells besides numbers: corruption, losses and whether they came back."""

from collections.abc import Iterable, Sequence

from drill.measure.accounts import Comparison
from drill.measure.numbers import counted, ranges
from drill.model import Finding, LedgerResult, Severity


def of_one(compared: Comparison) -> tuple[Finding, ...]:
    """Return what one reading of one store shows by itself."""
    result = compared.ledger
    if not result.readable:
        why = f": {result.error}" if result.error else ""
        detail = (
            f"Reading the {result.store} ledger at {result.occasion} failed{why}. Nothing is known of it."
        )
        title = f"{result.store} could not be read at {result.occasion}"
        return (Finding("store_unreadable", Severity.NOTE, title, detail),)
    listed = (_corruption(result), _holes(result), _refused(compared), _unexplained(compared))
    return tuple(one for one in listed if one is not None)


def _where(result: LedgerResult) -> str:
    return f"in {result.store} at {result.occasion}"


def _corruption(result: LedgerResult) -> Finding | None:
    wrong = set(result.duplicated) | set(result.corrupt)
    if not wrong:
        return None
    parts = []
    if result.duplicated:
        parts.append(f"there more than once: {ranges(result.duplicated)}")
    if result.corrupt:
        parts.append(f"there with another nonce than was written: {ranges(result.corrupt)}")
    return Finding(
        "corruption",
        Severity.CRITICAL,
        f"{counted(len(wrong), 'write')} {'is' if len(wrong) == 1 else 'are'} corrupt {_where(result)}",
        f"Numbers {'; '.join(parts)}.",
        "Compare these orders in both regions before anything else writes to them.",
    )


def _holes(result: LedgerResult) -> Finding | None:
    if not result.holes:
        return None
    return Finding(
        "holes",
        Severity.WARNING,
        f"{counted(len(result.holes), 'lost write')} had later survivors {_where(result)}",
        f"Numbers {ranges(result.holes)} are missing although later writes of the same region are there: "
        "the losses are no suffix, so the recovery point as one time hides them.",
    )


def _refused(compared: Comparison) -> Finding | None:
    there, read = compared.refused, compared.ledger
    if not there:
        return None
    return Finding(
        "refused_but_there",
        Severity.WARNING,
        f"{counted(len(there), 'refused write')} {'is' if len(there) == 1 else 'are'} there in {read.store}",
        f"The service refused numbers {ranges(there)}, and yet {read.store} held them at {read.occasion}.",
        "A client that was refused writes again: see that the token makes that harmless.",
    )


def _unexplained(compared: Comparison) -> Finding | None:
    there, read = compared.unexplained, compared.ledger
    if not there:
        return None
    return Finding(
        "unexplained_rows",
        Severity.WARNING,
        f"{counted(len(there), 'row')} in {read.store} that nobody wrote",
        f"Numbers {ranges(there)} are in {read.store} at {read.occasion}, but no such write was recorded.",
    )


def of_losses(results: Sequence[LedgerResult]) -> tuple[Finding, ...]:
    """Return what became of losses: lost at cutover and later recovered, or lost for good."""
    listed = _kept_nowhere([one for one in results if one.occasion == "resumed" and one.readable])
    for store in sorted({one.store for one in results}):
        cutover = _lost(results, store, "cutover")
        resumed = _lost(results, store, "resumed")
        if resumed is None:
            listed += _fate_unknown(store, cutover or ())
            continue
        listed += _came_back(store, set(cutover or ()) - set(resumed))
        listed += _lost_for_good(store, resumed)
    return tuple(listed)


def _kept_nowhere(resumed: Sequence[LedgerResult]) -> list[Finding]:
    """Tell of a service that acknowledges and does nothing: no store holds any of what it acknowledged."""
    claimed = [one for one in resumed if one.acknowledged]
    if not claimed or any(len(one.lost) < one.acknowledged for one in claimed):
        return []
    stores = " and ".join(sorted({one.store for one in claimed}))
    most = counted(max(one.acknowledged for one in claimed), "write")
    title = f"The service acknowledged {most} and kept none of them"
    detail = f"Not one of them is in {stores}: whoever answers does nothing (DR10), in whichever region."
    mend = "See what the function behind the load balancer runs: drill audit --only DR10 --active"
    return [Finding("kept_nowhere", Severity.CRITICAL, title, detail, mend)]


def _lost(results: Iterable[LedgerResult], store: str, occasion: str) -> tuple[int, ...] | None:
    """Return what was lost on an occasion; None if the store could not be read then."""
    readable = [one for one in results if (one.store, one.occasion) == (store, occasion) and one.readable]
    return readable[-1].lost if readable else None


def _fate_unknown(store: str, lost: Sequence[int]) -> list[Finding]:
    if not lost:
        return []
    title = f"{counted(len(lost), 'acknowledged write')} missing from {store} at cutover"
    detail = f"Numbers {ranges(lost)}. {store} was not read again, so whether they came back is not known."
    return [Finding("lost_at_cutover", Severity.WARNING, title, detail)]


def _came_back(store: str, numbers: set[int]) -> list[Finding]:
    if not numbers:
        return []
    title = f"{counted(len(numbers), 'write')} lost at cutover, later recovered in {store}"
    detail = (
        f"Numbers {ranges(numbers)} were acknowledged and missing at cutover, and there again after the "
        "rollback. Had the region not come back, they would be gone."
    )
    return [Finding("lost_at_cutover", Severity.WARNING, title, detail)]


def _lost_for_good(store: str, numbers: Sequence[int]) -> list[Finding]:
    if not numbers:
        return []
    title = f"{counted(len(numbers), 'acknowledged write')} lost for good in {store}"
    detail = f"Numbers {ranges(numbers)} were acknowledged and are missing after the rollback too."
    mend = "Write them again from the service's own records; the nonces are in the run's observations."
    return [Finding("lost_for_good", Severity.CRITICAL, title, detail, mend)]
