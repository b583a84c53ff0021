"""The buckets that function code is deployed from: one a region, versioned, private."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.function_package import Package
from infra.stack_changes import ClientFactory

# The region whose buckets are made without naming it, see
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
_UNNAMED = "us-east-1"
_ABSENT = {"404", "NoSuchBucket", "NoSuchKey", "NotFound"}


def names(project: str, account: str, regions: Sequence[str]) -> dict[str, str]:
    """Return the bucket of each region."""
    return {region: f"{project}-code-{account}-{region}" for region in regions}


def upload(client_of: ClientFactory, buckets: dict[str, str], package: Package) -> dict[str, str]:
    """Make the buckets that are missing and put the package into each; returns the buckets."""
    for region, bucket in buckets.items():
        s3 = client_of("s3", region)
        if not _there(s3.head_bucket, Bucket=bucket):
            _make(s3, region, bucket)
        if not _there(s3.head_object, Bucket=bucket, Key=package.key):
            s3.put_object(Bucket=bucket, Key=package.key, Body=package.archive)
    return buckets


def remove(client_of: ClientFactory, buckets: dict[str, str]) -> None:
    """Delete the buckets with every version of everything; one that is not there is left so."""
    for region, bucket in buckets.items():
        s3 = client_of("s3", region)
        if not _there(s3.head_bucket, Bucket=bucket):
            continue
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            kept = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            gone = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in kept]
            if gone:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": gone, "Quiet": True})
        s3.delete_bucket(Bucket=bucket)


def _make(s3: Any, region: str, bucket: str) -> None:  # noqa: ANN401 (boto3 clients have no static type)
    place = {} if region == _UNNAMED else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **place)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )


def _there(head: Any, **what: str) -> bool:  # noqa: ANN401
    try:
        head(**what)
    except ClientError as problem:
        if problem.response["Error"]["Code"] in _ABSENT:
            return False
        raise
    return True
