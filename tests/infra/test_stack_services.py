"""Functions, roles and load balancers of stacks: made, read back, changed in place, protected."""

import io
import zipfile
from collections.abc import Iterator, Mapping

import pytest

from tests.infra.described import functions, load_balancers
from tests.infra.lab.planelab import EAST, Lab, control_plane
from tests.infra.servicestack import SERVICES
from tests.infra.stacklab import change, events, live, make, settle, undescribed

READERS = {**functions.READERS, **load_balancers.READERS}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane whose functions' processes are warm at once."""
    with control_plane() as made:
        yield made


@pytest.fixture
def given(lab: Lab) -> Mapping[str, str]:
    """Give the parameters of the template: a network, code and a certificate."""
    ec2 = lab.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    edge = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=f"{EAST}{zone}")
        for number, zone in enumerate("abc")
    ]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    upload(lab, "first")
    acm = lab.client("acm")
    certificate = acm.request_certificate(DomainName="orders.example.test")["CertificateArn"]
    return {
        "Bucket": "code",
        "Key": "first.zip",
        "Edge": ",".join(one["Subnet"]["SubnetId"] for one in edge),
        "Group": group,
        "Certificate": certificate,
    }


def upload(lab: Lab, name: str) -> None:
    """Put a package into the bucket."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", f"def handle(event, context): return {name!r}")
    s3 = lab.client("s3")
    if not s3.list_buckets()["Buckets"]:
        s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key=f"{name}.zip", Body=archive.getvalue())


def test_every_property_is_described(lab: Lab, given: Mapping[str, str]) -> None:
    """What a template says is what Lambda's, IAM's and ELB's own calls show."""
    stack = make(lab, SERVICES, **given)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert undescribed(lab, READERS) == []
    assert {one.kind.name for one in live().values()} >= set(READERS)
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    balancer, targets = outputs["Arns"].split()
    assert balancer.endswith(f":loadbalancer/{outputs['Balancer']}")
    assert targets.endswith(f":{outputs['Targets']}")
    assert (outputs["Balancer"][:4], outputs["Targets"][:12]) == ("app/", "targetgroup/")


def test_changes_are_made_in_place(lab: Lab, given: Mapping[str, str]) -> None:
    """Settings change, or fall back to what they are without a word, and no other resource is made."""
    make(lab, SERVICES, **given)
    before = {name: one.made.physical_resource_id for name, one in live().items()}
    upload(lab, "second")
    assert (
        change(lab, SERVICES, **{**given, "Key": "second.zip", "Second": "yes"})["StackStatus"]
        == "UPDATE_COMPLETE"
    )
    assert undescribed(lab, READERS) == []
    assert {name: one.made.physical_resource_id for name, one in live().items()} == before
    found = lab.client("lambda").get_function(FunctionName=before["Function"])
    assert "Concurrency" not in found
    assert {"DeadLetterConfig", "Environment"} & found["Configuration"].keys() == set()


def test_a_version_of_other_code_is_refused(lab: Lab, given: Mapping[str, str]) -> None:
    """A version names the code that it is made of; other code fails the stack."""
    stack = make(lab, SERVICES, **given, Sha256="0" * 43 + "=")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("CodeSHA256" in text for _, _, text in events(lab))


def test_a_protected_load_balancer_stays(lab: Lab, given: Mapping[str, str]) -> None:
    """Deletion protection keeps the load balancer, and the stack says so."""
    stack = make(lab, SERVICES, **given, Second="yes")
    lab.client("cloudformation").delete_stack(StackName="s")
    settled = settle(lab, stack["StackId"])
    assert settled["StackStatus"] == "DELETE_FAILED"
    assert len(lab.client("elbv2").describe_load_balancers()["LoadBalancers"]) == 1
