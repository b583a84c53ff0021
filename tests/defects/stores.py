"""Failures of the database, its backups and logins, and of the table; and what plants them."""

from datetime import datetime
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from drill import clock
from infra.lab import first_backup
from tests.defects.bench import Bench, Undo

_DYNAMODB = "dynamodb"
_STALE_S = 300.0


def no_copies(bench: Bench) -> Undo:
    """Have backups stay in the region that they are of (DR03)."""
    backup, plan_id = bench.client("backup"), bench.target.database.backup_plan_id
    before = backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]
    plan = {
        "BackupPlanName": before["BackupPlanName"],
        "Rules": [{k: v for k, v in rule.items() if k != "RuleId"} for rule in before["Rules"]],
    }
    home = {
        **plan,
        "Rules": [{k: v for k, v in rule.items() if k != "CopyActions"} for rule in plan["Rules"]],
    }
    backup.update_backup_plan(BackupPlanId=plan_id, BackupPlan=home)

    def undo() -> None:
        backup.update_backup_plan(BackupPlanId=plan_id, BackupPlan=plan)
        first_backup.make(bench.target)  # what was not copied meanwhile is not copied later

    return undo


def never_copied(bench: Bench) -> Undo:
    """Have no backup in the other region at all (DR03)."""
    undo = no_copies(bench)
    vault = bench.client("backup", bench.target.standby.name)
    for point in _copies(bench):
        vault.delete_recovery_point(
            BackupVaultName=bench.target.standby.backup_vault, RecoveryPointArn=point["RecoveryPointArn"]
        )
    return undo


def await_stale(bench: Bench) -> None:
    """Wait until the newest copy is older than a restore may lose."""
    limit_s = bench.target.objectives_for("aurora-snapshot-restore").rpo_s or 0.0

    def age_s() -> float:
        newest = max(one["CreationDate"] for one in _copies(bench))
        return float((datetime.fromisoformat(clock.now().wall) - newest).total_seconds())

    stale = Retrying(
        retry=retry_if_result(lambda age: age < limit_s + 10),
        stop=stop_after_delay(_STALE_S),
        wait=wait_fixed(1),
    )
    stale(age_s)


def _copies(bench: Bench) -> list[Any]:
    region = bench.target.standby
    listed = bench.client("backup", region.name).list_recovery_points_by_backup_vault(
        BackupVaultName=region.backup_vault
    )
    return list(listed["RecoveryPoints"])


def no_replica(bench: Bench) -> Undo:
    """Have the application's login in one region only (DR04)."""
    secrets, target = bench.client("secretsmanager"), bench.target
    arn, there = target.primary.secret_arn, target.standby.name
    secrets.remove_regions_from_replication(SecretId=arn, RemoveReplicaRegions=[there])
    replica = {"Region": there, "KmsKeyId": target.standby.key_arn}
    return lambda: secrets.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=[replica])


def not_rotated(bench: Bench) -> Undo:
    """Have nobody change the application's login (DR04)."""
    secrets, arn = bench.client("secretsmanager"), bench.target.primary.secret_arn
    before = secrets.describe_secret(SecretId=arn)
    secrets.cancel_rotate_secret(SecretId=arn)
    return lambda: secrets.rotate_secret(
        SecretId=arn,
        RotationLambdaARN=before["RotationLambdaARN"],
        RotationRules=before["RotationRules"],
        RotateImmediately=False,
    )


def fixed_capacity(bench: Bench) -> Undo:
    """Have nothing scale the table's writes (DR16): in both regions, since they share them."""
    undos = [_fixed(bench, region.name) for region in (bench.target.primary, bench.target.standby)]
    return lambda: [undo() for undo in undos]


def _fixed(bench: Bench, region: str) -> Undo:
    scaling, of = _writes(bench, region)
    target, policy = _scaled(scaling, of)
    scaling.deregister_scalable_target(**of)

    def undo() -> None:
        bounds = {key: target[key] for key in ("MinCapacity", "MaxCapacity", "RoleARN")}
        scaling.register_scalable_target(**of, **bounds)
        scaling.put_scaling_policy(**of, **policy)

    return undo


def no_policy(bench: Bench) -> Undo:
    """Have nothing scale the table's writes in either region, though it may be scaled (DR16)."""
    target = bench.target
    undos = [_without_policy(bench, region.name) for region in (target.primary, target.standby)]
    return lambda: [undo() for undo in undos]


def _without_policy(bench: Bench, region: str) -> Undo:
    scaling, of = _writes(bench, region)
    _, policy = _scaled(scaling, of)
    scaling.delete_scaling_policy(**of, PolicyName=policy["PolicyName"])
    return lambda: scaling.put_scaling_policy(**of, **policy)


def scaling_suspended(bench: Bench) -> Undo:
    """Leave the scaling of the table's writes suspended in both regions, as somebody forgot it (DR16)."""

    def suspend(*, is_suspended: bool) -> None:
        state = {"DynamicScalingOutSuspended": is_suspended}
        for region in (bench.target.primary, bench.target.standby):
            scaling, of = _writes(bench, region.name)
            scaling.register_scalable_target(**of, SuspendedState=state)

    suspend(is_suspended=True)
    return lambda: suspend(is_suspended=False)


def _writes(bench: Bench, region: str) -> tuple[Any, dict[str, str]]:
    """Return a client, and what names the scaling of the table's writes in a region."""
    return bench.client("application-autoscaling", region), {
        "ServiceNamespace": _DYNAMODB,
        "ResourceId": f"table/{bench.target.table.name}",
        "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
    }


def _scaled(scaling: Any, of: dict[str, str]) -> tuple[Any, dict[str, Any]]:
    """Return a scalable target, and its policy as it is put."""
    targets = scaling.describe_scalable_targets(
        ServiceNamespace=of["ServiceNamespace"],
        ResourceIds=[of["ResourceId"]],
        ScalableDimension=of["ScalableDimension"],
    )["ScalableTargets"]
    policy = _only(scaling.describe_scaling_policies(**of)["ScalingPolicies"])
    put = ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")
    return _only(targets), {key: policy[key] for key in put}


def key_disabled(bench: Bench) -> Undo:
    """Have the standby's key open nothing (DX07)."""
    region = bench.target.standby
    kms = bench.client("kms", region.name)
    kms.disable_key(KeyId=region.key_arn)
    return lambda: kms.enable_key(KeyId=region.key_arn)


def other_groups(bench: Bench) -> Undo:
    """Have the standby lack the parameter group of a restored cluster (DX06)."""
    region = bench.target.standby
    rds, name = bench.client("rds", region.name), region.database_parameter_group
    before = _only(
        rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)["DBClusterParameterGroups"]
    )
    own = [
        {**one, "ApplyMethod": "pending-reboot"}
        for one in rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")[
            "Parameters"
        ]
    ]
    tags = rds.list_tags_for_resource(ResourceName=before["DBClusterParameterGroupArn"])["TagList"]
    rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=name)

    def undo() -> None:
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name,
            DBParameterGroupFamily=before["DBParameterGroupFamily"],
            Description=before["Description"],
            Tags=tags,
        )
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=own)

    return undo


def _only(found: list[Any]) -> Any:
    (one,) = found
    return one
