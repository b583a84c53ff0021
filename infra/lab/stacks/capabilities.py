"""Refuses a template that makes roles unless its sender says that it may.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
"""

from collections.abc import Collection, Mapping
from typing import Any

from moto.cloudformation.exceptions import CloudFormationError

_IAM = {
    "AWS::IAM::AccessKey",
    "AWS::IAM::Group",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::UserToGroupAddition",
}
_NAMES = {"GroupName", "InstanceProfileName", "ManagedPolicyName", "RoleName", "UserName"}
_NAMED, _UNNAMED = "CAPABILITY_NAMED_IAM", "CAPABILITY_IAM"


class InsufficientCapabilities(CloudFormationError):
    """The template needs more than its sender acknowledged."""

    code = "InsufficientCapabilitiesException"


def require(template: Mapping[str, Any], acknowledged: Collection[str]) -> None:
    """Check what the sender of a template acknowledged.

    Raises:
        InsufficientCapabilities: The template makes roles or their like, and that was not acknowledged.

    """
    found = [
        resource for resource in (template.get("Resources") or {}).values() if resource.get("Type") in _IAM
    ]
    if not found or _NAMED in acknowledged:
        return
    named = any(_NAMES & (resource.get("Properties") or {}).keys() for resource in found)
    if named or _UNNAMED not in acknowledged:
        msg = f"Requires capabilities : [{_NAMED if named else _UNNAMED}]"
        raise InsufficientCapabilities(msg)
