"""Who signed a request, and which policies bind them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from moto.core.utils import utcnow
from moto.iam.models import ManagedPolicy, Role, User, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.permissions import there
from infra.lab.control_plane.permissions.evaluation import Asked, Decision, Policy, decide
from infra.lab.control_plane.permissions.patterns import Context

ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
# What AWS gives out begins so; the lab's placeholder keys do not.
_GIVEN_OUT = ("AKIA", "ASIA")
_KEY_LENGTH = 20


class InvalidToken(Exception):
    """The key, or the token with it, is none that was given out, or is over.

    Attributes:
        code: AWS's code for it.
        text: AWS's words for it.

    """

    def __init__(self, code: str, text: str) -> None:
        """Take AWS's code and words."""
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class Caller:
    """A user or a role's session.

    Attributes:
        arn: As AWS names it in messages.
        user_id: Its unique id.
        identity: The policies of the user, or of the role.
        boundary: The policy beyond which those do not reach; None for no boundary.
        session: The policy given when the role was assumed; None if none was.
        role_arn: The role whose session it is; empty for a user.

    """

    arn: str
    user_id: str
    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None = None
    session: tuple[Policy, ...] | None = None
    role_arn: str = ""

    @property
    def keys(self) -> Context:
        """The condition keys that tell who asks."""
        return {
            "aws:principalarn": (self.role_arn or self.arn,),
            "aws:principalaccount": (ACCOUNT,),
            "aws:principaltype": ("AssumedRole" if self.role_arn else "User",),
            "aws:userid": (self.user_id,),
        }

    def decide(self, asked: Asked) -> tuple[Decision, str]:
        """Return what the policies come to, and which kind of policy decided it."""
        for policies, kind in (
            (self.identity, "identity-based policy"),
            (self.boundary, "permissions boundary"),
            (self.session, "session policy"),
        ):
            if policies is not None:
                decision = decide(policies, asked)
                if not decision.allowed:
                    return decision, kind
        return decide(self.identity, asked), "identity-based policy"


def caller(access_key: str, token: str) -> Caller | None:
    """Return who has an access key; None for the account's root user, whom nothing binds.

    Raises:
        InvalidToken: It was never given out, or is over.

    """
    if not (access_key.startswith(_GIVEN_OUT) and len(access_key) == _KEY_LENGTH):
        return None
    session = sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(access_key)
    if session is not None:
        if session.session_token != token:
            raise _invalid()
        if session.expiration <= utcnow():
            code, text = "ExpiredToken", "The security token included in the request is expired"
            raise InvalidToken(code, text)
        return of_session(session)
    user = iam_backends[ACCOUNT]["aws"].get_user_from_access_key_id(access_key)
    if user is None:
        raise _invalid()
    return of_user(user)


def _invalid() -> InvalidToken:
    return InvalidToken("InvalidClientTokenId", "The security token included in the request is invalid.")


def of_session(session: AssumedRole) -> Caller:
    """Return a role's session."""
    role = there.role_of(session.role_arn)
    given = (Policy.of("session", session.policy),) if session.policy else None
    return Caller(
        arn=session.arn,
        user_id=session.user_id,
        identity=policies_of(role) if role is not None else (),
        boundary=_boundary(role) if role is not None else None,
        session=given,
        role_arn=session.role_arn,
    )


def of_user(user: User) -> Caller:
    """Return a user, with the policies of its groups."""
    groups = iam_backends[ACCOUNT]["aws"].get_groups_for_user(user.name)
    policies = (*policies_of(user), *(policy for group in groups for policy in policies_of(group)))
    return Caller(user.arn, user.id, policies, _boundary(user))


def of_role(role: Role) -> Caller:
    """Return a role as the simulator takes it: without any session."""
    return Caller(role.arn, role.id, policies_of(role), _boundary(role), None, role.arn)


def policies_of(holder: object) -> tuple[Policy, ...]:
    """Return the inline and the attached policies of a role, a user or a group."""
    return tuple(_policies(holder))


def _policies(holder: object) -> Iterator[Policy]:
    inline = getattr(holder, "policies", {})
    for name, document in _pairs(inline):
        yield Policy.of(name, document)
    for arn, policy in getattr(holder, "managed_policies", {}).items():
        yield Policy.of(arn.rpartition("/")[2], _in_force(policy))


def _pairs(inline: object) -> Iterable[tuple[str, str]]:
    return list(inline.items()) if isinstance(inline, dict) else []


def _boundary(holder: object) -> tuple[Policy, ...] | None:
    arn = getattr(holder, "permissions_boundary_arn", None)
    if not arn:
        return None
    found = iam_backends[ACCOUNT]["aws"].managed_policies.get(arn)
    return (Policy.of(arn.rpartition("/")[2], _in_force(found)),) if found is not None else ()


def _in_force(policy: ManagedPolicy) -> str:
    """Return the document of a managed policy's default version."""
    return next(str(one.document) for one in policy.versions if one.is_default)
