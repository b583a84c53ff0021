"""What Aurora clusters belong to: subnet groups, cluster parameter groups and global databases."""

from typing import Any

from infra.lab.stacks.arguments import arguments
from infra.lab.stacks.databases import retag
from infra.lab.stacks.resource import Made, Request, ResourceType
from infra.lab.stacks.settling import unless_gone


def _subnet_group(request: Request) -> Made:
    wanted = request.properties
    made = request.client("rds").create_db_subnet_group(
        DBSubnetGroupName=(wanted.get("DBSubnetGroupName") or request.name(255)).lower(),
        DBSubnetGroupDescription=wanted["DBSubnetGroupDescription"],
        SubnetIds=wanted["SubnetIds"],
        Tags=request.tag_list(),
    )["DBSubnetGroup"]
    return Made(made["DBSubnetGroupName"], {"DBSubnetGroupArn": made["DBSubnetGroupArn"]})


def _update_subnet_group(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if "DBSubnetGroupName" in changed:
        return None
    if changed - {"Tags"}:
        request.client("rds").modify_db_subnet_group(
            DBSubnetGroupName=made.physical_resource_id,
            DBSubnetGroupDescription=request.properties["DBSubnetGroupDescription"],
            SubnetIds=request.properties["SubnetIds"],
        )
    retag(request, made.attributes["DBSubnetGroupArn"])
    return made


def _delete_subnet_group(request: Request, made: Made) -> None:
    request.client("rds").delete_db_subnet_group(DBSubnetGroupName=made.physical_resource_id)


def _parameter_group(request: Request) -> Made:
    rds, wanted = request.client("rds"), request.properties
    name = (wanted.get("DBClusterParameterGroupName") or request.name(255)).lower()
    made = rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name,
        DBParameterGroupFamily=wanted["Family"],
        Description=wanted["Description"],
        Tags=request.tag_list(),
    )["DBClusterParameterGroup"]
    _set(rds, name, wanted["Parameters"])
    return Made(name, {"DBClusterParameterGroupArn": made["DBClusterParameterGroupArn"]})


def _set(rds: Any, name: str, parameters: dict[str, Any]) -> None:
    given = [
        {"ParameterName": key, "ParameterValue": _text(value), "ApplyMethod": "pending-reboot"}
        for key, value in parameters.items()
    ]
    if given:
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=given)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _update_parameter_group(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if changed & {"DBClusterParameterGroupName", "Family", "Description"}:
        return None
    rds, name = request.client("rds"), made.physical_resource_id
    if "Parameters" in changed:
        wanted = request.properties["Parameters"]
        gone = [key for key in request.before["Parameters"] if key not in wanted]
        if gone:
            rds.reset_db_cluster_parameter_group(
                DBClusterParameterGroupName=name,
                Parameters=[{"ParameterName": key, "ApplyMethod": "pending-reboot"} for key in gone],
            )
        _set(rds, name, wanted)
    retag(request, made.attributes["DBClusterParameterGroupArn"])
    return made


def _delete_parameter_group(request: Request, made: Made) -> None:
    request.client("rds").delete_db_cluster_parameter_group(
        DBClusterParameterGroupName=made.physical_resource_id
    )


def _global_cluster(request: Request) -> Made:
    rds, wanted = request.client("rds"), request.properties
    name = (wanted.get("GlobalClusterIdentifier") or request.name(63)).lower()
    call = arguments(rds, "CreateGlobalCluster", wanted)
    source = call.get("SourceDBClusterIdentifier")
    if source and not source.startswith("arn:"):
        # A template may name the cluster; the call takes its ARN only.
        (cluster,) = rds.describe_db_clusters(DBClusterIdentifier=source)["DBClusters"]
        call["SourceDBClusterIdentifier"] = cluster["DBClusterArn"]
    made = rds.create_global_cluster(**{**call, "GlobalClusterIdentifier": name}, Tags=request.tag_list())[
        "GlobalCluster"
    ]
    return Made(name, {"GlobalEndpoint.Address": made["Endpoint"], "Arn": made["GlobalClusterArn"]})


def _update_global_cluster(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    rds = request.client("rds")
    if changed - {"DeletionProtection", "EngineVersion", "Tags"}:
        return None
    call = arguments(rds, "ModifyGlobalCluster", request.properties, only=changed)
    if call:
        rds.modify_global_cluster(GlobalClusterIdentifier=made.physical_resource_id, **call)
    retag(request, made.attributes["Arn"])
    return made


def _delete_global_cluster(request: Request, made: Made) -> None:
    # It is emptied first, as AWS's own type does it: the cluster that it was made of is its last member.
    rds, name = request.client("rds"), made.physical_resource_id
    (found,) = rds.describe_global_clusters(GlobalClusterIdentifier=name)["GlobalClusters"]
    if not found["DeletionProtection"] and request.properties.get("SourceDBClusterIdentifier"):
        for member in found["GlobalClusterMembers"]:
            if member["IsWriter"]:
                arn = member["DBClusterArn"]
                unless_gone(
                    lambda arn=arn: rds.remove_from_global_cluster(  # type: ignore[misc]
                        GlobalClusterIdentifier=name, DbClusterIdentifier=arn
                    )
                )
    rds.delete_global_cluster(GlobalClusterIdentifier=name)


TYPES = (
    ResourceType(
        "AWS::RDS::DBSubnetGroup",
        _subnet_group,
        _delete_subnet_group,
        _update_subnet_group,
        physics=frozenset({"SubnetIds", "DBSubnetGroupName"}),
    ),
    ResourceType(
        "AWS::RDS::DBClusterParameterGroup",
        _parameter_group,
        _delete_parameter_group,
        _update_parameter_group,
        physics=frozenset({"DBClusterParameterGroupName"}),
    ),
    ResourceType(
        "AWS::RDS::GlobalCluster",
        _global_cluster,
        _delete_global_cluster,
        _update_global_cluster,
        frozenset({"GlobalEndpoint.Address"}),
        frozenset({"DeletionProtection", "GlobalClusterIdentifier", "SourceDBClusterIdentifier"}),
    ),
)
