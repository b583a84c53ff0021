"""CloudFormation in the lab: stacks that are made in their own time and rolled back when they fail.

moto keeps the stacks; what templates say (:mod:`.scope`), the life of a stack (:mod:`.engine`),
its change sets and the resource types that the drilled system needs are ours. A type is
made through the lab's own AWS API, as CloudFormation does it, so what a template asks for
and what a call asks for can't differ. Types that moto has and we have not stay moto's; one
that nobody has is refused, as AWS refuses it.
"""

from collections.abc import Callable

from infra.lab.stacks import (
    alerts,
    backups,
    budgets,
    change_sets,
    database_groups,
    databases,
    ec2,
    engine,
    functions,
    keys,
    load_balancers,
    names,
    network_acls,
    observability,
    plain_tables,
    queries,
    queues,
    roles,
    routes,
    schedules,
    secrets,
    security_groups,
    tables,
    vpc_links,
)
from infra.lab.stacks.resource import TYPES


def install(endpoint_url: str, changed: Callable[[], None]) -> None:
    """Mend moto's CloudFormation.

    Args:
        endpoint_url: The lab's own AWS API, through which resources are made.
        changed: Called when a stack has reached a final status.

    """
    for module in (
        ec2,
        routes,
        security_groups,
        network_acls,
        vpc_links,
        keys,
        secrets,
        database_groups,
        databases,
        tables,
        plain_tables,
        roles,
        functions,
        load_balancers,
        names,
        schedules,
        backups,
        budgets,
        observability,
        alerts,
        queues,
    ):
        TYPES.update({kind.name: kind for kind in module.TYPES})
    engine.install(endpoint_url, changed)
    queries.install()
    change_sets.install()


def physics() -> dict[str, frozenset[str]]:
    """Return for each resource type the properties that something in the lab obeys."""
    return {kind.name: kind.physics for kind in TYPES.values()}
