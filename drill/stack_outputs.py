"""The outputs of CloudFormation stacks, read from AWS."""

from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError

from drill.aws import Aws
from drill.errors import TargetError


def read(stacks: Iterable[tuple[str, str]], aws: Aws) -> dict[str, str]:
    """Return the outputs of stacks by their keys.

    Args:
        stacks: Region and name of each.
        aws: Where to ask.

    Raises:
        TargetError: A stack can't be read, or two of them give one key different values.

    """
    outputs: dict[str, str] = {}
    for region, name in stacks:
        try:
            found = aws.client("cloudformation", region).describe_stacks(StackName=name)["Stacks"][0]
        except (BotoCoreError, ClientError) as problem:
            msg = f"stack {name} in {region} can't be read: {problem}; see: aws cloudformation list-stacks"
            raise TargetError(msg) from problem
        for output in found.get("Outputs", []):
            key, value = output["OutputKey"], output["OutputValue"]
            if outputs.get(key, value) != value:
                msg = (
                    f"stack {name} in {region} gives {key} another value than a stack before it; "
                    "name the outputs by region (PrimaryVpcId, StandbyVpcId)"
                )
                raise TargetError(msg)
            outputs[key] = value
    return outputs
