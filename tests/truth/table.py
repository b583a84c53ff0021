"""The page with what the truth test came to: ``docs/truth.md``."""

import os
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter
from statistics import median

from tests.truth.case import Check, Same, Span
from tests.truth.draw import A_CLOUD, SIDE_BY_SIDE, STARVING
from tests.truth.shift import MUTATIONS
from tests.truth.truth import Done
from tests.truth.verdicts import LESS, exact, kept, narrowness, problems

_HEAD = """# Are the numbers true?

`make truth` drills many small two-region systems, with random timings, and compares everything that
was measured with what the lab knows. It writes this page; the tables below are what it printed.

What is real: the engine with its guards, lease, journal, faults (boto3), watchdog and rollback; the
scenario `region-outage` with its three methods; the sampler's process, the store, every measure and
the verdict; on the other side the lab's own API, network gates, load balancers, health checkers, name
server, caching resolver and replication of tables, and the deployed application's code for orders.
What is not: there is no Aurora and there are no function processes in these systems (Lambda runs in
the lab's process), clients ask a health path that reads no table, and load balancers are not made by
API calls. Whole deployments are drilled by `tests/e2e`.

What is true is taken from the lab's truth log, which is written where the bytes pass
(`infra/lab/truth.py`); the drill never reads it. A *dark* region is one whose packets vanish; a service
was *back* at the instant from which on the clients' resolver would have named the standby: the later
of when the name server's answers turned and when what the resolver kept expired. An interval must hold
the true value in every drill, also in those whose probes were starved. It is *narrow* if it is no wider
than two of its probe's intervals, the attempts' own time and the injection's (or the rollback's) own
duration; starved drills are not asked for that. Of all intervals 99 % must be narrow, and of each part of
a measure 98 %, so that none hides among the others. One exception is made: 80 % for the recovery time from
the impact. Both of its edges lie between two attempts, so that it is as wide as is allowed, where all others
have an interval to spare; an attempt that is sent a few milliseconds late makes it wide.

Planted are: orders with another nonce, orders that are there twice, deleted orders, orders that the old
primary takes after the cutover, samplers that stand still (SIGSTOP) where an edge is or for a good part
of a drill, and an interval that no sampler can keep (which a guard refuses). The clients' attempts are
judged one by one too: none may be called bad that nothing stood in the way of. On a busy machine the lab
itself answers late, which is an outage that no fault caused; a canary beside the drills sees that, and
such a drill is played again, slower.

Each drill is drawn from its seed. A red one prints the command that plays it alone:
`make truth ARGS='--seed 7 --keep FOLDER'`.
"""


def page(done: Done) -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_summary(done), "", *_table(done), ""])


def _summary(done: Done) -> Iterator[str]:
    drills = [one.drill for one in done.verdicts]
    methods = ", ".join(
        f"{count} {name}" for name, count in sorted(Counter(one.method for one in drills).items())
    )
    plants = ", ".join(
        f"{count} {name}" for name, count in sorted(Counter(one.plant or "clean" for one in drills).items())
    )
    spans = [span for one in done.verdicts for span in one.spans]
    narrow = sum(span.narrow for span in spans)
    yield "## The last whole run"
    yield ""
    yield f"- {len(drills)} drills: {methods}; {plants}."
    checks = kept(done.verdicts)
    yield f"- {len(checks)} checks, {sum(not one.inside for one in checks)} of them wrong."
    share = 100 * narrow / max(1, len(spans))
    yield f"- {narrow} of {len(spans)} intervals are narrow ({share:.2f} %; asked: 99 %)."
    parts = [one for one in narrowness(spans) if one[0] not in LESS]
    part, least, _ = min(parts, key=itemgetter(1), default=("none", 1.0, 0))
    yield f"- Least narrow of the parts that make no exception: {part} ({100 * least:.1f} %; asked: 98 %)."
    ledgers = [one for one in checks if isinstance(one, Same)]
    for name, measure, part in (
        ("acknowledged writes were lost at cutover", "lost", "cutover"),
        ("were lost for good", "lost", "resumed"),
        ("rows had another nonce", "corruption", "another nonce, cutover"),
        ("rows were there twice", "corruption", "twice, cutover"),
        ("writes were taken by the old primary after the cutover", "divergence", "how many"),
    ):
        found = [one.measured for one in ledgers if (one.measure, one.part) == (measure, part)]
        counts = [len(one) for one in found if isinstance(one, list) and one]
        yield f"- {sum(counts)} {name}, in {len(counts)} drills."
    starving = [one for one in done.verdicts if one.drill.plant in STARVING]
    told = sum(not one.wrong for one in starving)
    yield f"- {len(starving)} drills were starved on purpose; {told} said so."
    slowest, fastest = max(one.probe_s for one in drills), min(one.probe_s for one in drills)
    yield f"- Client probes every {1000 * fastest:.1f} ms to {slowest:.2f} s."
    yield (
        f"- {done.took_s:.0f} s on {os.cpu_count()} cores ({platform.machine()}, Python "
        f"{platform.python_version()}), {done.asked.at_once} clouds of {A_CLOUD} drills at once, "
        f"{SIDE_BY_SIDE} drills in each; {done.again} times a drill was played again."
    )
    for line in problems(done.verdicts):
        yield f"- **RED**: {line}"


def _table(done: Done) -> Iterator[str]:
    checks = kept(done.verdicts)
    yield "| Measure | Part | Intervals | Hold the true value | Narrow | Median width |"
    yield "| --- | --- | --: | --: | --: | --: |"
    for measure, part in sorted({(one.measure, one.part) for one in checks if isinstance(one, Span)}):
        spans = [
            one for one in checks if isinstance(one, Span) and (one.measure, one.part) == (measure, part)
        ]
        asked = [
            one for some in done.verdicts for one in some.spans if (one.measure, one.part) == (measure, part)
        ]
        yield f"| {measure} | {part} | {_row(spans, asked)} |"
    yield ""
    yield "| Exactly | | Comparisons | The same |"
    yield "| --- | --- | --: | --: |"
    for measure, part in sorted({(one.measure, one.part) for one in exact(checks)}):
        same = [one for one in exact(checks) if (one.measure, one.part) == (measure, part)]
        yield f"| {measure} | {part} | {len(same)} | {_share(same)} |"
    yield ""
    yield "The test of the test: every interval is moved by its own width and a microsecond, and the drill is"
    yield "judged again. Each part of a measure must be found out in some drill."
    yield ""
    yield "| Every interval is | Drills that turn red |"
    yield "| --- | --: |"
    for place, mutation in enumerate(MUTATIONS):
        red = sum(1 for one in done.verdicts if one.caught and one.caught[place])
        yield f"| {mutation} | {red} of {len(done.verdicts)} |"


def _row(spans: Sequence[Span], asked: Sequence[Span]) -> str:
    narrow = f"{100 * sum(one.narrow for one in asked) / len(asked):.1f} %" if asked else ""
    widths = [one.width_ns / 1e9 for one in spans if one.width_ns is not None]
    width = f"{median(widths):.3f} s" if widths else ""
    return f"{len(spans)} | {_share(spans)} | {narrow} | {width}"


def _share(checks: Sequence[Check]) -> str:
    return f"{100 * sum(one.inside for one in checks) / len(checks):g} %"
