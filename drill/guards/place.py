"""The right account, and both regions of it answer."""

from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from drill.aws import Aws
from drill.guards.contract import Asked, CannotTell
from drill.target import Region


def account(asked: Asked, aws: Aws) -> str:
    """Refuse credentials of another account."""
    target = asked.plan.target
    here = aws.client("sts", target.primary.name).get_caller_identity()["Account"]
    if here == target.account:
        return ""
    return f"these credentials are of account {here}, the target is in {target.account}; set AWS_PROFILE"


def regions(asked: Asked, aws: Aws) -> str:
    """Refuse unless both regions answer and have the target's VPC.

    A region that is in trouble of its own is no place for a drill, and no undo would get through.
    """
    target = asked.plan.target

    def problem_of(region: Region) -> str:
        try:
            aws.client("ec2", region.name).describe_vpcs(VpcIds=[region.vpc_id])
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "InvalidVpcID.NotFound":
                raise
            return (
                f"{region.name} answers but has no VPC {region.vpc_id}; "
                "prove the target file with: drill target check"
            )
        except BotoCoreError as problem:
            msg = f"{region.name} does not answer ({problem}); look at https://health.aws.amazon.com first"
            raise CannotTell(msg) from problem
        return ""

    with ThreadPoolExecutor(2) as pool:
        return "; ".join(filter(None, pool.map(problem_of, (target.primary, target.standby))))
