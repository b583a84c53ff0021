"""May one service use another's key or function: the key's and the function's policies say.

https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html and
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import lambda_backends
from moto.kms.models import kms_backends

from infra.lab.control_plane import keys
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.resource_policies import Access, allows

_INVOKE = "lambda:InvokeFunction"
_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")


@dataclass(frozen=True, slots=True)
class Caller:
    """A service that acts for one of its resources.

    Attributes:
        principal: For example ``cloudwatch.amazonaws.com``.
        source_arn: The resource.
        more: Further condition keys in lower case.

    """

    principal: str
    source_arn: str
    more: Mapping[str, str] = field(default_factory=dict)

    def wants(self, action: str, resource: str, more: Mapping[str, str] | None = None) -> Access:
        """Return what it wants to do, with all that conditions may ask about."""
        context = {
            "aws:sourcearn": self.source_arn,
            "aws:sourceaccount": ACCOUNT,
            **self.more,
            **(more or {}),
        }
        return Access(self.principal, action, resource, context)


def key_refuses(region: str, key_id: str, caller: Caller, encryption_context: Mapping[str, str]) -> str:
    """Say why a key does not encrypt for a service; empty if it does.

    Args:
        region: Where it is used.
        key_id: Its id, ARN or alias.
        caller: The service.
        encryption_context: By name, for example ``aws:sqs:arn``.

    """
    unusable = keys.why_unusable(region, key_id)
    if unusable:
        return unusable
    key = kms_backends[ACCOUNT][region].describe_key(key_id)
    more = {f"kms:encryptioncontext:{name.lower()}": value for name, value in encryption_context.items()}
    if all(allows(key.policy, caller.wants(action, key.arn, more)) for action in _KEY_ACTIONS):
        return ""
    return f"the policy of the key {key.arn} does not let {caller.principal} use it"


def function_parts(arn: str) -> tuple[str, str, str]:
    """Return the region, name and qualifier of a function's ARN."""
    fields = [*arn.split(":"), ""]
    return fields[3], fields[6], fields[7] or "$LATEST"


def function_refuses(arn: str, caller: Caller) -> str:
    """Say why a function is not invoked for a service; empty if it is."""
    region, name, qualifier = function_parts(arn)
    backend = lambda_backends[ACCOUNT][region]
    try:
        found = {backend.get_function(name), backend.get_function(name, qualifier)}
    except LambdaClientError:
        return f"there is no function {arn}"
    policy = {"Statement": [statement for function in found for statement in function.policy.statements]}
    unqualified = arn.removesuffix(":$LATEST")
    if any(allows(policy, caller.wants(_INVOKE, known)) for known in (unqualified, f"{unqualified}:$LATEST")):
        return ""
    return f"the policy of {arn} does not let {caller.principal} invoke it"
