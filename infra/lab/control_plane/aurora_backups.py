"""How AWS Backup backs up Aurora: by snapshots of RDS that belong to it.

https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-aur.html
"""

import functools
import json
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from moto.core.exceptions import ServiceException
from moto.rds.models import DBClusterSnapshot, rds_backends

from drill.aws import Aws
from infra.lab.control_plane import cluster_snapshots
from infra.lab.control_plane.backup_resources import Resource
from infra.lab.control_plane.backup_store import Point
from infra.lab.control_plane.backup_work import Backed, Done, WorkFailed, tag_list
from infra.lab.control_plane.keys import why_unusable
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.wiring import WIRING

_KIND = "awsbackup"
_GIB = 2**30
_POLL_S = 0.05
_RESTORED_WITHIN_S = 600.0
_OPERATION = "RestoreDBClusterFromSnapshot"
# What GetRecoveryPointRestoreMetadata shows of a cluster, by the name that moto has for it.
_METADATA = {
    "DBClusterParameterGroupName": "db_cluster_parameter_group_name",
    "DBSubnetGroupName": "db_subnet_group_name",
    "DatabaseName": "database_name",
    "Engine": "engine",
    "EngineMode": "engine_mode",
    "EngineVersion": "engine_version",
    "Port": "port",
    "VpcSecurityGroupIds": "vpc_security_group_ids",
}


class AuroraBackups:
    """Backs up Aurora clusters; a :class:`~infra.lab.control_plane.backup_work.Work`."""

    def __init__(self, aws: Aws) -> None:
        """Take the clients of the lab's own API, through which clusters are restored."""
        self._aws = aws

    def back_up(self, job_id: str, resource: Resource, tags: Mapping[str, str], done: Done) -> None:
        """Take a snapshot of a cluster."""
        region, name = resource.arn.split(":")[3], f"awsbackup:job-{job_id}"
        finished = functools.partial(_finished, region, name, done)
        kept = tag_list({**resource.tags, **tags})
        try:
            cluster_snapshots.take(region, resource.name, name, kind=_KIND, tags=kept, done=finished)
        except ServiceException as problem:
            raise WorkFailed(problem.message) from problem
        WIRING.changed()

    def copy(self, job_id: str, point: Point, region: str, key: str, done: Done) -> None:
        """Copy a snapshot into a region."""
        name, encrypted = f"awsbackup:copyjob-{job_id}", point.shown["IsEncrypted"]
        if encrypted and (unusable := why_unusable(region, key)):
            msg = f"The encryption key of the destination vault can't be used: {unusable}"
            raise WorkFailed(msg)
        finished = functools.partial(_finished, region, name, done)
        try:
            cluster_snapshots.copy(
                region, point.arn, name, key_id=key if encrypted else None, kind=_KIND, done=finished
            )
        except ServiceException as problem:
            raise WorkFailed(problem.message) from problem
        WIRING.changed()

    def restore(self, point: Point, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Make a cluster of a snapshot. It has no instance, as on AWS: who restores makes one."""
        rds = self._aws.client("rds", point.region)
        call = _call(rds, metadata)
        try:
            made = rds.restore_db_cluster_from_snapshot(
                SnapshotIdentifier=point.arn, **call, **({"Tags": tag_list(tags)} if tags else {})
            )["DBCluster"]
            _await_available(rds, made["DBClusterIdentifier"])
        except (ClientError, ParamValidationError) as problem:
            raise WorkFailed(str(problem)) from problem
        return str(made["DBClusterArn"])

    def drop(self, point: Point) -> None:
        """Delete the snapshot."""
        name = point.arn.partition(":cluster-snapshot:")[2]
        if name in rds_backends[ACCOUNT][point.region].cluster_snapshots:
            cluster_snapshots.delete(point.region, name)
            WIRING.changed()


def _finished(region: str, name: str, done: Done, problem: str) -> None:
    if problem:
        done(None, problem)
        return
    snapshot = rds_backends[ACCOUNT][region].cluster_snapshots[name]
    size_bytes = int(snapshot.allocated_storage or 1) * _GIB
    key = str(snapshot.kms_key_id or "") if snapshot.storage_encrypted else ""
    done(Backed(snapshot.arn, size_bytes, key, _metadata(snapshot)), "")


def _metadata(snapshot: DBClusterSnapshot) -> dict[str, str]:
    found = {name: getattr(snapshot.cluster, own, None) for name, own in _METADATA.items()}
    return {name: _text(value) for name, value in found.items() if value}


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, list) else str(value)


def _call(rds: Any, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return restore metadata as the arguments of RDS's call: lists come as JSON, numbers as text."""
    members = rds.meta.service_model.operation_model(_OPERATION).input_shape.members
    call: dict[str, Any] = {}
    for name, text in metadata.items():
        if name not in members:
            msg = f"Invalid restore metadata: {name} is no parameter of {_OPERATION}."
            raise WorkFailed(msg)
        kind = members[name].type_name
        call[name] = text if kind == "string" else _read(name, text)
    return call


def _read(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        msg = f"Invalid restore metadata: {name} is {text!r}."
        raise WorkFailed(msg) from problem


def _await_available(rds: Any, cluster_id: str) -> None:
    over = time.monotonic() + _RESTORED_WITHIN_S
    while True:
        shown = rds.describe_db_clusters(DBClusterIdentifier=cluster_id)["DBClusters"][0]["Status"]
        if shown == "available":
            return
        if "fail" in shown or time.monotonic() > over:
            msg = f"The restored cluster {cluster_id} is {shown}."
            raise WorkFailed(msg)
        time.sleep(_POLL_S)
