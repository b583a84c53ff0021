"""A first recovery point of a system that was just deployed: its plan would make one within the hour.

What an operator does who will not wait for the plan: a backup on demand, copied to the standby.
https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-on-demand-backup.html
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from drill.aws import Aws
from drill.errors import DrillError
from drill.target import Target

Client: TypeAlias = Any
"""A boto3 client, which has no static type."""

_DONE_S = 60.0
_OK = 200
_FAILED = frozenset({"ABORTED", "EXPIRED", "FAILED", "PARTIAL"})


def make(deployed: Target) -> None:
    """Back up the primary's database and copy that to the standby; returns when it is there.

    Raises:
        DrillError: The application does not reach its database, or a job failed, or took too long.

    """
    primary, standby, plan_id = deployed.primary, deployed.standby, deployed.database.backup_plan_id
    if not (plan_id and primary.cluster_id and primary.backup_vault and standby.backup_vault):
        return
    _await_tables(deployed)
    backup = Aws.of(deployed, as_operator=True).client("backup", primary.name)
    role = _role(backup, plan_id)
    account = deployed.account
    job = backup.start_backup_job(
        BackupVaultName=primary.backup_vault,
        ResourceArn=f"arn:aws:rds:{primary.name}:{account}:cluster:{primary.cluster_id}",
        IamRoleArn=role,
    )["BackupJobId"]
    _await(lambda: backup.describe_backup_job(BackupJobId=job))
    point = backup.describe_backup_job(BackupJobId=job)["RecoveryPointArn"]
    copy = backup.start_copy_job(
        RecoveryPointArn=point,
        SourceBackupVaultName=primary.backup_vault,
        DestinationBackupVaultArn=f"arn:aws:backup:{standby.name}:{account}:backup-vault:{standby.backup_vault}",
        IamRoleArn=role,
    )["CopyJobId"]
    _await(lambda: backup.describe_copy_job(CopyJobId=copy)["CopyJob"])


def _await_tables(deployed: Target) -> None:
    """Have the application connect to its database once: it makes its tables then, and a backup has them."""
    primary = deployed.primary
    function = Aws.of(deployed, as_operator=True).client("lambda", primary.name)
    event = json.dumps({"httpMethod": "GET", "path": "/health"}).encode()

    def connected() -> bool:
        answer = function.invoke(
            FunctionName=primary.function_name, Qualifier=primary.function_alias, Payload=event
        )
        return bool(json.loads(answer["Payload"].read()).get("statusCode") == _OK)

    until_connected = Retrying(
        retry=retry_if_result(lambda is_up: not is_up),
        stop=stop_after_delay(_DONE_S),
        wait=wait_fixed(0.1),
    )
    try:
        until_connected(connected)
    except RetryError as problem:
        msg = f"the application did not reach its database in {_DONE_S:g} s; try: drill lab up"
        raise DrillError(msg) from problem


def _role(backup: Client, plan_id: str) -> str:
    listed = backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]
    return str(listed[0]["IamRoleArn"])


def _await(described: Callable[[], Mapping[str, Any]]) -> None:
    """Wait until a job is completed."""
    completed = Retrying(
        retry=retry_if_result(lambda state: state != "COMPLETED" and state not in _FAILED),
        stop=stop_after_delay(_DONE_S),
        wait=wait_fixed(0.1),
    )
    try:
        state = completed(lambda: str(described()["State"]))
    except RetryError as problem:
        msg = f"the first backup took longer than {_DONE_S:g} s; try: drill lab up"
        raise DrillError(msg) from problem
    if state in _FAILED:
        why = described().get("StatusMessage", "no reason given")
        msg = f"the first backup is {state}: {why}; try: drill lab up"
        raise DrillError(msg)
