"""Subnet groups and cluster parameter groups of RDS, and who may not be without them.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_WorkingWithParamGroups.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.models import DBClusterParameterGroup, DBSubnetGroup, RDSBackend
from moto.rds.responses import RDSResponse

from infra.lab.control_plane.database_state import refuse
from infra.lab.control_plane.mending import Function, add, replace
from infra.lab.control_plane.wiring import WIRING


def install() -> None:
    """Mend moto's groups."""
    replace(RDSBackend, "create_subnet_group", _create_subnet_group)
    replace(RDSBackend, "modify_db_subnet_group", lambda _: _modify_subnet_group)
    replace(RDSBackend, "delete_subnet_group", _delete_subnet_group)
    replace(DBClusterParameterGroup, "update_cluster_parameters", _update_parameters)
    replace(RDSBackend, "delete_db_cluster_parameter_group", _delete_parameter_group)
    replace(RDSBackend, "describe_db_cluster_parameters", _describe_parameters)
    add(RDSResponse, "reset_db_cluster_parameter_group", _reset_parameters)
    add(RDSResponse, "remove_role_from_db_cluster", _remove_role)


def default_name(engine: str, engine_version: str) -> str:
    """Return the name of the parameter group that a cluster has if none is chosen."""
    return f"default.{_family(engine, engine_version)}"


def _family(engine: str, engine_version: str) -> str:
    return f"{engine}{engine_version.split('.', maxsplit=1)[0]}" if engine == "aurora-postgresql" else engine


def require_parameter_group(backend: RDSBackend, given: Mapping[str, Any]) -> None:
    """Refuse a cluster parameter group that is not there, or is for another engine.

    Raises:
        ServiceException: It is so.

    """
    name = given.get("db_cluster_parameter_group_name")
    if not name or name.startswith("default."):
        return
    group = backend.db_cluster_parameter_groups.get(name)
    if group is None:
        refuse("DBClusterParameterGroupNotFound", f"DBClusterParameterGroup not found: {name}")
    wanted = _family(given["engine"], given.get("engine_version") or "")
    family = group.db_parameter_group_family
    if given.get("engine_version") and given["engine"] == "aurora-postgresql" and family != wanted:
        refuse(
            "InvalidParameterCombination",
            f"The Parameter Group {name} with DBParameterGroupFamily {family} can't be used for this"
            f" instance. Please use a Parameter Group with DBParameterGroupFamily {wanted}",
        )


def _create_subnet_group(original: Function) -> Function:
    def create(
        backend: RDSBackend,
        subnet_name: str,
        description: str,
        subnets: list[Any],
        tags: list[dict[str, str]],
    ) -> DBSubnetGroup:
        if subnet_name in backend.subnet_groups:
            refuse("DBSubnetGroupAlreadyExists", f"The DB subnet group '{subnet_name}' already exists.")
        _require_one_vpc(subnets)
        made: DBSubnetGroup = original(backend, subnet_name, description, subnets, tags)
        return made

    return create


def _require_one_vpc(subnets: Sequence[Any]) -> None:
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        refuse("InvalidSubnet", "The subnets of a DB subnet group must be in one VPC.")


def _modify_subnet_group(
    backend: RDSBackend, subnet_name: str, description: str | None, subnets: list[Any]
) -> DBSubnetGroup:
    group = backend.subnet_groups.get(subnet_name)
    if group is None:
        refuse("DBSubnetGroupNotFoundFault", f"DB subnet group '{subnet_name}' does not exist.")
    _require_one_vpc(subnets)
    kept = {subnet.id for subnet in subnets}
    gone = [subnet.id for subnet in group._subnets if subnet.id not in kept]
    users = _users_of_subnets(backend, subnet_name)
    if gone and users:
        refuse("SubnetAlreadyInUse", f"The subnets {', '.join(gone)} are in use by {', '.join(users)}.")
    group.subnets = subnets
    if description is not None:
        group.description = description
    return group


def _users_of_subnets(backend: RDSBackend, group: str) -> list[str]:
    with WIRING.databases:
        return [
            cluster.db_cluster_identifier
            for cluster in backend.clusters.values()
            if cluster.db_subnet_group_name == group
        ]


def _delete_subnet_group(original: Function) -> Function:
    def delete(backend: RDSBackend, subnet_name: str) -> DBSubnetGroup:
        for user in _users_of_subnets(backend, subnet_name):
            code = "InvalidDBSubnetGroupStateFault"
            text = "Cannot delete the subnet group"
            refuse(
                code,
                f"{text} '{subnet_name}' because at least one database cluster: {user} is still using it.",
            )
        gone: DBSubnetGroup = original(backend, subnet_name)
        return gone

    return delete


def _update_parameters(original: Function) -> Function:
    def update(group: DBClusterParameterGroup, new_parameters: Sequence[dict[str, Any]]) -> None:
        original(group, [{**parameter, "Source": "user"} for parameter in new_parameters])

    return update


def _describe_parameters(original: Function) -> Function:
    def describe(backend: RDSBackend, db_cluster_parameter_group_name: str) -> list[dict[str, Any]]:
        if db_cluster_parameter_group_name.startswith("default."):
            return []
        found: list[dict[str, Any]] = original(backend, db_cluster_parameter_group_name)
        return found

    return describe


def _delete_parameter_group(original: Function) -> Function:
    def delete(backend: RDSBackend, db_cluster_parameter_group_name: str) -> None:
        name = db_cluster_parameter_group_name
        with WIRING.databases:
            used = any(cluster.parameter_group == name for cluster in backend.clusters.values())
        if used:
            code = "InvalidDBParameterGroupState"
            text = "One or more database instances are still members of this parameter group"
            refuse(code, f"{text} {name}, so the group cannot be deleted")
        original(backend, name)

    return delete


def _reset_parameters(handler: RDSResponse) -> ActionResult:
    name = handler.params["DBClusterParameterGroupName"]
    group = handler.backend.describe_db_cluster_parameter_groups(name)[0]
    if handler.params.get("ResetAllParameters"):
        group.parameters.clear()
    for parameter in handler.params.get("Parameters", []):
        group.parameters.pop(parameter["ParameterName"], None)
    return ActionResult({"DBClusterParameterGroupName": name})


def _remove_role(handler: RDSResponse) -> ActionResult:
    cluster = handler.backend.describe_db_clusters(handler.params["DBClusterIdentifier"])[0]
    arn = handler.params["RoleArn"]
    kept = [role for role in cluster._associated_roles if role.role_arn != arn]
    if len(kept) == len(cluster._associated_roles):
        refuse("DBClusterRoleNotFound", f"Role {arn} is not associated with {cluster.db_cluster_identifier}.")
    cluster._associated_roles = kept
    return ActionResult({})
