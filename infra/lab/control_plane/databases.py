"""RDS as AWS has it: what is asked of a cluster takes its time, and shows when it has really happened.

Without connected physics everything is done at once. With them a cluster is ``creating``
until its data are there, and an instance until its server accepts connections.
"""

from collections.abc import Mapping
from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.models import DBCluster, RDSBackend

from infra.lab.control_plane import (
    cluster_changes,
    cluster_life,
    cluster_restores,
    cluster_snapshot_lists,
    cluster_snapshots,
    database_groups,
    database_instances,
    global_clusters,
    global_moves,
    master_secrets,
)
from infra.lab.control_plane.database_keys import key_arn
from infra.lab.control_plane.database_state import BOOK, refuse, state_of
from infra.lab.control_plane.mending import ACCOUNT, Function, replace
from infra.lab.control_plane.wiring import WIRING

RESERVED = ("admin", "rdsadmin")
_AS_GIVEN = (
    "monitoring_interval",
    "monitoring_role_arn",
    "database_insights_mode",
    "performance_insights_kms_key_id",
    "performance_insights_retention_period",
    "engine_lifecycle_support",
    "cluster_scalability_type",
)


def install() -> None:
    """Mend moto's RDS."""
    BOOK.clear()
    replace(DBCluster, "status", _status)
    replace(DBCluster, "save_automated_backup", lambda _: _no_snapshot)
    replace(RDSBackend, "create_db_cluster", _create)
    for part in (
        master_secrets,
        database_groups,
        database_instances,
        cluster_changes,
        cluster_life,
        cluster_snapshots,
        cluster_snapshot_lists,
        cluster_restores,
        global_clusters,
        global_moves,
    ):
        part.install()


def _status(_original: property) -> property:
    def shown(cluster: DBCluster) -> str:
        return str(cluster._status)

    def store(cluster: DBCluster, value: str) -> None:
        cluster._status = value

    return property(shown, store)


def _no_snapshot(_cluster: DBCluster) -> None:
    """Leave out what moto does here: it notes a snapshot that holds no data."""


def _create(original: Function) -> Function:
    def create(backend: RDSBackend, kwargs: Mapping[str, Any]) -> DBCluster:
        with WIRING.databases:
            given = dict(kwargs)
            _require_sound(backend, given)
            primary = global_clusters.admit(backend, given)
            if given.get("storage_encrypted"):
                given["kms_key_id"] = key_arn(backend, given.get("kms_key_id"))
            cluster: DBCluster = original(backend, given)
            if primary is not None:
                state_of(cluster).primary = primary.db_cluster_resource_id
            elif given.get("master_user_password"):
                cluster.master_user_password = given["master_user_password"]
            _dress(backend, cluster, given)
            cluster._status = "creating" if BOOK.follows else "available"
            return cluster

    return create


def _require_sound(backend: RDSBackend, given: dict[str, Any]) -> None:
    """Refuse what AWS refuses."""
    if given["db_cluster_identifier"] in backend.clusters:
        refuse("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    group = given.get("db_subnet_group_name")
    if group and group not in backend.subnet_groups:
        refuse("DBSubnetGroupNotFoundFault", f"DB subnet group '{group}' does not exist.")
    if given.get("manage_master_user_password") and given.get("master_user_password"):
        refuse(
            "InvalidParameterCombination",
            "You can't specify MasterUserPassword when ManageMasterUserPassword is turned on.",
        )
    if (given.get("master_username") or "").lower() in RESERVED:
        name = given["master_username"]
        refuse(
            "InvalidParameterValue",
            f"MasterUsername {name} cannot be used as it is a reserved word used by the engine",
        )
    if given.get("manage_master_user_password") and given.get("master_user_secret_kms_key_id"):
        key_arn(backend, given["master_user_secret_kms_key_id"])
    database_groups.require_parameter_group(backend, given)
    given["serverless_v2_scaling_configuration"] = cluster_changes.capacity(given)


def _dress(backend: RDSBackend, cluster: DBCluster, given: dict[str, Any]) -> None:
    """Show what moto drops, and what AWS fills in."""
    cluster.parameter_group = given.get("db_cluster_parameter_group_name") or database_groups.default_name(
        cluster.engine, cluster.engine_version
    )
    cluster.kms_key_id = given.get("kms_key_id") if cluster.storage_encrypted else None
    if cluster.storage_type != "aurora-iopt1":
        cluster.storage_type = None
    cluster._enable_http_endpoint = bool(given.get("enable_http_endpoint"))
    cluster.performance_insights_enabled = bool(given.get("enable_performance_insights"))
    for name in _AS_GIVEN:
        setattr(cluster, name, given.get(name))
    if not cluster.vpc_security_group_ids:
        cluster.vpc_security_group_ids = _default_security_group(backend, cluster)


def _default_security_group(backend: RDSBackend, cluster: DBCluster) -> list[str]:
    """Return the default group of the cluster's VPC, which lets nobody in from elsewhere."""
    group = backend.subnet_groups.get(cluster.db_subnet_group_name)
    ec2 = ec2_backends[ACCOUNT][backend.region_name]
    vpc = ec2.default_vpc if group is None else ec2.vpcs.get(group.vpc_id)
    found = None if vpc is None else ec2.get_default_security_group(vpc.id)
    return [] if found is None else [found.id]
