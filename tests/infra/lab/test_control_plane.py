"""The control plane as a server: what it tells, what it shows, and how it fails."""

import http.client
import io
import json
import socket
import threading
import zipfile
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from infra.lab import world
from infra.lab.control_plane import ControlPlane, http_server, mending
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane, make_function, make_network


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def archive() -> bytes:
    """Return a function's zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr("app.py", "def handle(event, context): return event")
    return packed.getvalue()


def test_it_is_a_control_plane(lab: Lab) -> None:
    """The physics can use it through the protocol that they know."""
    plane: world.ControlPlane = lab.plane
    assert plane.snapshot().account == mending.ACCOUNT


def test_it_answers_for_the_account_of_the_lab(lab: Lab) -> None:
    """Every caller is in one known account."""
    assert lab.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_a_new_one_begins_empty() -> None:
    """What an earlier control plane held is gone."""
    with control_plane() as first:
        make_network(first)
        assert len(first.now.vpcs) == 1
    with control_plane() as second:
        assert second.now.vpcs == ()


def test_what_an_ended_one_has_under_way_is_not_told_to_the_next() -> None:
    """A timer of the first ends while the second is there: to whom listens there nothing has changed."""
    with control_plane(clock_scale=0.05) as first:  # an update of a table takes 1.5 s
        dynamodb = first.client("dynamodb")
        dynamodb.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        )
        before = set(threading.enumerate())
        dynamodb.update_table(
            TableName="t", ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 2}
        )
        begun = set(threading.enumerate()) - before
        (timer,) = (one for one in begun if isinstance(one, threading.Timer))
    with control_plane() as second:
        assert second.changes_of(timer.join) == 0


def test_default_vpcs_are_left_out(lab: Lab) -> None:
    """The physics see only what a template or a call made."""
    assert lab.client("ec2").describe_vpcs()["Vpcs"]
    assert lab.now.vpcs == ()
    assert lab.now.subnets == ()
    assert lab.now.route_tables == ()


def test_both_regions_are_shown(lab: Lab) -> None:
    """A snapshot has what is in either region, each under its own."""
    make_network(lab, EAST, "10.1.0.0/16")
    make_network(lab, WEST, "10.2.0.0/16")
    assert {vpc.region: vpc.cidrs for vpc in lab.now.vpcs} == {EAST: ("10.1.0.0/16",), WEST: ("10.2.0.0/16",)}


def test_a_write_is_told_once(lab: Lab) -> None:
    """Whoever listens hears of a call that may have changed something."""
    assert lab.changes_of(lambda: lab.client("ec2").create_vpc(CidrBlock="10.1.0.0/16")) == 1


def test_a_rest_write_is_told(lab: Lab) -> None:
    """Calls that name no action (Route 53, Lambda) are told of by their method."""
    zones = lab.client("route53")
    made = lab.changes_of(lambda: zones.create_hosted_zone(Name="example.test", CallerReference="x"))
    assert made == 1
    assert lab.changes_of(zones.list_hosted_zones) == 0


def test_reading_is_not_told(lab: Lab) -> None:
    """A probe that reads many times a second disturbs nobody."""
    ec2 = lab.client("ec2")
    assert lab.changes_of(ec2.describe_vpcs) == 0


def test_items_and_invocations_are_not_told(lab: Lab) -> None:
    """Neither the traffic of the tables nor that of the functions counts as a change."""
    lab.connect()
    dynamodb = lab.client("dynamodb")
    dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    make_function(lab, archive())

    def traffic() -> None:
        dynamodb.put_item(TableName="t", Item={"k": {"S": "a"}})
        dynamodb.get_item(TableName="t", Key={"k": {"S": "a"}})
        dynamodb.query(
            TableName="t", KeyConditionExpression="k = :k", ExpressionAttributeValues={":k": {"S": "a"}}
        )
        lab.client("lambda").invoke(FunctionName="orders", Payload=b"{}")["Payload"].read()

    assert lab.changes_of(traffic) == 0


def test_an_action_that_moto_lacks_is_an_error_that_says_so(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    """The caller reads what the lab does not have, and so does the daemon's log."""
    with pytest.raises(ClientError) as refused:
        lab.client("ec2").describe_network_insights_analyses()
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert "DescribeNetworkInsightsAnalyses" in refused.value.response["Error"]["Message"]
    assert "DescribeNetworkInsightsAnalyses" in capsys.readouterr().err


@pytest.mark.parametrize("service", ["ec2", "rds", "route53", "dynamodb", "lambda"])
def test_a_failure_of_moto_is_an_aws_error(
    lab: Lab, service: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever moto raises comes back in the service's own form, and with its trace in the log."""

    def fail(*_: object) -> None:
        msg = "moto broke"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr(http_server._Dispatcher, "__call__", fail)
    calls = {
        "ec2": "describe_vpcs",
        "rds": "describe_db_clusters",
        "route53": "list_hosted_zones",
        "dynamodb": "list_tables",
        "lambda": "list_functions",
    }
    with pytest.raises(ClientError) as failed:
        getattr(lab.client(service), calls[service])()
    assert failed.value.response["Error"]["Code"] == "InternalFailure"
    assert "moto broke" in failed.value.response["Error"]["Message"]
    assert "Traceback" in capsys.readouterr().err


def test_connections_stay_open(lab: Lab) -> None:
    """One connection carries several requests, whatever their size."""
    address = urlsplit(lab.plane.endpoint_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0)
    scope = (
        f"AWS4-HMAC-SHA256 Credential=a/20260101/{EAST}/dynamodb/aws4_request, SignedHeaders=a, Signature=a"
    )
    head = {"Authorization": scope, "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    sockets = set()
    for size in (2, 100_000):
        body = json.dumps({"Limit": 1}).ljust(size)
        connection.request("POST", "/", body, head)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"TableNames": []})
        assert isinstance(connection.sock, socket.socket)
        sockets.add(connection.sock.getsockname())
    assert len(sockets) == 1
    connection.close()


def test_big_bodies_go_both_ways(lab: Lab) -> None:
    """A function's code is uploaded and read back whole."""
    s3, content = lab.client("s3"), bytes(range(256)) * 8192
    s3.create_bucket(Bucket="artefacts")
    s3.put_object(Bucket="artefacts", Key="code", Body=content)
    assert s3.get_object(Bucket="artefacts", Key="code")["Body"].read() == content


def test_a_closed_one_answers_nobody() -> None:
    """After closing, the port is free and kept connections are ended."""
    with control_plane() as lab:
        address = urlsplit(lab.plane.endpoint_url)
        held = socket.create_connection((address.hostname, address.port))
        held.settimeout(10)
        lab.client("sts").get_caller_identity()
    assert held.recv(1) == b""
    held.close()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((address.hostname, address.port))


def test_a_taken_port_is_an_os_error() -> None:
    """Nothing else than OSError says that the port is taken."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(OSError, match="in use"):
            ControlPlane("127.0.0.1", holder.getsockname()[1], (EAST, WEST))


def test_a_snapshot_is_the_same_while_nothing_changes(lab: Lab) -> None:
    """Two looks at an unchanged lab are equal, so that physics can compare."""
    make_network(lab)
    assert lab.now == lab.now


def test_a_moved_moto_is_noticed() -> None:
    """Mending something that moto no longer has says so at once."""

    class Moved:
        pass

    with pytest.raises(RuntimeError, match=r"moto moved .*Moved.gone"):
        mending.replace(Moved, "gone", lambda original: original)


def test_an_action_that_moto_has_by_now_is_noticed() -> None:
    """An action of ours that moto has got is not replaced in silence."""

    class Grown:
        def action(self) -> None: ...

    with pytest.raises(RuntimeError, match=r"moto has .*Grown.action now"):
        mending.add(Grown, "action", lambda _: None)
