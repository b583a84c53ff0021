"""IAM as AWS has it: the policies that AWS manages are there from the beginning."""

import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from infra.lab.control_plane.mending import Function, replace


def install() -> None:
    """Mend moto's IAM, which has them only when the environment says so."""
    replace(IAMBackend, "_init_aws_policies", _policies)


def _policies(_original: Function) -> Function:
    def policies(backend: IAMBackend) -> list[Any]:
        return [
            AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, described)
            for name, described in json.loads(aws_managed_policies_data).items()
        ]

    return policies
