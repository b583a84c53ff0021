"""The buckets that function code is deployed from: one a region, encrypted, versioned, private, TLS only."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from infra.function_package import Package
from infra.stack_states import ClientFactory

# The region whose buckets are made without naming it, see
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
_UNNAMED = "us-east-1"
_ABSENT = {"404", "NoSuchBucket", "NoSuchKey", "NotFound"}
_NOT_OURS = {"403", "AccessDenied", "Forbidden"}


def names(project: str, account: str, regions: Sequence[str]) -> dict[str, str]:
    """Return the bucket of each region."""
    return {region: f"{project}-code-{account}-{region}" for region in regions}


def missing(client_of: ClientFactory, buckets: Mapping[str, str]) -> tuple[str, ...]:
    """Return the buckets that are not there yet.

    Raises:
        DrillError: One belongs to somebody else.

    """
    return tuple(
        bucket
        for region, bucket in buckets.items()
        if not _there(client_of("s3", region).head_bucket, Bucket=bucket)
    )


def upload(
    client_of: ClientFactory, buckets: Mapping[str, str], package: Package, tags: Mapping[str, str]
) -> None:
    """Make the buckets that are missing and put the package into each, unless it is there already."""
    for region, bucket in buckets.items():
        s3 = client_of("s3", region)
        if not _there(s3.head_bucket, Bucket=bucket):
            _make(s3, region, bucket)
        _protect(s3, bucket, tags)
        # The key is made of the content: what is there is the same.
        if not _there(s3.head_object, Bucket=bucket, Key=package.key):
            s3.put_object(Bucket=bucket, Key=package.key, Body=package.archive)


def remove(client_of: ClientFactory, region: str, bucket: str) -> bool:
    """Delete a bucket with every version of everything; says whether there was one."""
    s3 = client_of("s3", region)
    if not _there(s3.head_bucket, Bucket=bucket):
        return False
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        kept = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        gone = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in kept]
        if gone:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": gone, "Quiet": True})
    s3.delete_bucket(Bucket=bucket)
    return True


def _make(s3: Any, region: str, bucket: str) -> None:  # noqa: ANN401 (boto3 clients have no static type)
    place = {} if region == _UNNAMED else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **place)


def _protect(s3: Any, bucket: str, tags: Mapping[str, str]) -> None:  # noqa: ANN401
    """Make a bucket as it should be; each call may be made again, so that half a bucket is mended."""
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_tls_only(s3, bucket)))
    s3.put_bucket_tagging(
        Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
    )


def _tls_only(s3: Any, bucket: str) -> dict[str, Any]:  # noqa: ANN401
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html."""
    arn = f"arn:{s3.meta.partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def _there(head: Any, **what: str) -> bool:  # noqa: ANN401
    try:
        head(**what)
    except ClientError as problem:
        code = problem.response["Error"]["Code"]
        if code in _ABSENT:
            return False
        if code in _NOT_OURS:
            msg = (
                f"bucket {what['Bucket']} is not ours to use ({code}); choose another name in the system file"
            )
            raise DrillError(msg) from problem
        raise
    return True
