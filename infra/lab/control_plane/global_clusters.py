"""Aurora global databases: one cluster that takes writes, and clusters in other regions that follow it.

A global database belongs to no region; moto keeps them all in one.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database.html
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.rds.models import DBCluster, GlobalCluster, RDSBackend
from moto.rds.responses import RDSResponse

from infra.lab.control_plane.database_state import cluster_of_arn, refuse, require_status, state_of
from infra.lab.control_plane.mending import Function, add, replace
from infra.lab.control_plane.wiring import WIRING

_TAGS = ("list_tags_for_resource", "add_tags_to_resource", "remove_tags_from_resource")


def install() -> None:
    """Mend moto's global databases."""
    replace(GlobalCluster, "global_cluster_members", lambda _: property(_members))
    replace(DBCluster, "db_cluster_members", _cluster_members)
    replace(RDSResponse, "create_global_cluster", lambda _: _create)
    replace(RDSResponse, "describe_global_clusters", lambda _: _describe)
    replace(RDSResponse, "delete_global_cluster", lambda _: _delete)
    add(RDSResponse, "modify_global_cluster", _modify)
    replace(RDSBackend, "_get_resource_for_tagging", _tagged)


def _cluster_members(original: property) -> property:
    """Show no writer in a cluster that follows another one: all its instances are readers."""

    def shown(cluster: DBCluster) -> list[dict[str, Any]]:
        members: list[dict[str, Any]] = original.__get__(cluster, DBCluster)
        if not state_of(cluster).primary:
            return members
        return [{**member, "IsClusterWriter": False} for member in members]

    return property(shown)


def named(handler: RDSResponse) -> GlobalCluster:
    """Return the global database that a call names.

    Raises:
        ServiceException: There is none of that name.

    """
    name = handler.params["GlobalClusterIdentifier"]
    return _found(handler.global_backend, name)


def _found(books: RDSBackend, name: str) -> GlobalCluster:
    found = books.global_clusters.get(name.rpartition(":")[2])
    if found is None:
        refuse("GlobalClusterNotFoundFault", f"Global cluster {name} not found")
    return found


def writer_of(group: GlobalCluster) -> DBCluster | None:
    """Return the member that takes writes."""
    return next((member for member in group.members if member.is_writer), None)


def member_with(group: GlobalCluster, name: str) -> DBCluster:
    """Return a member by its ARN or, as RDS also takes it, its id.

    Raises:
        ServiceException: It is no member.

    """
    named = [member for member in group.members if name in {member.arn, member.db_cluster_identifier}]
    if not named:
        refuse(
            "DBClusterNotFoundFault",
            f"DBCluster {name} not found in global cluster {group.global_cluster_identifier}.",
        )
    return named[0]


def admit(backend: RDSBackend, given: dict[str, Any]) -> DBCluster | None:
    """Check a new cluster that is to join a global database, and give it what it has of the primary.

    Args:
        backend: Of the new cluster's region.
        given: What was asked for; changed in place.

    Returns:
        The cluster that the new one is to follow; None if it takes writes itself.

    Raises:
        ServiceException: It can't join.

    """
    name = given.get("global_cluster_identifier")
    if not name:
        return None
    if given.get("manage_master_user_password"):
        refuse(
            "InvalidParameterCombination",
            "ManageMasterUserPassword isn't supported for a DB cluster that is part of a global database.",
        )
    group = _found(backend.get_backend("rds", "us-east-1"), name)
    given["global_cluster_identifier"] = group.global_cluster_identifier
    given.setdefault("engine_version", group.engine_version)
    if given["engine"] != group.engine:
        refuse("InvalidParameterCombination", f"The engine must be that of {name}: {group.engine}.")
    primary = writer_of(group)
    if primary is None:
        given.setdefault("storage_encrypted", group.storage_encrypted)
        return None
    _require_secondary(backend, group, primary, given)
    for attribute in ("engine_version", "master_username", "database_name", "storage_encrypted"):
        given[attribute] = getattr(primary, attribute)
    return primary


def _require_secondary(
    backend: RDSBackend, group: GlobalCluster, primary: DBCluster, given: dict[str, Any]
) -> None:
    code, replica = "InvalidParameterCombination", "for cross region replication cluster"
    if given.get("master_user_password"):
        refuse(code, f"Cannot specify password {replica}")
    if given.get("master_username"):
        refuse(code, f"Cannot specify user name {replica}")
    if given.get("database_name"):
        refuse(code, f"Cannot specify database name {replica}")
    if any(member.backend is backend for member in group.members):
        refuse(code, f"{group.global_cluster_identifier} has a cluster in this Region already.")
    if primary.storage_encrypted and not given.get("kms_key_id"):
        refuse(code, "For encrypted cross-region replica, kmsKeyId should be explicitly specified")
    require_status(primary, "available")


def _members(group: GlobalCluster) -> list[dict[str, Any]]:
    readers = [member.arn for member in group.members if not member.is_writer]
    shown = []
    for member in group.members:
        forwards = "enabled" if member.global_write_forwarding_requested else "disabled"
        one: dict[str, Any] = {
            "DBClusterArn": member.arn,
            "IsWriter": bool(member.is_writer),
            "Readers": readers if member.is_writer else [],
            "SynchronizationStatus": "connected" if member._status == "available" else "pending-resync",
        }
        shown.append(one if member.is_writer else one | {"GlobalWriteForwardingStatus": forwards})
    return shown


def _create(handler: RDSResponse) -> ActionResult:
    params, books = handler.params, handler.global_backend
    with WIRING.databases:
        name, source_arn = params["GlobalClusterIdentifier"], params.get("SourceDBClusterIdentifier")
        if name in books.global_clusters:
            refuse("GlobalClusterAlreadyExistsFault", f"Global cluster {name} already exists")
        source = None if source_arn is None else _source(source_arn, params)
        made = books.create_global_cluster(
            global_cluster_identifier=name,
            source_db_cluster_identifier=None,
            engine=params.get("Engine") if source is None else source.engine,
            engine_version=params.get("EngineVersion") if source is None else source.engine_version,
            storage_encrypted=params.get("StorageEncrypted") if source is None else source.storage_encrypted,
            deletion_protection=params.get("DeletionProtection"),
        )
        made.tags = params.get("Tags", [])
        made.database_name = params.get("DatabaseName") if source is None else source.database_name
        made.engine_lifecycle_support = params.get("EngineLifecycleSupport")
        if source is not None:
            made.members.append(source)
            source.global_cluster_identifier = made.global_cluster_identifier
            source.is_writer = True
        return ActionResult({"GlobalCluster": made})


def _source(arn: str, params: Any) -> DBCluster:
    source = cluster_of_arn(arn)
    for name in ("Engine", "EngineVersion", "DatabaseName", "StorageEncrypted"):
        if params.get(name) is not None:
            refuse(
                "InvalidParameterCombination",
                f"When creating global cluster from existing db cluster, value for {name} should not be"
                " specified since it will be inherited from source cluster",
            )
    require_status(source, "available")
    if source.manage_master_user_password:
        refuse(
            "InvalidDBClusterStateFault",
            f"{arn} manages its master user password in AWS Secrets Manager,"
            " which isn't supported for a DB cluster that is part of a global database.",
        )
    if source.global_cluster_identifier:
        refuse("InvalidDBClusterStateFault", f"{arn} is part of a global cluster already.")
    return source


def _describe(handler: RDSResponse) -> ActionResult:
    with WIRING.databases:
        found = list(handler.global_backend.global_clusters.values())
        if handler.params.get("GlobalClusterIdentifier"):
            found = [named(handler)]
        return ActionResult({"GlobalClusters": found})


def _modify(handler: RDSResponse) -> ActionResult:
    params, books = handler.params, handler.global_backend
    with WIRING.databases:
        group = named(handler)
        if params.get("DeletionProtection") is not None:
            group.deletion_protection = params["DeletionProtection"]
        if params.get("EngineVersion"):
            for one in (group, *group.members):
                one.engine_version = params["EngineVersion"]
        new_name = params.get("NewGlobalClusterIdentifier")
        if new_name:
            if new_name in books.global_clusters:
                refuse("GlobalClusterAlreadyExistsFault", f"Global cluster {new_name} already exists")
            del books.global_clusters[group.global_cluster_identifier]
            group.global_cluster_identifier = new_name
            books.global_clusters[new_name] = group
            for member in group.members:
                member.global_cluster_identifier = group.global_cluster_identifier
        return ActionResult({"GlobalCluster": group})


def _delete(handler: RDSResponse) -> ActionResult:
    with WIRING.databases:
        group = named(handler)
        if group.deletion_protection:
            text = "Cannot delete protected Global Cluster, please disable deletion protection and try again."
            refuse("InvalidParameterCombination", text)
        if group.members:
            refuse("InvalidGlobalClusterStateFault", f"Global Cluster {group.arn} is not empty")
        del handler.global_backend.global_clusters[group.global_cluster_identifier]
        group.status = "deleting"
        return ActionResult({"GlobalCluster": group})


def leave(group: GlobalCluster, member: DBCluster) -> None:
    """Take a member out; it takes writes from then on."""
    group.members.remove(member)
    member.global_cluster_identifier, member.is_writer = None, False
    state_of(member).primary = ""


def _tagged(original: Function) -> Function:
    def tagged(backend: RDSBackend, arn: str) -> Any:
        if ":global-cluster:" in arn:
            return _found(backend.get_backend("rds", "us-east-1"), arn)
        return original(backend, arn)

    return tagged
