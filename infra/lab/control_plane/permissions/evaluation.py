"""Whether policies permit an action on a resource. Pure.

An explicit denial is final; what nothing allows is denied implicitly.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.lab.control_plane.permissions import conditions
from infra.lab.control_plane.permissions.patterns import Context, arn_like, filled, like, many

Effect = Literal["allowed", "explicitDeny", "implicitDeny"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One permission that a request takes.

    Attributes:
        action: For example ``ec2:CreateNetworkAcl``.
        resource: Its ARN; ``*`` where AWS knows no resource for the action.
        context: The values of condition keys.

    """

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as it is attached.

    Attributes:
        id: What the simulator calls it.
        statements: Its statements, in order.

    """

    id: str
    statements: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, policy_id: str, document: str | Mapping[str, Any]) -> "Policy":
        """Read a policy's document.

        Raises:
            TypeError: It is no JSON object.
            ValueError: It is no JSON.

        """
        whole = json.loads(document) if isinstance(document, str) else document
        if not isinstance(whole, Mapping):
            msg = "a policy must be a JSON object"
            raise TypeError(msg)
        return cls(policy_id, tuple(many(whole.get("Statement"))))


@dataclass(frozen=True, slots=True)
class Decision:
    """What policies come to.

    Attributes:
        effect: Whether it is permitted, and if not, whether that is said or only not said otherwise.
        matched: Ids of the policies whose statements decided it.
        missing: Condition keys that were asked about and that the request does not have.

    """

    effect: Effect
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether it is permitted."""
        return self.effect == "allowed"


def decide(policies: Iterable[Policy], asked: Asked) -> Decision:
    """Return what policies of one kind come to for one permission."""
    matched: dict[str, list[str]] = {"Allow": [], "Deny": []}
    missing: set[str] = set()
    for policy, statement in _about(policies, asked):
        block = statement.get("Condition")
        missing |= {key for key in conditions.keys_of(block) if key.lower() not in asked.context}
        if conditions.hold(block, asked.context):
            matched[str(statement.get("Effect"))].append(policy.id)
    lacking = tuple(sorted(missing))
    if matched["Deny"]:
        return Decision("explicitDeny", tuple(matched["Deny"]), lacking)
    if matched["Allow"]:
        return Decision("allowed", tuple(matched["Allow"]), lacking)
    return Decision("implicitDeny", (), lacking)


def _about(policies: Iterable[Policy], asked: Asked) -> Iterator[tuple[Policy, Mapping[str, Any]]]:
    for policy in policies:
        for statement in policy.statements:
            if _names_action(statement, asked) and _names_resource(statement, asked):
                yield policy, statement


def _names_action(statement: Mapping[str, Any], asked: Asked) -> bool:
    action = asked.action.lower()
    return _named(statement, "Action", lambda pattern: like(action, pattern.lower()))


def _names_resource(statement: Mapping[str, Any], asked: Asked) -> bool:
    def matches(pattern: str) -> bool:
        whole = filled(pattern, asked.context)
        return whole is not None and arn_like(asked.resource, whole)

    # The policy of a resource may leave it away: it is about that resource.
    if "Resource" not in statement and "NotResource" not in statement:
        return True
    return _named(statement, "Resource", matches)


def _named(statement: Mapping[str, Any], member: str, matches: Callable[[str], bool]) -> bool:
    """Say whether a statement is about something; ``Not…`` is about all else."""
    if f"Not{member}" in statement:
        return not any(matches(str(one)) for one in many(statement[f"Not{member}"]))
    return any(matches(str(one)) for one in many(statement.get(member)))
