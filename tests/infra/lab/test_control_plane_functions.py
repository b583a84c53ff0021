"""Lambda calls that reach the physics, aliases, versions and warm processes."""

import io
import json
import time
import zipfile
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from infra.lab.world import Invocation
from tests.infra.lab.planelab import EAST, Lab, control_plane, make_function, make_network


def archive(text: str = "one") -> bytes:
    """Return a function's zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo("app.py"), f"def handle(event, context): return '{text}'")
    return packed.getvalue()


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane with a function that has a version and an alias."""
    with control_plane() as made:
        make_function(made, archive())
        functions = made.client("lambda")
        functions.publish_version(FunctionName="orders")
        functions.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
        yield made


def test_an_invocation_reaches_the_physics(lab: Lab) -> None:
    """Function, qualifier and payload arrive as called, and the answer comes back."""
    physics = lab.connect()
    answer = lab.client("lambda").invoke(FunctionName="orders", Qualifier="live", Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"ok": True}
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "1")
    assert physics.invoked == [(EAST, "orders", "live", b'{"a": 1}')]


@pytest.mark.parametrize(
    ("name", "qualifier"),
    [
        ("arn:aws:lambda:us-east-1:123456789012:function:orders:live", "live"),
        ("arn:aws:lambda:us-east-1:123456789012:function:orders", "$LATEST"),
        ("orders:1", "1"),
        ("orders", "$LATEST"),
    ],
)
def test_a_function_is_named_in_every_way(lab: Lab, name: str, qualifier: str) -> None:
    """Names and ARNs, with and without a qualifier, mean the same function."""
    physics = lab.connect()
    lab.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read()
    assert [call[1:3] for call in physics.invoked] == [("orders", qualifier)]


def test_a_function_error_is_marked(lab: Lab) -> None:
    """What the function raised is an answer with an error, not an error of the API."""
    lab.connect().answer = Invocation(b'{"errorMessage": "no"}', error="Unhandled")
    answer = lab.client("lambda").invoke(FunctionName="orders", Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read()) == {"errorMessage": "no"}


def test_a_throttled_invocation_is_refused(lab: Lab) -> None:
    """Both the physics and a reserved concurrency of zero throttle."""
    physics, functions = lab.connect(), lab.client("lambda")
    physics.answer = Invocation(b"", status=429)
    with pytest.raises(functions.exceptions.TooManyRequestsException):
        functions.invoke(FunctionName="orders", Payload=b"{}")
    physics.invoked.clear()
    functions.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=0)
    with pytest.raises(functions.exceptions.TooManyRequestsException):
        functions.invoke(FunctionName="orders", Qualifier="live", Payload=b"{}")
    assert physics.invoked == []
    assert {item.reserved for item in lab.now.functions} == {0}
    shown = functions.get_function(FunctionName="orders")["Concurrency"]
    assert shown["ReservedConcurrentExecutions"] == 0


def test_an_event_is_accepted_before_it_runs(lab: Lab) -> None:
    """An asynchronous invocation answers at once and runs all the same."""
    physics = lab.connect()
    answer = lab.client("lambda").invoke(FunctionName="orders", InvocationType="Event", Payload=b"{}")
    answer["Payload"].read()
    assert answer["StatusCode"] == 202
    until = time.monotonic() + 10
    while not physics.invoked and time.monotonic() < until:
        time.sleep(0.01)
    assert physics.invoked == [(EAST, "orders", "$LATEST", b"{}")]


@pytest.mark.parametrize("name", ["none", "orders:none"])
def test_an_unknown_function_is_not_found(lab: Lab, name: str) -> None:
    """Neither an unknown function nor an unknown alias reaches the physics."""
    physics, functions = lab.connect(), lab.client("lambda")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName=name, Payload=b"{}")
    assert physics.invoked == []


def test_nothing_runs_without_physics(lab: Lab) -> None:
    """The call fails with words instead of pretending."""
    with pytest.raises(ClientError, match="no functions run in this lab yet"):
        lab.client("lambda").invoke(FunctionName="orders", Payload=b"{}")


def test_warm_processes_are_ready_when_the_physics_say_so(lab: Lab) -> None:
    """Provisioned concurrency is in progress until that many processes are warm."""
    lab.connect()
    functions, alias = lab.client("lambda"), {"FunctionName": "orders", "Qualifier": "live"}
    put = functions.put_provisioned_concurrency_config(**alias, ProvisionedConcurrentExecutions=2)
    assert put["Status"] == "IN_PROGRESS"
    assert {item.version: item.provisioned for item in lab.now.functions} == {"$LATEST": 0, "1": 2}
    for ready, status in ((1, "IN_PROGRESS"), (2, "READY")):
        lab.plane.provisioned_ready(EAST, "orders", "1", ready)
        shown = functions.get_provisioned_concurrency_config(**alias)
        assert (shown["Status"], shown["AvailableProvisionedConcurrentExecutions"]) == (status, ready)
    listed = functions.list_provisioned_concurrency_configs(FunctionName="orders")
    assert [item["Status"] for item in listed["ProvisionedConcurrencyConfigs"]] == ["READY"]


def test_warm_processes_follow_the_alias(lab: Lab) -> None:
    """When an alias moves on, its warm processes are wanted for the new version."""
    functions = lab.client("lambda")
    functions.put_provisioned_concurrency_config(
        FunctionName="orders", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    functions.update_function_code(FunctionName="orders", ZipFile=archive("two"))
    functions.publish_version(FunctionName="orders")
    functions.update_alias(FunctionName="orders", Name="live", FunctionVersion="2")
    assert {item.version: item.provisioned for item in lab.now.functions} == {"$LATEST": 0, "1": 0, "2": 1}
    assert [(item.name, item.version) for item in lab.now.aliases] == [("live", "2")]


def test_warm_processes_can_be_given_up(lab: Lab) -> None:
    """Without a configuration there is none to show, and none is kept."""
    functions, alias = lab.client("lambda"), {"FunctionName": "orders", "Qualifier": "live"}
    functions.put_provisioned_concurrency_config(**alias, ProvisionedConcurrentExecutions=1)
    functions.delete_provisioned_concurrency_config(**alias)
    assert {item.provisioned for item in lab.now.functions} == {0}
    with pytest.raises(ClientError, match="ProvisionedConcurrencyConfigNotFoundException"):
        functions.get_provisioned_concurrency_config(**alias)


def test_latest_keeps_no_warm_processes(lab: Lab) -> None:
    """Only a published version can."""
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        lab.client("lambda").put_provisioned_concurrency_config(
            FunctionName="orders", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1
        )


def test_a_versions_number_is_never_given_again(lab: Lab) -> None:
    """Deleting a version does not make its number free."""
    functions = lab.client("lambda")
    numbers = []
    for text in ("two", "three", "four"):
        functions.update_function_code(FunctionName="orders", ZipFile=archive(text))
        numbers.append(functions.publish_version(FunctionName="orders")["Version"])
        functions.delete_function(FunctionName="orders", Qualifier=numbers[-1])
    assert numbers == ["2", "3", "4"]


def test_versions_keep_their_own_code(lab: Lab) -> None:
    """A version's code stays what it was when it was published."""
    lab.client("lambda").update_function_code(FunctionName="orders", ZipFile=archive("two"))
    code = {item.version: item.code for item in lab.now.functions}
    assert code == {"$LATEST": archive("two"), "1": archive("one")}


def test_a_functions_network_is_shown(lab: Lab) -> None:
    """The physics see the subnets of a function and the VPC that they are in."""
    vpc, subnet = make_network(lab)
    lab.client("lambda").update_function_configuration(
        FunctionName="orders", VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": []}
    )
    latest = next(item for item in lab.now.functions if item.version == "$LATEST")
    assert (latest.vpc_id, latest.subnet_ids) == (vpc, (subnet,))
