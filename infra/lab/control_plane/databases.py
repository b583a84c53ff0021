"""RDS as AWS has it: a cluster is ``available`` when its database really runs.

Without connected physics everything is available at once. A cluster without an instance is
available too (there is nothing to run); with its first instance it is ``creating`` again until
the physics report ``available``.
"""

from typing import Any

from moto.rds.exceptions import DBClusterNotFoundError
from moto.rds.models import DBCluster, DBInstance, RDSBackend, rds_backends

from infra.lab.control_plane.mending import ACCOUNT, Function, replace
from infra.lab.control_plane.wiring import WIRING


def install() -> None:
    """Mend moto's RDS."""
    replace(DBCluster, "status", _status)
    replace(RDSBackend, "create_db_cluster", _create_db_cluster)
    replace(RDSBackend, "create_db_instance", _create_db_instance)
    replace(RDSBackend, "modify_db_cluster", _modify_db_cluster)


def set_status(region: str, cluster_id: str, status: str) -> None:
    """Show a status for a cluster and its instances; one that is gone is left alone."""
    cluster = rds_backends[ACCOUNT][region].clusters.get(cluster_id)
    if cluster is None:
        return
    cluster.status = status
    for instance in cluster._members:
        instance.status = status


def password(cluster: DBCluster) -> str:
    """Return the master password in force."""
    if cluster.manage_master_user_password:
        return ""
    return str(getattr(cluster, "_master_user_password", ""))


def _status(_original: property) -> property:
    def shown(cluster: DBCluster) -> str:
        return str(cluster._status)

    def store(cluster: DBCluster, value: str) -> None:
        cluster._status = value

    return property(shown, store)


def _create_db_cluster(original: Function) -> Function:
    def create(backend: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
        with WIRING.databases:
            cluster: DBCluster = original(backend, kwargs)
            cluster._status = "available"
        return cluster

    return create


def _create_db_instance(original: Function) -> Function:
    def create(backend: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
        with WIRING.databases:
            instance: DBInstance = original(backend, db_kwargs)
            cluster = backend.clusters.get(db_kwargs.get("db_cluster_identifier") or "")
            if cluster is not None and WIRING.connected:
                instance.status = "creating"
                if len(cluster._members) == 1:
                    cluster._status = "creating"
        return instance

    return create


def _modify_db_cluster(original: Function) -> Function:
    def modify(backend: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
        # moto takes the cluster out and puts it back; nobody may look in between.
        with WIRING.databases:
            before = backend.clusters.get(kwargs["db_cluster_identifier"])
            if before is None:
                raise DBClusterNotFoundError(kwargs["db_cluster_identifier"])
            status = before._status
            modified: DBCluster = original(backend, kwargs)
            before._status = status
        return modified

    return modify
