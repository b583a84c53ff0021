"""AWS's errors while a system is deployed or destroyed, as a line that its reader can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from drill.errors import DrillError, UsageError


@contextmanager
def told(again: str) -> Iterator[None]:
    """Turn what goes wrong in the block into an error that names the command that goes on.

    Args:
        again: That command.

    Raises:
        UsageError: As it was raised: nothing was touched, and its text says what to do.
        DrillError: Anything else that AWS or CloudFormation did not do; a text that names the command
            already stays as it is.

    """
    try:
        yield
    except UsageError:
        raise
    except DrillError as problem:
        if again in str(problem):
            raise
        msg = f"{problem}; then go on with: {again}"
        raise DrillError(msg) from problem
    except ClientError as problem:
        error = problem.response["Error"]
        said = " ".join(error["Message"].split()).rstrip(".")
        msg = f"AWS refused {problem.operation_name}: {error['Code']}: {said}; then go on with: {again}"
        raise DrillError(msg) from problem
    except BotoCoreError as problem:
        said = " ".join(str(problem).split()).rstrip(".")
        msg = f"AWS did not answer: {said}; go on with: {again}"
        raise DrillError(msg) from problem
