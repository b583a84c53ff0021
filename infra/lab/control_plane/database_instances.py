"""Instances of Aurora clusters: ``creating`` until their server accepts connections, ``deleting`` until gone.

All instances of a cluster are one server in the lab, since they share their storage on AWS.
"""

import secrets
import string
from collections.abc import Mapping
from typing import Any

from moto.rds.models import DBInstance, DBInstanceClustered, RDSBackend

from infra.lab.control_plane.database_state import (
    BOOK,
    ask,
    cluster_named,
    refuse,
    require_status,
    state_of,
)
from infra.lab.control_plane.mending import Function, replace
from infra.lab.control_plane.wiring import WIRING

# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
DEFAULT_CERTIFICATE = "rds-ca-rsa2048-g1"
_AS_GIVEN = (
    "database_insights_mode",
    "engine_lifecycle_support",
    "network_type",
    "performance_insights_kms_key_id",
    "performance_insights_retention_period",
)


def install() -> None:
    """Mend moto's instances."""
    replace(DBInstance, "save_automated_backup", _save_automated_backup)
    replace(RDSBackend, "create_db_instance", _create)
    replace(RDSBackend, "modify_db_instance", _modify)
    replace(RDSBackend, "reboot_db_instance", _reboot)
    replace(RDSBackend, "delete_db_instance", _delete)


def _save_automated_backup(original: Function) -> Function:
    def save(instance: DBInstance) -> None:
        # An Aurora cluster is backed up as a whole, never by instance.
        if not isinstance(instance, DBInstanceClustered):
            original(instance)

    return save


def _create(original: Function) -> Function:
    def create(backend: RDSBackend, db_kwargs: Mapping[str, Any]) -> DBInstance:
        with WIRING.databases:
            given = dict(db_kwargs)
            if given.get("db_cluster_identifier"):
                _require_sound(backend, given)
            instance: DBInstance = original(backend, given)
            _show(instance, given)
            instance.dbi_resource_id = "db-" + _letters()
            if not given.get("ca_certificate_identifier"):
                instance.ca_certificate_identifier = DEFAULT_CERTIFICATE
            if isinstance(instance, DBInstanceClustered):
                _join(backend, instance)
            return instance

    return create


def _letters() -> str:
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(26))


def _require_sound(backend: RDSBackend, given: Mapping[str, Any]) -> None:
    cluster = cluster_named(backend, given["db_cluster_identifier"])
    if state_of(cluster).origin:
        # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBClusterFromSnapshot.html
        require_status(cluster, "available", "modifying", "resetting-master-credentials")
    if cluster._status in {"deleting", "stopping", "stopped"}:
        require_status(cluster, "available")
    if given["db_instance_class"] == "db.serverless" and not cluster.serverless_v2_scaling_configuration:
        refuse(
            "InvalidDBClusterStateFault",
            "Set the Serverless v2 scaling configuration on the parent DB cluster"
            " before creating a Serverless v2 DB instance.",
        )


def _join(backend: RDSBackend, instance: DBInstanceClustered) -> None:
    cluster = instance.cluster
    instance.port = cluster.port
    instance.publicly_accessible = bool(instance.publicly_accessible)
    if cluster.db_subnet_group_name in backend.subnet_groups:
        instance.db_subnet_group_name = cluster.db_subnet_group_name
    if BOOK.follows:
        instance.status = "creating"


def _show(instance: DBInstance, given: Mapping[str, Any]) -> None:
    """Keep what moto drops."""
    for name in _AS_GIVEN:
        if name in given or not hasattr(instance, name):
            setattr(instance, name, given.get(name))
    if "enable_performance_insights" in given or not hasattr(instance, "performance_insights_enabled"):
        instance.performance_insights_enabled = bool(given.get("enable_performance_insights"))


def _modify(original: Function) -> Function:
    def modify(backend: RDSBackend, db_instance_identifier: str, db_kwargs: Mapping[str, Any]) -> DBInstance:
        with WIRING.databases:
            given = {name: value for name, value in dict(db_kwargs).items() if value is not None}
            instance: DBInstance = original(backend, db_instance_identifier, given)
            _show(instance, given)
            return instance

    return modify


def _reboot(original: Function) -> Function:
    def reboot(backend: RDSBackend, db_instance_identifier: str) -> DBInstance:
        with WIRING.databases:
            instance: DBInstance = original(backend, db_instance_identifier)
            if isinstance(instance, DBInstanceClustered) and BOOK.follows:
                _restart(instance)
            return instance

    return reboot


def _restart(instance: DBInstanceClustered) -> None:
    if instance.status != "available":
        name = instance.db_instance_identifier
        refuse("InvalidDBInstanceState", f"Instance {name} is {instance.status}, and can't be rebooted.")
    if not instance.is_cluster_writer:
        return  # the server that serves for it goes on
    instance.status = "rebooting"

    def done(_problem: str) -> None:
        if instance.status == "rebooting":
            instance.status = "available"

    ask("restart", instance.cluster, done)


def _delete(original: Function) -> Function:
    def delete(backend: RDSBackend, db_instance_identifier: str, **options: Any) -> DBInstance:
        with WIRING.databases:
            instance = backend.databases.get(db_instance_identifier)
            clustered = isinstance(instance, DBInstanceClustered)
            if instance is None or not clustered:
                gone: DBInstance = original(backend, db_instance_identifier, **options)
                return gone
            _require_deletable(instance)
            instance.status = "deleting"
            if not BOOK.follows:
                del backend.databases[db_instance_identifier]
            return instance

    return delete


def _require_deletable(instance: DBInstance) -> None:
    name = instance.db_instance_identifier
    if instance.deletion_protection:
        text = "Cannot delete protected DB Instance, please disable deletion protection and try again."
        refuse("InvalidParameterCombination", text)
    if instance.status == "deleting":
        refuse("InvalidDBInstanceState", f"Instance {name} is already being deleted.")
