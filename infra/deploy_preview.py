"""What a deployment would do, before it does it."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.stack_model import KEEPS_DATA, Prepared, ResourceChange

_MARKS = {"Add": "+", "Modify": "~", "Remove": "-"}
_KEPT = ", keeps data"


@dataclass(frozen=True, slots=True)
class Later:
    """A stack whose changes can't be known yet.

    Attributes:
        name: Its name.
        region: Where it is.
        resource_types: The types in its template, as CloudFormation read them.
        waits_for: The stack that must be there first, as ``name in region``.
        there: It is deployed already, from what that stack gave before.

    """

    name: str
    region: str
    resource_types: tuple[str, ...]
    waits_for: str
    there: bool = False

    def __str__(self) -> str:
        """Return it as one line."""
        known = f"its changes are known once {self.waits_for} is there"
        if self.there:
            return f"perhaps changed {self.name} in {self.region}: {known}"
        return f"new {self.name} in {self.region}: at most {_counted(self.resource_types)}; {known}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deployment acts.

    Attributes:
        account: Twelve digits.
        regions: The primary first.

    """

    account: str
    regions: tuple[str, ...]

    def __str__(self) -> str:
        """Return how messages name it."""
        return f"account {self.account}, {' and '.join(self.regions)}"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a deployment would do.

    Attributes:
        prepared: The stacks whose changes are known, in their order.
        later: Those whose changes are known once others are there.
        buckets: Buckets that would be made for the functions' code.
        place: Where; None for what comes later in a deployment whose place was shown.
        begun: Stacks before these were changed already.

    """

    prepared: tuple[Prepared, ...]
    later: tuple[Later, ...] = ()
    buckets: tuple[str, ...] = ()
    place: Place | None = None
    begun: bool = False

    @property
    def empty(self) -> bool:
        """Say whether everything is so already."""
        return not self.later and not self.buckets and all(each.action == "none" for each in self.prepared)

    @property
    def losses(self) -> tuple[str, ...]:
        """The resources that keep data and would be replaced or removed, with their stacks."""
        return tuple(
            f"{change.logical_id} ({change.resource_type}) of {each.stack}"
            for each in self.prepared
            for change in each.changes
            if change.loses_data
        )

    def lines(self) -> Iterator[str]:
        """Yield it as text."""
        if self.place is not None:
            yield str(self.place)
        if self.empty:
            yield "nothing changes: every stack is as the system file wants it"
            return
        for bucket in self.buckets:
            yield f"new bucket {bucket} for the functions' code"
        for each in self.prepared:
            yield from _stack_lines(each)
        yield from (str(stack) for stack in self.later)
        for loss in self.losses:
            yield f"DATA: {loss} would be replaced or removed; what it keeps does not move along"


def _stack_lines(each: Prepared) -> Iterator[str]:
    where = f"{each.stack.name} in {each.stack.region}"
    if each.action == "none":
        yield f"unchanged {where}"
    elif each.action == "again":
        yield f"again {where}: it is {each.status}, left by an attempt that failed; deleted and made anew"
    elif each.action == "create":
        yield f"new {where}: {_counted(tuple(change.resource_type for change in each.changes))}"
    else:
        yield f"changed {where}:" if each.changes else f"changed {where}: its tags or outputs only"
    if each.action in {"create", "change"}:
        yield from (f"  {_change_line(change)}" for change in each.changes)


def _change_line(change: ResourceChange) -> str:
    mark = "±" if change.replaces else _MARKS.get(change.action, "?")
    how = {"True": ", replaced", "Conditional": ", may be replaced"}.get(change.replacement, "")
    kept = _KEPT if change.resource_type in KEEPS_DATA else ""
    return f"{mark} {change.logical_id} ({change.resource_type}{how}{kept})"


def _counted(resource_types: tuple[str, ...]) -> str:
    count = len(resource_types)
    return f"{count} resource{'' if count == 1 else 's'}"
