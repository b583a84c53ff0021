"""Now is a time at which this target may be drilled, and stays one for as long as the drill may take."""

from datetime import timedelta

from drill.aws import Aws
from drill.guards import hours
from drill.guards.contract import Asked
from drill.guards.hours import Span


def wanted(asked: Asked) -> Span:
    """Return from when until when at the latest the drill would run."""
    return Span(asked.at, asked.at + timedelta(seconds=asked.plan.expected_s[1]))


def in_window(asked: Asked, _aws: Aws) -> str:
    """Refuse unless the drill's whole expected length lies inside the target's windows."""
    windows = asked.plan.target.windows
    if not windows:
        return ""
    needed = wanted(asked)
    spans = hours.opened(windows, needed)
    if any(span.holds(needed) for span in spans):
        return ""
    minutes = needed.length.total_seconds() / 60
    following = hours.next_after(spans, needed)
    if following is None:
        return f"no window of the next two weeks is as long as the drill, which may take {minutes:.0f} min"
    opens = f"{following.begins_at:%a %Y-%m-%d %H:%M} UTC"
    now_in = any(span.begins_at <= needed.begins_at < span.ends_at for span in spans)
    why = "the window closes before the drill must be over" if now_in else "it is outside the windows"
    return f"{why} (it may take {minutes:.0f} min); the next window that is long enough opens {opens}"
