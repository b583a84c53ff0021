"""DX06: what a restored cluster is given, so that it can be reached."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import absent
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region


class RestoredGroups(Check):
    """Looks for the groups of a restored cluster in the standby, and for default ones on running clusters."""

    id: ClassVar = "DX06"
    title: ClassVar = "A restored database gets default groups, and nobody reaches it"
    why: ClassVar = (
        "A restore that names no subnet group, security group and parameter group takes the region's "
        "defaults: the cluster is available, and every connection times out."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "Groups of the system's own in the standby (data.yaml: SubnetGroup, ParameterGroup; network.yaml: "
        "DatabaseSecurityGroup), named in the target file and given to the restore"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBClusterFromSnapshot.html",
    )
    calls: ClassVar = (
        "ec2:DescribeSecurityGroups",
        "rds:DescribeDBClusterParameterGroups",
        "rds:DescribeDBClusters",
        "rds:DescribeDBSubnetGroups",
    )
    explains: ClassVar = ("restore_phase", "recovery_time")
    drill: ClassVar = "drill run aurora-snapshot-restore"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each kind of group, then the clusters that run."""
        yield Part("DB subnet group of the standby", partial(_subnets, system))
        yield Part("cluster parameter group of the standby", partial(_parameters, system))
        yield Part("security group of the standby's database", partial(_security, system))
        for region in system.regions:
            if region.cluster_id:
                yield Part(f"cluster {region.cluster_id}", partial(_cluster, system, region))


def _subnets(system: System) -> Iterator[Found]:
    standby = system.target.standby
    name = standby.database_subnet_group
    where = f"DB subnet group {name} in {standby.name}"
    if name is None:
        yield Found(
            f"region {standby.name}", "the target names no DB subnet group (standby.database_subnet_group)"
        )
        return
    try:
        group = system.reads.one("rds", standby.name, "describe_db_subnet_groups", DBSubnetGroupName=name)[
            "DBSubnetGroups"
        ][0]
    except ClientError as problem:
        if not absent(problem):
            raise
        yield Found(where, "there is no such group")
        return
    if group["VpcId"] != standby.vpc_id:
        yield Found(where, f"it is in {group['VpcId']}, not in {standby.vpc_id}")


def _parameters(system: System) -> Iterator[Found]:
    standby = system.target.standby
    name = standby.database_parameter_group
    if name is None:
        yield Found(
            f"region {standby.name}", "the target names no parameter group (standby.database_parameter_group)"
        )
        return
    try:
        system.reads.one(
            "rds", standby.name, "describe_db_cluster_parameter_groups", DBClusterParameterGroupName=name
        )
    except ClientError as problem:
        if not absent(problem):
            raise
        yield Found(f"cluster parameter group {name} in {standby.name}", "there is no such group")


def _security(system: System) -> Iterator[Found]:
    standby = system.target.standby
    group_id = standby.database_security_group_id
    where = f"security group {group_id} in {standby.name}"
    if group_id is None:
        yield Found(
            f"region {standby.name}",
            "the target names no security group (standby.database_security_group_id)",
        )
        return
    try:
        group = system.reads.one("ec2", standby.name, "describe_security_groups", GroupIds=[group_id])[
            "SecurityGroups"
        ][0]
    except ClientError as problem:
        if not absent(problem):
            raise
        yield Found(where, "there is no such group")
        return
    if group["VpcId"] != standby.vpc_id:
        yield Found(where, f"it is in {group['VpcId']}, not in {standby.vpc_id}")
    if not group["IpPermissions"]:
        yield Found(where, "it lets nobody in")


def _cluster(system: System, region: Region) -> Iterator[Found]:
    cluster = system.reads.one(
        "rds", region.name, "describe_db_clusters", DBClusterIdentifier=region.cluster_id
    )["DBClusters"][0]
    where = f"cluster {region.cluster_id} in {region.name}"
    if cluster["DBClusterParameterGroup"].startswith("default."):
        yield Found(where, f"it has the default parameter group {cluster['DBClusterParameterGroup']}")
    held = {one["VpcSecurityGroupId"] for one in cluster["VpcSecurityGroups"]}
    wanted = region.database_security_group_id
    if wanted is not None and wanted not in held:
        yield Found(where, f"it does not carry security group {wanted}")
