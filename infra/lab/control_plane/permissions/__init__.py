"""IAM as AWS has it: who asks, what that takes, and whether their policies permit it.

Requests that are signed with the lab's placeholder keys are the account's root user's: nothing is
asked of them. Those that are signed with a user's key, or with what AssumeRole gave, are permitted
by policies alone.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from infra.lab.control_plane.permissions import callers, calls, gate, needs, simulation, there
from infra.lab.schedule_targets import TargetCall


def install() -> None:
    """Give moto's IAM the policy simulator; the gate is in the HTTP server."""
    simulation.install()


def role_permits(role_arn: str, call: TargetCall, region: str) -> bool:
    """Say whether a role that a service has assumed may make a call."""
    role = there.role_of(role_arn)
    if role is None:
        return False
    who = callers.of_role(role)
    asked = calls.Call(call.iam_action.partition(":")[0], call.operation, region, call.arguments)
    return all(gate.decide(who, one, region)[0].allowed for one in needs.of(asked).permissions)
