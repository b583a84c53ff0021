"""A plan as a page of text: what is touched and what is not, what it calls and costs, what undoes it."""

from collections.abc import Iterator, Sequence

from drill import permissions
from drill.cli import bounds, prices
from drill.faults.contract import Resource
from drill.model import Objective
from drill.plan import Plan, PlannedStep
from drill.readiness import target as named

_GLOBAL = frozenset({"iam", "route53"})
_MOMENTS = ("capture", "arm", "inject", "undo", "undone")


def page(plan: Plan) -> str:
    """Return the page."""
    least_s, most_s = plan.expected_s
    lines = [f"{plan.title} ({plan.scenario}) on {plan.target.name}", "", "Will change:"]
    lines += _steps(plan.steps) or ["  nothing: it only follows the recovery procedure"]
    if plan.recovery:
        lines += ["", "Then follows the recovery procedure, and undoes that too:", *_steps(plan.recovery)]
    lines += ["", "Will not change:", *_untouched(plan)]
    lines += ["", "AWS calls:", *_calls(plan)]
    lines += ["", f"Permissions (as a policy: drill iam-policy {plan.scenario}):", *_permissions(plan)]
    lines += ["", "Will watch:"]
    lines += [f"  {probe.name}: {probe.kind} every {probe.interval_s:g} s" for probe in plan.probes]
    lines += ["", "Wants:"]
    lines += [_wanted(one) for one in plan.objectives] or ["  nothing; the drill will only measure"]
    lines += ["", "Bounds:", *bounds.lines(plan.target)]
    lines += ["", "Costs:", *prices.lines(plan)]
    lines += ["", f"Takes {least_s:g} s at least; gives up after {most_s:g} s. Nothing was touched."]
    lines += [f"Note: {note}" for note in plan.notes]
    return "\n".join(lines)


def _wanted(one: Objective) -> str:
    part = f" {one.part}" if one.part else ""
    return f"  {one.name}: {one.measurement}{part} at most {one.limit:g} {one.unit}"


def untouched(plan: Plan) -> list[Resource]:
    """Return what the target file names and the drill leaves alone."""
    touched = [resource for step in plan.every_step for resource in step.touches]
    return [
        one
        for one in (
            Resource(kind, service, "global" if service in _GLOBAL else question.region, str(name))
            for question in named.questions(plan.target)
            for _, kind, name, service, _ in (question.row,)
        )
        if one.service != "sts" and not any(_same(one, other) for other in touched)
    ]


def _same(one: Resource, touched: Resource) -> bool:
    """Say whether what the target file names is what is touched, which may be called by its ARN."""
    here = "global" in {one.region, touched.region} or one.region == touched.region
    end = touched.id.rpartition("/")[2].rpartition(":")[2]
    return one.service == touched.service and here and one.id in {touched.id, end}


def _untouched(plan: Plan) -> Iterator[str]:
    by_place: dict[tuple[str, str], list[str]] = {}
    for one in untouched(plan):
        by_place.setdefault((one.region, one.kind), []).append(one.id)
    for (region, kind), ids in by_place.items():
        yield f"  {region}: {kind} {', '.join(dict.fromkeys(ids))}"


def _calls(plan: Plan) -> Iterator[str]:
    """Yield each call with what it is made for; those of guards, probes and the lease follow."""
    moments: dict[str, set[str]] = {}
    for step in plan.every_step:
        for call in step.calls:
            moments.setdefault(f"{call.service}:{call.action}", set()).add(call.when)
    for named_call, when in sorted(moments.items()):
        yield f"  {named_call} ({', '.join(moment for moment in _MOMENTS if moment in when)})"
    others = {f"{call.service}:{call.action}" for call in permissions.calls(plan)} - set(moments)
    if others:
        yield f"  by guards, probes, the lease and the undo of last resort: {', '.join(sorted(others))}"


def _permissions(plan: Plan) -> Iterator[str]:
    for one in permissions.statements(plan):
        keys = sorted(f"{key} {value}" for _, pairs in one.conditions for key, value in pairs)
        only = f" if {', '.join(keys)}" if keys else ""
        yield f"  {', '.join(one.actions)} on {', '.join(one.resources)}{only}"


def _steps(steps: Sequence[PlannedStep]) -> list[str]:
    lines = []
    for step in steps:
        lines.append(f"  {step.name}: {step.description}")
        lines += [f"    {touched.kind} {touched.id} ({touched.region})" for touched in step.touches]
        lines += [f"    known after: {needed}" for needed in step.needs]
        lines.append(f"    put back by: {_undo(step)}")
        lines.append(f"    if nobody is left to undo it: {step.dead_man}")
    return lines


def _undo(step: PlannedStep) -> str:
    made = dict.fromkeys(f"{call.service}:{call.action}" for call in step.calls if call.when == "undo")
    by = ", ".join(made) or "nothing: there is nothing to put back"
    return f"{by}; checked, within {step.undo_within_s:g} s"
