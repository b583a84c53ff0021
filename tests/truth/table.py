"""The page with what the truth test came to."""

from collections.abc import Iterator, Sequence
from statistics import median

from tests.truth.case import Check, Span
from tests.truth.shift import MUTATIONS
from tests.truth.truth import Done
from tests.truth.verdicts import exact, kept

_HEAD = """# Are the numbers true?

%s
"""


def page(done: Done) -> str:
    """Return the page."""
    return "\n".join([*_table(done), ""])


def _table(done: Done) -> Iterator[str]:
    checks = kept(done.verdicts)
    yield "| Measure | Part | Intervals | True value inside | Wide enough only | Median width |"
    yield "| --- | --- | --: | --: | --: | --: |"
    for measure, part in dict.fromkeys((one.measure, one.part) for one in checks if isinstance(one, Span)):
        spans = [one for one in checks if isinstance(one, Span) and (one.measure, one.part) == (measure, part)]
        yield f"| {measure} | {part} | {_row(spans)} |"
    yield ""
    yield "| Exactly | | Comparisons | The same |"
    yield "| --- | --- | --: | --: |"
    for measure, part in dict.fromkeys((one.measure, one.part) for one in exact(checks)):
        same = [one for one in exact(checks) if (one.measure, one.part) == (measure, part)]
        yield f"| {measure} | {part} | {len(same)} | {_share(same)} |"
    yield ""
    yield "| Every interval is | Drills that turn red |"
    yield "| --- | --: |"
    for place, mutation in enumerate(MUTATIONS):
        red = sum(1 for one in done.verdicts if one.caught and one.caught[place])
        yield f"| {mutation} | {red} of {len(done.verdicts)} |"


def _row(spans: Sequence[Span]) -> str:
    asked = [one for one in spans if one.allowed_ns is not None]
    narrow = f"{100 * sum(one.narrow for one in asked) / len(asked):.1f} %" if asked else ""
    widths = [one.width_ns / 1e9 for one in spans if one.width_ns is not None]
    width = f"{median(widths):.3f} s" if widths else ""
    return f"{len(spans)} | {_share(spans)} | {narrow} | {width}"


def _share(checks: Sequence[Check]) -> str:
    return f"{100 * sum(one.inside for one in checks) / len(checks):g} %"
