"""ModifyDBCluster: what changes at once, what waits for the maintenance window, and what is refused.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Modifying.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from moto.rds.models import DBCluster, RDSBackend

from infra.lab.control_plane import database_groups, master_secrets
from infra.lab.control_plane.database_state import (
    BOOK,
    ClusterState,
    cluster_named,
    refuse,
    require_status,
    state_of,
)
from infra.lab.control_plane.mending import replace
from infra.lab.control_plane.wiring import WIRING

_SMALLEST_ACU, _LARGEST_ACU = 0.0, 256.0
# These wait for the maintenance window unless ApplyImmediately is set.
_LATER = {"engine_version": "EngineVersion", "new_db_cluster_identifier": "DBClusterIdentifier"}
_PLAIN = (
    "backup_retention_period",
    "vpc_security_group_ids",
    "port",
    "preferred_backup_window",
    "preferred_maintenance_window",
    "backtrack_window",
    "deletion_protection",
    "copy_tags_to_snapshot",
    "storage_type",
    "auto_minor_version_upgrade",
    "network_type",
    "monitoring_interval",
    "monitoring_role_arn",
    "database_insights_mode",
    "performance_insights_kms_key_id",
    "performance_insights_retention_period",
    "engine_lifecycle_support",
    "master_user_password",
    "engine_version",
)


def install() -> None:
    """Mend moto's modification of clusters."""
    replace(RDSBackend, "modify_db_cluster", lambda _: _modify)


def capacity(given: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the capacity range of a Serverless v2 cluster as the API shows it; None if none is given.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ServerlessV2ScalingConfiguration.html

    Raises:
        ServiceException: It is no range of half capacity units.

    """
    wanted = given.get("serverless_v2_scaling_configuration")
    if not wanted:
        return None
    low, high = float(wanted.get("MinCapacity", -1)), float(wanted.get("MaxCapacity", -1))
    halves = (low * 2).is_integer() and (high * 2).is_integer()
    if not (halves and _SMALLEST_ACU <= low <= high and 1 <= high <= _LARGEST_ACU):
        refuse("InvalidParameterValue", f"Serverless v2 capacity from {low} to {high} isn't valid.")
    return {"MinCapacity": low, "MaxCapacity": high}


def _modify(backend: RDSBackend, kwargs: Mapping[str, Any]) -> DBCluster:
    with WIRING.databases:
        given = {name: value for name, value in dict(kwargs).items() if value is not None}
        cluster = cluster_named(backend, given.pop("db_cluster_identifier"))
        require_status(cluster, "available", "stopped")
        _require_sound(backend, cluster, given)
        at_once = bool(given.pop("apply_immediately", False))
        cluster.pending_modified_values = {} if at_once else _postponed(given)
        status = "modifying"
        if master_secrets.change(cluster, given) or "master_user_password" in given:
            status = "resetting-master-credentials"
        for name, value in given.items():
            _apply(backend, cluster, name, value)
        settle(cluster, status)
        return cluster


def settle(cluster: DBCluster, status: str) -> ClusterState:
    """Have the physics make a change real; the cluster shows ``status`` until they have."""
    state = state_of(cluster)
    state.revision += 1
    if not BOOK.follows:
        state.applied = state.revision
    elif cluster._status == "available":
        cluster._status = status
    return state


def _require_sound(backend: RDSBackend, cluster: DBCluster, given: dict[str, Any]) -> None:
    if cluster.global_cluster_identifier and given.get("manage_master_user_password"):
        refuse(
            "InvalidParameterCombination",
            "ManageMasterUserPassword isn't supported for a DB cluster that is part of a global database.",
        )
    if state_of(cluster).primary and "master_user_password" in given:
        refuse("InvalidParameterCombination", "Cannot specify password for cross region replication cluster")
    new_name = given.get("new_db_cluster_identifier")
    if new_name and new_name in backend.clusters:
        refuse("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    engine = {"engine": cluster.engine, "engine_version": cluster.engine_version}
    database_groups.require_parameter_group(backend, engine | given)


def _postponed(given: dict[str, Any]) -> dict[str, Any]:
    return {shown: given.pop(name) for name, shown in _LATER.items() if name in given}


def _apply(backend: RDSBackend, cluster: DBCluster, name: str, value: Any) -> None:
    if name in _SPECIAL:
        _SPECIAL[name](cluster, value)
    elif name == "new_db_cluster_identifier":
        del backend.clusters[cluster.db_cluster_identifier]
        for instance in cluster._members:
            instance.db_cluster_identifier = value.lower()
        cluster.db_cluster_identifier = value
        backend.clusters[value] = cluster
    elif name in _PLAIN:
        setattr(cluster, name, value)


def _exports(cluster: DBCluster, change: Mapping[str, Any]) -> None:
    gone = set(change.get("DisableLogTypes") or ())
    kept = [name for name in cluster.enabled_cloudwatch_logs_exports if name not in gone]
    new = [name for name in change.get("EnableLogTypes") or () if name not in kept]
    cluster.enabled_cloudwatch_logs_exports = kept + new


def _capacity(cluster: DBCluster, value: Any) -> None:
    cluster.serverless_v2_scaling_configuration = capacity({"serverless_v2_scaling_configuration": value})


_SPECIAL: dict[str, Callable[[DBCluster, Any], None]] = {
    "cloudwatch_logs_export_configuration": _exports,
    "serverless_v2_scaling_configuration": _capacity,
    "db_cluster_parameter_group_name": lambda cluster, value: setattr(cluster, "parameter_group", value),
    "enable_iam_database_authentication": lambda cluster, value: setattr(cluster, "iam_auth", value),
    "enable_http_endpoint": lambda cluster, value: setattr(cluster, "_enable_http_endpoint", value),
    "enable_performance_insights": lambda cluster, value: setattr(
        cluster, "performance_insights_enabled", value
    ),
    "enable_global_write_forwarding": lambda cluster, value: setattr(
        cluster, "_global_write_forwarding_requested", value
    ),
}
