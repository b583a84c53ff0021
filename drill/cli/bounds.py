"""What bounds a drill, as lines of text: windows, limits, stop conditions; and what its guards said."""

from collections.abc import Iterator, Sequence

import click

from drill.guard import Evaluated
from drill.restraints import Limits
from drill.target import Target

_COLOURS = {"ok": "green", "refused": "red", "could not be evaluated": "red"}


def lines(target: Target) -> Iterator[str]:
    """Yield what a target's file says of when, how much and until when."""
    for window in target.windows:
        yield f"  window: {', '.join(window.days)} from {window.begins} to {window.ends} {window.zone}"
    if not target.windows:
        yield "  window: any time"
    if target.no_go is not None:
        yield f"  never during: the events of {target.no_go.calendar} ({target.no_go.zone})"
    yield f"  limits: {', '.join(_limits(target.limits)) or 'none'}"
    for region, names in target.stop.alarms.items():
        yield f"  stops when an alarm fires in {region}: {', '.join(names)}"
    for text in target.stop.when:
        yield f"  stops when: {text}"
    if not target.stop.alarms and not target.stop.when:
        yield "  stop conditions: none; the deadline and an operator end it"


def _limits(limits: Limits) -> Iterator[str]:
    if limits.max_resources is not None:
        yield f"at most {limits.max_resources} resources"
    if limits.faults is not None:
        yield f"only {' or '.join(limits.faults) or 'no fault'}"
    if limits.regions is not None:
        yield f"only in {' or '.join(limits.regions) or 'no region'}"
    if limits.max_duration_s is not None:
        yield f"at most {limits.max_duration_s:g} s"
    if limits.production:
        yield "production"


def told(every: Sequence[Evaluated]) -> Iterator[str]:
    """Yield a line for each guard: what it said, and why."""
    width = max(len(one.guard) for one in every)
    for one in every:
        state = click.style(f"{one.state:<22}", fg=_COLOURS[one.state])
        yield f"  {one.guard:<{width}}  {state}  {one.why}".rstrip()
