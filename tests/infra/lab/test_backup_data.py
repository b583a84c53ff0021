"""AWS Backup over databases that really run: what was backed up is what comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.lab.backuplab import Kept, make_vaults
from tests.infra.lab.planelab import WEST, Lab
from tests.infra.lab.rdslab import RdsLab


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RdsLab]:
    """Give a control plane with running databases."""
    with RdsLab(tmp_path).running() as made:
        yield made


@pytest.fixture
def kept(running: RdsLab) -> Kept:
    """Give vaults in both regions."""
    return make_vaults(Lab(running.plane, running.aws))


def test_rows_come_back_in_the_other_region(running: RdsLab, kept: Kept) -> None:
    """Backup, copy and restore bring the rows of the backup's instant to the other region."""
    running.make(StorageEncrypted=True)
    running.ask("CREATE TABLE kept AS SELECT generate_series(1, 100) AS n")
    job = kept.back_up()
    assert (job["State"], job["IsEncrypted"]) == ("COMPLETED", True)
    running.ask("INSERT INTO kept VALUES (101)")
    copy = kept.copy(job["RecoveryPointArn"])
    kept.client("backup").delete_recovery_point(
        BackupVaultName="east", RecoveryPointArn=job["RecoveryPointArn"]
    )
    arn = copy["DestinationRecoveryPointArn"]
    done = kept.restore(arn, WEST, DBClusterIdentifier="again", Engine="aurora-postgresql")
    assert done["Status"] == "COMPLETED", done.get("StatusMessage")
    running.add_instance("again", WEST)
    assert running.ask("SELECT sum(n), count(*) FROM kept", "again", WEST) == [[5050, 100]]
    (point,) = kept.points(WEST)
    assert point["CreationDate"] >= job["CompletionDate"]
