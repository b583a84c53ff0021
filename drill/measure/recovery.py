"""When a service went away and when it was back: the two edges behind several measures."""

from dataclasses import dataclass
from itertools import zip_longest

from drill.measure.attempts import Attempt, Attempts
from drill.measure.stretches import Outage, Rule, outages, sustained
from drill.model import Between, History


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a history is looked at.

    Attributes:
        begin: The call that it begins with: the injection, or the undo.
        end_ns: Attempts sent from here on are not looked at; None to look at all.
        ended_well: The engine saw the awaited state hold before it went on.

    """

    begin: Between
    end_ns: int | None
    ended_well: bool


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a probe shows of a service's coming back.

    Attributes:
        not_before_ns: It was not back before this.
        first_good: First attempt of the stretch that stayed good; None if there was none.
        last_bad: Last bad attempt before it; None if there was no bad one.
        outage: Whether there was an outage at all (isolated bad attempts are none).

    """

    not_before_ns: int
    first_good: Attempt | None
    last_bad: Attempt | None
    outage: bool

    @property
    def back(self) -> Between | None:
        """Return when the service was back; None if that was not seen."""
        if self.first_good is None:
            return None
        return Between(self.not_before_ns, self.first_good.done_ns)


def fault_window(history: History) -> Window | None:
    """Return the time from the injection to the rollback; None if nothing was injected.

    Once the rollback has begun, answers go back to the primary and show nothing of the recovery.
    """
    marks = history.marks
    if marks.injected is None:
        return None
    return Window(
        begin=marks.injected,
        end_ns=None if marks.undone is None else marks.undone.earliest_ns,
        ended_well=marks.recovery_ended_ns is not None and not marks.deadline_passed,
    )


def undo_window(history: History) -> Window | None:
    """Return the time from the rollback on; None if nothing was rolled back."""
    marks = history.marks
    if marks.undone is None:
        return None
    return Window(begin=marks.undone, end_ns=None, ended_well=marks.settled_ns is not None)


@dataclass(frozen=True, slots=True)
class Episode:
    """An outage up to its sustained end, with shorter good stretches in it.

    Attributes:
        began: When it began; None if it was there before the probe first looked.
        recovery: When it was over.

    """

    began: Between | None
    recovery: Recovery


def episodes(every: Attempts, by: Rule, window: Window) -> tuple[Episode, ...]:
    """Return the outages that were there when a window began, or came in it."""
    seen = every.before(window.end_ns)
    found = [one for one in outages(seen, by) if seen.done_ns[one.last_bad] >= window.begin.earliest_ns]
    listed: list[Episode] = []
    first: Outage | None = None
    for outage, after in zip_longest(found, found[1:]):
        first = first or outage
        span = range(outage.last_bad + 1, after.first_bad if after else len(seen))
        start = sustained(seen, span, by, window.ended_well and after is None)
        if start is None and after is not None:
            continue
        last_bad = seen[outage.last_bad]
        good = None if start is None else seen[start]
        back = Recovery(last_bad.sent_ns, good, last_bad, outage=True)
        listed.append(Episode(_began(seen, first), back))
        first = None
    return tuple(listed)


def recovery(every: Attempts, by: Rule, window: Window) -> Recovery | None:
    """Return when a service came back after the beginning of a window.

    Returns:
        None if no attempt was sent after the window began: nothing is known.

    """
    seen = every.before(window.end_ns)
    if seen.place_since(window.begin.earliest_ns) == len(seen):
        return None
    listed = episodes(seen, by, window)
    return listed[0].recovery if listed else _without_outage(seen, window.begin.earliest_ns)


def onset(every: Attempts, by: Rule, window: Window) -> Between | None:
    """Return when the first outage of a window began; None if there was none or nobody saw it begin."""
    listed = episodes(every, by, window)
    return listed[0].began if listed else None


def _without_outage(seen: Attempts, begin_ns: int) -> Recovery:
    """Return the bounds where at most isolated attempts were bad: back at once, or after the last of them."""
    bad = seen.last_bad()
    while bad is not None and seen.done_ns[bad] < begin_ns:
        bad = seen.last_bad(before=bad)
    last_bad = None if bad is None else seen[bad]
    since_ns = begin_ns if last_bad is None else max(begin_ns, last_bad.sent_ns)
    good = seen.next_good(seen.place_since(since_ns))
    first_good = None if good is None else seen[good]
    return Recovery(begin_ns, first_good, last_bad, outage=False)


def _began(seen: Attempts, outage: Outage) -> Between | None:
    if outage.first_bad == 0:
        return None
    last_good, first_bad = seen[outage.first_bad - 1], seen[outage.first_bad]
    return Between(last_good.sent_ns, first_bad.done_ns)
