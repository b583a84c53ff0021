"""The guards that scenarios ask for."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from drill.guards.contract import CannotTell
from drill.guards.declared import guard_of
from drill.model import GuardSpec, Json
from drill.target import Target
from infra.lab.control_plane import cluster_snapshots
from tests.drill.faults.breakage import key_in, make_cluster
from tests.drill.guards.asking import NOBODY, asked
from tests.drill.test_target import make_document
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane."""
    with control_plane() as made:
        made.connect()
        yield made


def test_a_kind_that_nobody_knows_can_not_be_told() -> None:
    """A guard that is skipped would be none."""
    with pytest.raises(CannotTell, match="'moon-phase'"):
        guard_of(GuardSpec("moon-phase", {}))(asked(), NOBODY)


def check(lab: Lab, **settings: bool) -> GuardSpec:
    """Make a health check and return the guard on it."""
    made = lab.client("route53").create_health_check(
        CallerReference=str(settings),
        HealthCheckConfig={"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 443, **settings},
    )
    return GuardSpec("check-is-healthy", {"health_check_id": made["HealthCheck"]["Id"]})


@pytest.mark.parametrize("switch", ["Inverted", "Disabled"])
def test_a_check_that_somebody_switched_refuses(lab: Lab, switch: str) -> None:
    """To invert it again would put it right, and the undo would break it."""
    answer = guard_of(check(lab, **{switch: True}))(asked(), lab.aws)

    assert "is already inverted or disabled; somebody else is working on it" in answer


def test_a_check_without_a_healthy_report_refuses(lab: Lab) -> None:
    """No checker says that it is healthy: inverting it would draw traffic into a broken region."""
    assert "is unhealthy before the drill" in guard_of(check(lab))(asked(), lab.aws)


@pytest.mark.parametrize(("replicas", "refused"), [((), True), ((WEST,), False)])
def test_a_table_that_is_not_global_refuses(lab: Lab, replicas: tuple[str, ...], refused: bool) -> None:
    """Without a replica there is no replication to pause."""
    client = lab.client("dynamodb", EAST)
    client.create_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    for region in replicas:
        client.update_table(TableName="orders", ReplicaUpdates=[{"Create": {"RegionName": region}}])

    answer = guard_of(GuardSpec("table-is-global", {}))(asked(), lab.aws)

    assert refused == ("table orders has no replica in us-west-2" in answer)
    assert refused == bool(answer)


class TestAlertsAreReadable:
    def answer(self, lab: Lab, **region: str) -> str:
        """Return what the guard says of a standby with such a queue."""
        document = make_document()
        document["standby"] |= region
        asking = replace(asked(), plan=replace(asked().plan, target=Target.model_validate(document)))
        return guard_of(GuardSpec("alerts-are-readable", {"region": WEST}))(asking, lab.aws)

    def test_without_a_queue_nobody_would_see_an_alert(self, lab: Lab) -> None:
        """The refusal names the key of the target file."""
        assert "standby.drill_queue_url" in self.answer(lab, alert_queue_url="https://pager")

    def test_the_pagers_own_queue_is_refused(self, lab: Lab) -> None:
        """What a drill reads there, a person would not get."""
        own = {"alert_queue_url": "https://pager", "drill_queue_url": "https://pager"}
        assert "is the pager's own queue" in self.answer(lab, **own)

    def test_a_queue_that_is_there_will_do(self, lab: Lab) -> None:
        """One that is not can't be judged, which refuses too."""
        url = lab.client("sqs", WEST).create_queue(QueueName="alerts-of-drills")["QueueUrl"]

        assert "" == self.answer(lab, drill_queue_url=url)
        with pytest.raises(ClientError, match="NonExistentQueue"):
            self.answer(lab, drill_queue_url=f"{url}-gone")


class TestRecoveryPointIsThere:
    def answer(self, lab: Lab, region: str = WEST, **more: Json) -> str:
        """Return what the guard says of a cluster's recovery points in a region."""
        options: dict[str, Json] = {"region": region, "cluster_id": "orders", **more}
        return guard_of(GuardSpec("recovery-point-is-there", options))(asked(), lab.aws)

    def test_without_one_it_says_how_to_make_one(self, lab: Lab) -> None:
        """A region that no copy ever came to can restore nothing."""
        answer = self.answer(lab)

        assert "there is no recovery point of orders in us-west-2" in answer
        assert "drill run aurora-snapshot-restore --fresh" in answer

    def test_one_whose_key_is_gone_is_none(self, lab: Lab) -> None:
        """It opens for nobody; with its key it is one, and to be copied it must not be AWS Backup's."""
        make_cluster(lab.aws, "orders")
        key = key_in(lab.aws, WEST)
        east = cluster_snapshots.take(EAST, "orders", "east", kind="awsbackup")
        cluster_snapshots.copy(WEST, east.arn, "west", key_id=key, kind="awsbackup")

        assert not self.answer(lab)
        assert "there is no recovery point" in self.answer(lab, EAST, copyable=True)
        lab.client("kms", WEST).disable_key(KeyId=key)
        assert f"its key {key} is Disabled" in self.answer(lab)
