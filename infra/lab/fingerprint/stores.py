"""Sections of what keeps data: databases, tables, secrets, keys, backups, buckets."""

from typing import Any

from infra.lab.fingerprint.sections import Client, Description, Section, listed, optional


def _snapshot(_: Client, one: Description) -> Description | None:
    return None if one["SnapshotType"] == "automated" else one


def _parameter_group(client: Client, one: Description) -> Description:
    name = one["DBClusterParameterGroupName"]
    call = "describe_db_cluster_parameters", "Parameters"
    own = [
        item for item in listed(client, *call, DBClusterParameterGroupName=name) if item["Source"] == "user"
    ]
    return {**one, "Parameters": own, "Tags": _rds_tags(client, one["DBClusterParameterGroupArn"])}


def _subnet_group(client: Client, one: Description) -> Description:
    return {**one, "Tags": _rds_tags(client, one["DBSubnetGroupArn"])}


def _rds_tags(client: Client, arn: str) -> list[Any]:
    tags: list[Any] = client.list_tags_for_resource(ResourceName=arn)["TagList"]
    return tags


def _table(client: Client, name: str) -> Description:
    one: Description = client.describe_table(TableName=name)["Table"]
    return {
        **one,
        "Backups": client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"],
        "TimeToLive": client.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
        "Tags": list(listed(client, "list_tags_of_resource", "Tags", ResourceArn=one["TableArn"])),
    }


def _key(client: Client, one: Description) -> Description | None:
    key_id = one["KeyId"]
    described: Description = client.describe_key(KeyId=key_id)["KeyMetadata"]
    if described["KeyState"] == "PendingDeletion" or described["KeyManager"] == "AWS":
        return None
    return {
        **described,
        "Policy": client.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"],
        "Rotation": client.get_key_rotation_status(KeyId=key_id),
        "Tags": list(listed(client, "list_resource_tags", "Tags", KeyId=key_id)),
    }


def _vault(client: Client, one: Description) -> Description:
    name, arn = one["BackupVaultName"], one["BackupVaultArn"]
    return {
        **one,
        "Policy": optional(client.get_backup_vault_access_policy, BackupVaultName=name).get("Policy"),
        "Tags": client.list_tags(ResourceArn=arn)["Tags"],
    }


def _plan(client: Client, one: Description) -> Description:
    plan_id = one["BackupPlanId"]
    call = "list_backup_selections", "BackupSelectionsList"
    return {
        **one,
        "Plan": client.get_backup_plan(BackupPlanId=plan_id),
        "Selections": [
            client.get_backup_selection(BackupPlanId=plan_id, SelectionId=item["SelectionId"])
            for item in listed(client, *call, BackupPlanId=plan_id)
        ],
        "Tags": client.list_tags(ResourceArn=one["BackupPlanArn"])["Tags"],
    }


def _bucket(client: Client, one: Description) -> Description:
    name = one["Name"]
    parts = ("encryption", "lifecycle_configuration", "ownership_controls", "policy", "tagging", "versioning")
    found = {part: optional(getattr(client, f"get_bucket_{part}"), Bucket=name) for part in parts}
    return {
        **one,
        **found,
        "Location": client.get_bucket_location(Bucket=name)["LocationConstraint"],
        "Public": optional(client.get_public_access_block, Bucket=name),
    }


_TABLES = {"ServiceNamespace": "dynamodb"}
REGIONAL = (
    Section("clusters", "rds", "describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
    Section("instances", "rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    Section(
        "cluster_snapshots",
        "rds",
        "describe_db_cluster_snapshots",
        "DBClusterSnapshots",
        "DBClusterSnapshotIdentifier",
        _snapshot,
    ),
    Section(
        "subnet_groups",
        "rds",
        "describe_db_subnet_groups",
        "DBSubnetGroups",
        "DBSubnetGroupName",
        _subnet_group,
    ),
    Section(
        "parameter_groups",
        "rds",
        "describe_db_cluster_parameter_groups",
        "DBClusterParameterGroups",
        "DBClusterParameterGroupName",
        _parameter_group,
    ),
    Section(
        "global_clusters", "rds", "describe_global_clusters", "GlobalClusters", "GlobalClusterIdentifier"
    ),
    Section("tables", "dynamodb", "list_tables", "TableNames", "TableName", _table),
    Section(
        "scalable_targets",
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets",
        "ScalableTargetARN",
        params=_TABLES,
    ),
    Section(
        "scaling_policies",
        "application-autoscaling",
        "describe_scaling_policies",
        "ScalingPolicies",
        "PolicyARN",
        params=_TABLES,
    ),
    Section("secrets", "secretsmanager", "list_secrets", "SecretList", "ARN"),
    Section("keys", "kms", "list_keys", "Keys", "KeyId", _key),
    Section(
        "key_aliases",
        "kms",
        "list_aliases",
        "Aliases",
        "AliasName",
        lambda _, one: None if one["AliasName"].startswith("alias/aws/") else one,
    ),
    Section("vaults", "backup", "list_backup_vaults", "BackupVaultList", "BackupVaultName", _vault),
    Section("plans", "backup", "list_backup_plans", "BackupPlansList", "BackupPlanId", _plan),
)
WITHOUT_REGION = (Section("buckets", "s3", "list_buckets", "Buckets", "Name", _bucket),)
