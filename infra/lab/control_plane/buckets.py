"""S3: a bucket's policy may ask for TLS, which loopback needs as little as it has it."""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy
from moto.s3.models import FakeBucket

from infra.lab.control_plane.mending import Function, replace

# What a policy says to refuse calls without TLS, see
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
_WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def install() -> None:
    """Mend moto's S3, which obeys a policy's statements without a look at their conditions."""
    replace(FakeBucket, "get_permission", _get_permission)


def _get_permission(original: Function) -> Function:
    def get_permission(bucket: FakeBucket, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return original(bucket, action, resource)
        policy = json.loads(bucket.policy)
        obeyed = [item for item in policy["Statement"] if item.get("Condition") != _WITHOUT_TLS]
        return IAMPolicy(json.dumps({**policy, "Statement": obeyed})).is_action_permitted(action, resource)

    return get_permission
