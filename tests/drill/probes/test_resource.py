"""The probes that look at databases, against the lab's control plane over HTTP."""

import uuid

import pytest

from drill import permissions
from drill.aws import Aws
from drill.errors import UsageError
from drill.faults import made
from drill.model import Goodness, Json, ProbeSpec
from drill.probes.postgres import PostgresProbe
from drill.probes.resource import ResourceProbe
from tests.drill.probes.scripted import Attempts, Place

EAST = "us-east-1"


@pytest.fixture
def aws(aws_url: str) -> Aws:
    """Give clients of the control plane."""
    return Aws(aws_url, 10)


def _cluster(aws: Aws, name: str) -> None:
    rds = aws.client("rds", EAST)
    rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        MasterUsername="keeper",
        MasterUserPassword="first-one",
    )
    rds.create_db_instance(
        DBInstanceIdentifier=f"{name}-1",
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )


def _looking(what: str, name: str, place: Place, url: str | None) -> ResourceProbe:
    options: dict[str, Json] = {"what": what, "region": EAST, "id": name}
    return ResourceProbe(ProbeSpec("look", "resource", 1, 5, options), place(endpoint_url=url))


def test_a_resource_is_good_once_it_can_be_used(
    aws: Aws, aws_url: str, place: Place, attempts: Attempts
) -> None:
    """A cluster tells its writer; an instance, a snapshot and a table tell their status."""
    name = f"orders-{uuid.uuid4().hex[:8]}"
    _cluster(aws, name)
    aws.client("rds", EAST).create_db_cluster_snapshot(
        DBClusterIdentifier=name, DBClusterSnapshotIdentifier=f"{name}-shot"
    )

    (cluster,) = attempts(_looking("db-cluster", name, place, aws_url), 1)
    (instance,) = attempts(_looking("db-instance", f"{name}-1", place, aws_url), 1)
    (snapshot,) = attempts(_looking("db-cluster-snapshot", f"{name}-shot", place, aws_url), 1)

    assert {"status": "available", "writer": f"{name}-1", "members": [f"{name}-1"]} == cluster.detail
    assert (Goodness.GOOD, EAST) == (cluster.goodness, cluster.answered_by)
    assert "available" == instance.detail["status"]
    assert {"status": "available", "percent": 100} == snapshot.detail


@pytest.mark.parametrize(
    "what", ["db-cluster", "db-instance", "db-cluster-snapshot", "table", "vpc-peering-connection"]
)
def test_what_is_not_there_is_absent(what: str, aws_url: str, place: Place, attempts: Attempts) -> None:
    """That there is none is an answer, and no error."""
    name = "pcx-11112222333344445" if what.startswith("vpc") else "{run}-nothing"

    (seen,) = attempts(_looking(what, name, place, aws_url), 1)

    assert (Goodness.BAD, {"status": "absent"}) == (seen.goodness, seen.detail)


def test_silence_proves_nothing(silent: int, place: Place, attempts: Attempts) -> None:
    """When AWS does not answer, nobody knows whether the resource is there."""
    options: dict[str, Json] = {"what": "table", "region": EAST, "id": "orders"}
    spec = ProbeSpec("look", "resource", 1, 0.3, options)

    (seen,) = attempts(ResourceProbe(spec, place(endpoint_url=f"http://127.0.0.1:{silent}")), 1)

    assert (Goodness.UNKNOWN, {"error": "timeout"}) == (seen.goodness, seen.detail)


def test_a_kind_that_nobody_knows_is_refused(place: Place) -> None:
    """A wrong option names itself and what it may be."""
    with pytest.raises(UsageError, match="one of db-cluster"):
        _looking("volcano", "v", place, None)


def test_the_policy_names_what_a_run_makes_by_a_pattern() -> None:
    """The name of what a run makes is not known when the policy is written."""
    options: dict[str, Json] = {"what": "db-cluster", "region": EAST, "id": "{run}"}

    (call,) = ResourceProbe.calls(ProbeSpec("look", "resource", 1, 5, options))

    assert (f"arn:{{partition}}:rds:{EAST}:{{account}}:cluster:drill-*",) == call.resources
    assert "rds:DescribeDBClusters" == permissions._permission(call)


@pytest.mark.parametrize(
    "run_id", ["20261129t072436-aurora-snapshot-restore-ab12", "run-1", "X" * 90, "a--b_", "9-"]
)
def test_a_run_names_what_it_makes(run_id: str) -> None:
    """RDS takes the name, with something appended, and it is the same each time."""
    name = made.name_of(run_id)

    assert name == made.name_of(run_id)
    assert name.startswith("drill-")
    assert len(f"{name}-instance-12") <= 63
    assert "--" not in name
    assert not name.endswith("-")


def _database(place: Place, url: str, resolver: str | None = None, **more: Json) -> PostgresProbe:
    options: dict[str, Json] = {"region": EAST, "cluster_id": "{run}", "secret_arn": "login", **more}
    context = place(endpoint_url=url, resolver=resolver)
    return PostgresProbe(ProbeSpec("database", "postgres", 1, 2, options), context)


def test_a_database_that_is_not_there_is_bad(aws_url: str, place: Place, attempts: Attempts) -> None:
    """Before it is restored there is no cluster to connect to."""
    (seen,) = attempts(_database(place, aws_url), 1)

    assert (Goodness.BAD, {"error": "no_cluster"}) == (seen.goodness, seen.detail)


def test_a_database_that_can_not_be_found_or_reached_is_bad(
    aws: Aws, aws_url: str, place: Place, attempts: Attempts, refused: int
) -> None:
    """A login that can't be read leaves it unknown; a name that nobody resolves is an error of DNS."""
    name = f"orders-{uuid.uuid4().hex[:8]}"
    _cluster(aws, name)
    nobody = f"127.0.0.1:{refused}"

    (unknown,) = attempts(_database(place, aws_url, nobody, cluster_id=name), 1)
    secret = aws.client("secretsmanager", EAST).create_secret(
        Name=name, SecretString='{"username": "u", "password": "not-to-be-told"}'
    )["ARN"]
    (seen,) = attempts(_database(place, aws_url, nobody, cluster_id=name, secret_arn=secret), 1)

    assert (Goodness.UNKNOWN, "ResourceNotFoundException") == (unknown.goodness, unknown.detail["error"])
    assert seen.goodness is Goodness.BAD
    assert seen.detail["error"] in {"dns", "timeout"}
    assert "not-to-be-told" not in str(seen)
