"""A drill as Markdown, for a ticket or a chat: the verdict, the numbers, the findings."""

import re
from collections.abc import Iterator, Sequence

from drill.record import Record
from reports import timeline, view
from reports.cause import cause
from reports.series import Table
from reports.tables import actions
from reports.text import clean
from reports.wording import limit, measured, wall_time

# What Markdown or HTML would take for more than text. https://spec.commonmark.org/0.31.2/#backslash-escapes
_SPECIAL = re.compile(r"([\\`*_\[\]#|~<>&]|^[-+=]|(?<=^\d)[.)])")


def markdown(record: Record) -> str:
    """Return the page, with every string of the record as plain text."""
    return "\n".join(_lines(record)).rstrip() + "\n"


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(clean(text).split()))


def _lines(record: Record) -> Iterator[str]:
    page = view.page(record, None)
    yield f"# {plain(page.verdict.word)}: {plain(record.title)}"
    yield ""
    yield plain(record.reason)
    if told := cause(record):
        yield f"\n**{page.verdict.cause_is}:** {plain(told)}"
    yield f"\n{plain(page.restored.sentence)}" + (
        f" `{page.restored.command}`" if page.restored.command else ""
    )
    if page.place.caution:
        yield f"\n**{plain(page.place.caution)}**"
    who = f"target {plain(record.target)}, by {plain(record.operator)}"
    yield f"\nRun `{record.run_id}`, {wall_time(record.started.wall)}, {who}."
    yield from _judged(record)
    axis = timeline.axis(record)
    for title, table in (
        ("Phases", timeline.phases(record, axis)),
        ("Ledger", page.ledger),
        ("Changes", actions(record, axis)),
        ("Every number", page.measurements),
    ):
        yield from _table(title, table)
    if page.findings:
        yield "\n## Findings\n"
    for one in page.findings:
        mend = f" **Mend:** {plain(one.mend)}" if one.mend else ""
        yield f"- **{one.severity.value}** {plain(one.title)}: {plain(one.detail)}{mend}"


def _judged(record: Record) -> Iterator[str]:
    rows = tuple(
        (
            one.objective.name,
            one.outcome.value,
            measured(one.measurement) if one.measurement else "not measured",
            limit(one.objective.limit, one.objective.unit),
            one.why,
        )
        for one in record.judgements
    )
    yield from _table("Objectives", Table("", ("Objective", "Verdict", "Measured", "At most", "Why"), rows))


def _table(title: str, shown: Table) -> Iterator[str]:
    if not shown.rows:
        return
    yield f"\n## {title}\n"
    yield _row(shown.head)
    yield _row(["---:" if place in shown.numeric else "---" for place in range(len(shown.head))], raw=True)
    for row in shown.rows:
        yield _row(row)


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else plain(cell) for cell in cells)} |"
