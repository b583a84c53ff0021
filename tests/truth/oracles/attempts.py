"""Single attempts: none is called bad that nothing stood in the way of."""

from collections.abc import Iterator

from tests.truth.case import Case, Check, Same


def judge(case: Case) -> Iterator[Check]:
    """Judge the clients' attempts; those of a sampler that stood still show nothing."""
    if not case.starved:
        yield Same("attempts", "bad without a cause", [one.number for one in case.unserved], [])
