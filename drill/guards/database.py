"""The database has something to fail over to: a reader, or another cluster of a global database."""

from collections.abc import Mapping

from drill.aws import Aws
from drill.faults.cluster_description import described, global_described
from drill.model import Json
from drill.target import Target

_DEPLOY = (
    "deploy a reader (database_reader: true in the system file) or a global database (replication: global), "
    "then: drill infra deploy"
)


def can_fail_over(target: Target, options: Mapping[str, Json], aws: Aws) -> str:
    """Refuse unless the database can fail over now.

    Options: ``global`` if it is the global database that does.
    """
    return _global(target, aws) if options.get("global") else _cluster(target, aws)


def _cluster(target: Target, aws: Aws) -> str:
    region = target.primary
    if region.cluster_id is None:
        return "the target file names no cluster in the primary region; see: drill target check"
    now = described(aws, region.name, region.cluster_id)
    if now is None:
        return f"there is no cluster {region.cluster_id} in {region.name}; see: drill target check"
    if now.status != "available":
        return f"cluster {region.cluster_id} is {now.status}; wait until it is available"
    if not now.readers:
        return (
            f"cluster {region.cluster_id} has one instance and is in no global database: there is nothing to "
            f"fail over to; {_DEPLOY}"
        )
    shown = aws.client("rds", region.name)
    states = {
        reader: shown.describe_db_instances(DBInstanceIdentifier=reader)["DBInstances"][0]["DBInstanceStatus"]
        for reader in now.readers
    }
    if "available" not in states.values():
        told = ", ".join(f"{reader} is {state}" for reader, state in states.items())
        return f"no reader of cluster {region.cluster_id} can take over: {told}; wait until one is available"
    return ""


def _global(target: Target, aws: Aws) -> str:
    name = target.database.global_cluster_id
    if target.database.replication != "global" or name is None:
        return f"there is no global database, which --allow-data-loss is about; leave it away, or {_DEPLOY}"
    if target.primary.cluster_id is None or target.standby.cluster_id is None:
        return (
            f"the target file does not name the cluster of each region in global database {name} "
            "(primary.cluster_id, standby.cluster_id); see: drill target check"
        )
    now = global_described(aws, target.primary.name, name)
    if now is None:
        return f"there is no global database {name}; see: drill target check"
    if now.status != "available":
        return f"global database {name} is {now.status}; wait until it is available"
    return ""
