"""The buckets of the functions' code, where they are not as they should be."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from drill.errors import DrillError
from infra import artefacts
from infra.function_package import Package
from tests.infra.deploylab import quick_control_plane
from tests.infra.lab.planelab import EAST, WEST, Lab

BUCKETS = {EAST: "east-code", WEST: "west-code"}
PACKAGE = Package(b"code")
TAGS = {"project": "shop"}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with quick_control_plane() as made:
        yield made


def test_a_bucket_of_somebody_else_is_said() -> None:
    """A bucket's name that is taken in another account is one line with the way out."""
    s3 = boto3.client("s3", region_name=EAST)
    with Stubber(s3) as stub:
        stub.add_client_error("head_bucket", "403", http_status_code=403)
        with pytest.raises(
            DrillError, match=r"^bucket east-code is not ours to use \(403\); choose another name"
        ):
            artefacts.missing(lambda _service, _region: s3, {EAST: "east-code"})


def test_half_a_bucket_is_mended(lab: Lab) -> None:
    """A bucket that was made and then left alone gets what it lacks."""
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="east-code")
    assert artefacts.missing(lab.aws.client, BUCKETS) == ("west-code",)
    artefacts.upload(lab.aws.client, BUCKETS, PACKAGE, TAGS)
    assert artefacts.missing(lab.aws.client, BUCKETS) == ()
    assert s3.get_bucket_versioning(Bucket="east-code")["Status"] == "Enabled"
    assert s3.get_bucket_tagging(Bucket="east-code")["TagSet"] == [{"Key": "project", "Value": "shop"}]


def test_the_same_code_is_uploaded_once(lab: Lab) -> None:
    """What is there under the name of its content is not sent again; other code comes beside it."""
    other = Package(b"other code")
    for package in (PACKAGE, PACKAGE, other):
        artefacts.upload(lab.aws.client, BUCKETS, package, TAGS)
    versions = lab.client("s3").list_object_versions(Bucket="east-code")["Versions"]
    assert sorted(item["Key"] for item in versions) == sorted([PACKAGE.key, other.key])


def test_a_bucket_goes_with_every_version(lab: Lab) -> None:
    """Versions and markers go too; a bucket that is gone is left so."""
    artefacts.upload(lab.aws.client, BUCKETS, PACKAGE, TAGS)
    s3 = lab.client("s3")
    s3.delete_object(Bucket="east-code", Key=PACKAGE.key)
    assert artefacts.remove(lab.aws.client, EAST, "east-code")
    assert not artefacts.remove(lab.aws.client, EAST, "east-code")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["west-code"]
