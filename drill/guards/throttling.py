"""A table can be throttled: it is there, has more capacity than will be left to it, and may lose it today."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from drill import clock
from drill.aws import Aws
from drill.faults.scaling_suspension import FLAGS, scalable_targets
from drill.faults.table_description import NO_MAXIMUM, TableDescription, described
from drill.guards.decreases import left
from drill.model import Json
from drill.target import Target


def can_be_throttled(target: Target, options: Mapping[str, Json], aws: Aws) -> str:
    """Refuse unless the table's write capacity can be lowered now.

    Options: ``write_units`` that are left to it, ``orders_per_s`` that it must carry before,
    ``scaled`` if its auto scaling is part of what is tried.
    """
    units, load = int(str(options["write_units"])), float(str(options["orders_per_s"]))
    table = described(aws, target.primary.name, target.table.name)
    if table is None:
        return f"there is no table {target.table.name} in {target.primary.name}; see: drill target check"
    problems = [_unfit(target, table), _capacity(table, units, load), *_used_up(table, units)]
    if options.get("scaled"):
        problems.append(_unscaled(target, table, aws))
    return "; ".join(problem for problem in problems if problem)


def _unfit(target: Target, table: TableDescription) -> str:
    if not table.active:
        return f"table {table.name} is being changed, and AWS takes no other change meanwhile; wait for that"
    others = sorted(set(table.regions) - {target.primary.name, target.standby.name})
    if others:
        return (
            f"table {table.name} has a replica in {', '.join(others)} too, which would be throttled with the "
            "others and whose auto scaling is not suspended; take a table of two regions"
        )
    return ""


def _capacity(table: TableDescription, units: int, load: float) -> str:
    if not table.above(units):
        kind = "a maximum of" if table.on_demand else "provisioned"
        return (
            f"table {table.name} has {kind} {table.parts[''].writes} write units a second and no index has "
            f"more than {units}: there is nothing to lower; choose a smaller --capacity"
        )
    # Each order takes a write unit at least.
    short = [part.writes for part in table.parts.values() if NO_MAXIMUM != part.writes < load]
    if short:
        return (
            f"table {table.name} or an index has {min(short)} write units a second, less than the load of "
            f"{load:g} orders a second: it would be throttled before anything is touched; choose a smaller "
            "--load"
        )
    return ""


def _used_up(table: TableDescription, units: int) -> Iterator[str]:
    """Yield which part's decreases are used up, until when."""
    if table.on_demand:
        return
    at = datetime.fromisoformat(clock.now().wall).astimezone(UTC)
    for name, part in table.above(units).items():
        quota = left(part, at)
        if not quota.now:
            what = f"index {name}" if name else "the table"
            yield (
                f"today's decreases of {what} {'of ' if name else ''}{table.name} are used up: there were "
                f"{part.decreases}, 0 are left now, and the next is possible at "
                f"{quota.next_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC; run the drill then"
            )


def _unscaled(target: Target, table: TableDescription, aws: Aws) -> str:
    if table.on_demand:
        return (
            f"table {table.name} is on-demand and has no auto scaling; leave --let-autoscaling-work away, or "
            "take a table with provisioned capacity"
        )
    if target.disposable:
        return ""  # it is there to be broken: what becomes of a table that nothing scales may be shown
    writes = [
        state
        for (resource, dimension), state in scalable_targets(aws, target.primary.name, table.name)
        if dimension.endswith(":WriteCapacityUnits") and resource == f"table/{table.name}"
    ]
    if not writes:
        return f"nothing scales the writes of table {table.name}; leave --let-autoscaling-work away"
    if any(state[FLAGS[1]] for state in writes):
        return (
            f"auto scaling of table {table.name} is suspended already; look, and resume it: aws "
            f"application-autoscaling describe-scalable-targets --region {target.primary.name} "
            "--service-namespace dynamodb"
        )
    return ""
