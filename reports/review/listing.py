"""The list of runs, and which of them a reader wants to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from drill import clock
from reports.review import index
from reports.review.trail import DECISIONS, DISPUTE, SIGN_OFF

PAGE = 50
DUE_DAYS = 7
REVIEWS = {
    "open": "not reviewed",
    "overdue": "overdue",
    SIGN_OFF: "signed off",
    DISPUTE: "disputed",
    "tampered": "tampered with",
}
# The last decision about each run: SQLite gives the other columns of the row that has the maximum,
# https://www.sqlite.org/lang_select.html#bareagg
_FROM = """
FROM run
LEFT JOIN (
    SELECT run_id, kind AS decision, who, at, max(seq) FROM trail
    WHERE kind IN ('dispute', 'sign-off') GROUP BY run_id
) USING (run_id)
"""
_OVERDUE = "(state = 'finished' AND decision IS NULL AND ended < :due)"
_CONDITIONS = {
    "scenario": "scenario = :scenario",
    "outcome": "outcome = :outcome",
    "target": "target = :target",
    "reviewer": "who = :reviewer",
    "text": "(run_id || ' ' || reason) LIKE :text",
}
_REVIEW_CONDITIONS = {
    "open": "state = 'finished' AND decision IS NULL",
    "overdue": _OVERDUE,
    "tampered": "changed != ''",
    **{kind: f"decision = '{kind}'" for kind in DECISIONS},
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader wants to see; an empty text is no wish.

    Attributes:
        scenario: Runs of it.
        outcome: Runs with this verdict.
        target: Runs against it.
        reviewer: Runs that this person decided about last.
        review: One of :data:`REVIEWS`.
        text: Runs whose id or reason has it.
        page: Which page, from 1.

    """

    scenario: str = ""
    outcome: str = ""
    target: str = ""
    reviewer: str = ""
    review: str = ""
    text: str = ""
    page: int = 1

    def asked(self) -> Mapping[str, str]:
        """Return the wishes that are not empty, as a query string has them."""
        named = ("scenario", "outcome", "target", "reviewer", "review", "text")
        return {name: getattr(self, name) for name in named if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    run_id: str
    scenario: str
    target: str
    started: str
    outcome: str
    state: str
    reason: str
    operator: str
    review: str
    by: str
    overdue: bool
    changed: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list.

    Attributes:
        rows: The newest first.
        total: How many runs answer to the wishes.
        pages: How many pages they take.
        choices: What can be wished for, by filter.
        counts: How many runs each review state has, of all.

    """

    rows: tuple[Row, ...]
    total: int
    pages: int
    choices: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]


def listing(path: Path, wanted: Wanted, due_days: int = DUE_DAYS) -> Listing:
    """Return the runs that a reader wants to see.

    Raises:
        DrillError: The review's file can't be used.

    """
    due = clock.wall_in(-timedelta(days=due_days).total_seconds()).isoformat()
    given: dict[str, str | int] = {**wanted.asked(), "due": due, "text": f"%{wanted.text}%"}
    conditions = [_CONDITIONS[name] for name in wanted.asked() if name in _CONDITIONS]
    if wanted.review in _REVIEW_CONDITIONS:
        conditions.append(_REVIEW_CONDITIONS[wanted.review])
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    total = index.rows(path, f"SELECT count(*) AS n {_FROM} {where}", given)[0]["n"]
    pages = max(1, -(-total // PAGE))
    first = (min(max(wanted.page, 1), pages) - 1) * PAGE
    found = index.rows(
        path,
        f"SELECT *, {_OVERDUE} AS overdue {_FROM} {where} "
        f"ORDER BY started DESC, run_id DESC LIMIT {PAGE} OFFSET {first}",
        given,
    )
    return Listing(tuple(_row(dict(one)) for one in found), total, pages, _choices(path), _counts(path, due))


def _row(found: dict[str, str]) -> Row:
    return Row(
        run_id=found["run_id"],
        scenario=found["scenario"],
        target=found["target"],
        started=found["started"],
        outcome=found["outcome"],
        state=found["state"],
        reason=found["problem"] or found["reason"],
        operator=found["operator"],
        review=found["decision"] or "",
        by=found["who"] or "",
        overdue=bool(found["overdue"]),
        changed=found["changed"],
    )


def _choices(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return what each filter can be set to."""
    columns = {
        "scenario": "SELECT DISTINCT scenario AS it FROM run",
        "outcome": "SELECT DISTINCT outcome AS it FROM run",
        "target": "SELECT DISTINCT target AS it FROM run",
        "reviewer": f"SELECT DISTINCT who AS it {_FROM}",
    }
    return {
        name: tuple(sorted(one["it"] for one in index.rows(path, query, ()) if one["it"]))
        for name, query in columns.items()
    }


def _counts(path: Path, due: str) -> Mapping[str, int]:
    sums = ", ".join(
        f"coalesce(sum({condition}), 0) AS '{name}'" for name, condition in _REVIEW_CONDITIONS.items()
    )
    found = index.rows(path, f"SELECT {sums} {_FROM}", {"due": due})[0]
    return {name: found[name] for name in REVIEWS}
