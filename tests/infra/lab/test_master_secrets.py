"""Master passwords that RDS manages: in the secret and in force in a database that really runs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.databaselab import WRONG_PASSWORD
from tests.infra.lab.planelab import EAST
from tests.infra.lab.rdslab import PASSWORD, RdsLab, until

MANAGED: dict[str, Any] = {"MasterUserPassword": None, "ManageMasterUserPassword": True}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RdsLab]:
    """Give a control plane with running databases."""
    with RdsLab(tmp_path_factory.mktemp("databases")).running() as made:
        yield made


@pytest.fixture
def lab(shared: RdsLab) -> Iterator[RdsLab]:
    """Give it to one test, empty."""
    yield from shared.alone()


def manager(lab: RdsLab) -> Any:
    """Return a client of Secrets Manager."""
    return lab.aws.client("secretsmanager", EAST)


def secret_of(cluster: dict[str, Any]) -> str:
    """Return the ARN of a cluster's secret."""
    return str(cluster["MasterUserSecret"]["SecretArn"])


def login(lab: RdsLab, arn: str) -> dict[str, str]:
    """Return what a secret holds: user and password."""
    held: dict[str, str] = json.loads(manager(lab).get_secret_value(SecretId=arn)["SecretString"])
    return {"user": held["username"], "password": held["password"]}


def test_the_managed_password_logs_in(lab: RdsLab) -> None:
    """RDS makes the secret, names and tags it as its own, and its password is the one in force."""
    cluster = lab.make(**MANAGED)
    found = manager(lab).describe_secret(SecretId=secret_of(cluster))
    assert found["Name"].startswith("rds!cluster-")
    assert (found["OwningService"], found["RotationEnabled"]) == ("rds", True)
    assert found["RotationRules"]["AutomaticallyAfterDays"] == 7
    assert {"Key": "aws:rds:primaryDBClusterArn", "Value": cluster["DBClusterArn"]} in found["Tags"]
    assert cluster["MasterUserSecret"]["SecretStatus"] == "active"
    assert lab.ask("SELECT current_user", **login(lab, secret_of(cluster))) == [["keeper"]]
    assert lab.refusal("SELECT 1") == WRONG_PASSWORD


@pytest.mark.parametrize("through", ["rds", "secretsmanager"])
def test_a_rotation_changes_the_password_in_force(lab: RdsLab, through: str) -> None:
    """Asked of either service, the secret gets a new password, which is in force; the old one is not."""
    arn = secret_of(lab.make(**MANAGED))
    before = login(lab, arn)
    if through == "rds":
        lab.rds().modify_db_cluster(
            DBClusterIdentifier="orders", RotateMasterUserPassword=True, ApplyImmediately=True
        )
    else:
        manager(lab).rotate_secret(SecretId=arn)
    until(lambda: login(lab, arn) != before)
    assert lab.ask("SELECT 1", **login(lab, arn)) == [[1]]
    assert lab.refusal("SELECT 1", **before) == WRONG_PASSWORD
    stages = manager(lab).describe_secret(SecretId=arn)["VersionIdsToStages"].values()
    assert sorted(stage for held in stages for stage in held) == ["AWSCURRENT", "AWSPREVIOUS"]
    lab.settled()


def test_the_secret_goes_with_its_cluster(lab: RdsLab) -> None:
    """Nobody else may delete it; with the cluster it is gone at once."""
    arn = secret_of(lab.make(**MANAGED))
    with pytest.raises(ClientError, match="InvalidRequestException"):
        manager(lab).delete_secret(SecretId=arn)
    lab.rds().delete_db_instance(DBInstanceIdentifier="orders-1", SkipFinalSnapshot=True)
    lab.rds().delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    until(lambda: lab.rds().describe_db_clusters()["DBClusters"] == [])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        manager(lab).describe_secret(SecretId=arn)


def test_management_is_turned_on_and_off(lab: RdsLab) -> None:
    """Turned on, the password becomes the secret's; turned off, it is the one given, and the secret goes."""
    lab.make()
    rds, name = lab.rds(), {"DBClusterIdentifier": "orders"}
    rds.modify_db_cluster(**name, ManageMasterUserPassword=True, ApplyImmediately=True)
    arn = secret_of(lab.settled())
    assert lab.ask("SELECT 1", **login(lab, arn)) == [[1]]
    with pytest.raises(
        ClientError, match=r"InvalidParameterCombination.*MasterUserPassword must be provided"
    ):
        rds.modify_db_cluster(**name, ManageMasterUserPassword=False)
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rds.modify_db_cluster(**name, MasterUserPassword="another-one")
    rds.modify_db_cluster(**name, ManageMasterUserPassword=False, MasterUserPassword="another-one")
    assert "MasterUserSecret" not in lab.settled()
    assert lab.ask("SELECT 1", password="another-one") == [[1]]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        manager(lab).describe_secret(SecretId=arn)


def test_management_has_no_place_in_a_global_database(lab: RdsLab) -> None:
    """A cluster with a managed password can't found one, and no member can turn it on."""
    managed = lab.make("managed", **MANAGED)
    rds = lab.rds()
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        rds.create_global_cluster(
            GlobalClusterIdentifier="world", SourceDBClusterIdentifier=managed["DBClusterArn"]
        )
    plain = lab.make("plain")
    rds.create_global_cluster(
        GlobalClusterIdentifier="world", SourceDBClusterIdentifier=plain["DBClusterArn"]
    )
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rds.modify_db_cluster(DBClusterIdentifier="plain", ManageMasterUserPassword=True)
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        lab.rds("us-west-2").create_db_cluster(
            DBClusterIdentifier="third",
            Engine="aurora-postgresql",
            GlobalClusterIdentifier="world",
            ManageMasterUserPassword=True,
        )


def test_a_managed_password_is_not_given_too(lab: RdsLab) -> None:
    """A password of one's own beside the managed one is refused, and no secret is left behind."""
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        lab.make(ManageMasterUserPassword=True, MasterUserPassword=PASSWORD)
    assert manager(lab).list_secrets()["SecretList"] == []
