"""IAM as AWS has it: the policies that AWS manages are there, each made when it is first asked for.

moto has all of them or none. All of them are some 1,600 objects, which a control plane that is
made for one test need not build.
"""

import json
from contextlib import suppress
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from infra.lab.control_plane.mending import Function, replace

_OURS = ":iam::aws:policy/"


def install() -> None:
    """Mend moto's IAM, which has them only when the environment says so."""
    replace(IAMBackend, "_init_managed_policies", _policies)
    replace(IAMBackend, "attach_role_policy", _attach)


def _policies(_original: Function) -> Function:
    def policies(backend: IAMBackend) -> _Policies:
        return _Policies(backend)

    return policies


def _attach(original: Function) -> Function:
    def attach(backend: IAMBackend, policy_arn: str, role_name: str) -> None:
        with suppress(KeyError):  # moto says by its right name what is not there
            backend.managed_policies[policy_arn]
        original(backend, policy_arn, role_name)

    return attach


class _Policies(dict[str, Any]):
    """Policies by ARN."""

    def __init__(self, backend: IAMBackend) -> None:
        super().__init__()
        self._backend = backend

    def __missing__(self, arn: str) -> Any:
        _, ours, path = arn.partition(_OURS)
        name = path.rpartition("/")[2]
        described = _known().get(name) if ours else None
        if described is None:
            raise KeyError(arn)
        self[arn] = AWSManagedPolicy.from_data(
            name, self._backend.account_id, self._backend.region_name, described
        )
        return self[arn]


@cache
def _known() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(aws_managed_policies_data)
    return known
