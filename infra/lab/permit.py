"""Permits the drills' role of a lab what a scenario needs, as whoever owns an account would.

The role in ``infra/stacks`` may do what the scenarios of this package need; it knows no others.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from drill import permissions
from drill.aws import Aws
from drill.plan import Plan

_NAME = "drill-of-"


def permit(*plans: Plan) -> tuple[str, ...]:
    """Give the role of the plans' target inline policies with what they need; return their names."""
    target = plans[0].target
    iam = Aws.of(target, as_operator=True).client("iam", "global")
    names = []
    for place, document in enumerate(permissions.policies(permissions.statements(*plans))):
        names.append(f"{_NAME}{plans[0].scenario}-{place}")
        iam.put_role_policy(
            RoleName=_role(plans[0]), PolicyName=names[-1], PolicyDocument=json.dumps(document)
        )
    return tuple(names)


@contextmanager
def permitted(*plans: Plan) -> Iterator[None]:
    """Permit what plans need for as long as the block runs."""
    names = permit(*plans)
    try:
        yield
    finally:
        iam = Aws.of(plans[0].target, as_operator=True).client("iam", "global")
        for name in names:
            iam.delete_role_policy(RoleName=_role(plans[0]), PolicyName=name)


def _role(plan: Plan) -> str:
    return plan.target.drills.role_arn.rpartition("/")[2]
