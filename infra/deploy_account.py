"""The account and the regions that a deployment goes to: who is asking, and may they at all."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from drill.aws import Aws
from drill.errors import UsageError
from infra.deploy_config import DeployConfig
from infra.stack_states import ClientFactory

_API_TIMEOUT_S = 120.0
# CloudFormation and Lambda throttle who deploys; see
# https://docs.aws.amazon.com/boto3/latest/guide/retries.html
_ATTEMPTS = 8


def clients(config: DeployConfig) -> ClientFactory:
    """Return what makes the clients of a system file's AWS.

    Raises:
        UsageError: The AWS profile that is asked for does not exist.

    """
    try:
        return Aws(config.endpoint_url, _API_TIMEOUT_S, 1 if config.endpoint_url else _ATTEMPTS).client
    except ProfileNotFound as problem:
        msg = f"{_sentence(problem)}; see which there are with: aws configure list-profiles"
        raise UsageError(msg) from problem


def account_of(client_of: ClientFactory, config: DeployConfig) -> str:
    """Return the account, once both regions have answered and it is the one that the file names.

    Raises:
        UsageError: No credentials, expired ones, those of another account, or a region that does
            not answer; nothing was touched.

    """
    found, _ = (_asked(client_of, region) for region in config.regions)
    if config.account not in {None, found}:
        msg = (
            f"these credentials are of account {found}, but the system file says {config.account}; "
            "nothing was touched; choose others with: export AWS_PROFILE=NAME"
        )
        raise UsageError(msg)
    return found


def _asked(client_of: ClientFactory, region: str) -> str:
    try:
        return str(client_of("sts", region).get_caller_identity()["Account"])
    except (NoCredentialsError, PartialCredentialsError) as problem:
        msg = (
            f"no AWS credentials: {_sentence(problem)}; nothing was touched; "
            "choose some with: export AWS_PROFILE=NAME, or make some with: aws configure"
        )
        raise UsageError(msg) from problem
    except (EndpointConnectionError, HTTPClientError) as problem:
        loopback = "127." in str(problem)
        then = "start a lab with: drill lab up --empty" if loopback else "see: aws account list-regions"
        msg = f"AWS does not answer in {region}: {_sentence(problem)}; nothing was touched; {then}"
        raise UsageError(msg) from problem
    except ClientError as problem:
        error = problem.response["Error"]
        msg = (
            f"AWS refuses these credentials in {region}: {error['Code']}: {_sentence(error['Message'])}; "
            "nothing was touched; see whose they are with: aws sts get-caller-identity"
        )
        raise UsageError(msg) from problem
    except BotoCoreError as problem:  # expired single sign-on, an unreadable configuration …
        msg = (
            f"no AWS credentials: {_sentence(problem)}; nothing was touched; "
            "get new ones with: aws sso login, or: aws configure"
        )
        raise UsageError(msg) from problem


def _sentence(said: object) -> str:
    return " ".join(str(said).split()).rstrip(".")
