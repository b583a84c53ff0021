"""Which snapshots of a cluster a region holds, and which of them can be restored there.

Automated and manual snapshots are listed together, those of AWS Backup only when asked for. A copy's
``SnapshotCreateTime`` is when it was copied; the data are as old as what it was copied from.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusterSnapshots.html
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBClusterSnapshot.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from drill import clock
from drill.errors import DrillError
from drill.faults.contract import Call
from drill.model import Between, Json

if TYPE_CHECKING:
    from drill.aws import Aws

_OF_BACKUP = "awsbackup"
_LONGEST_CHAIN = 4
# AWS's clock is read from the Date of its answer, which is in whole seconds.
_DATE_GRAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """A snapshot of a cluster in a region.

    Attributes:
        arn: Its ARN.
        kind: ``automated``, ``manual`` or ``awsbackup``.
        created_at: Its ``SnapshotCreateTime``, in UTC.
        key_arn: The KMS key that encrypts it; empty if none does.
        source_arn: The snapshot that it is a copy of; empty for one that was taken.

    """

    arn: str
    kind: str
    created_at: datetime
    key_arn: str
    source_arn: str


def newest(aws: "Aws", region: str, cluster_id: str, *, copyable: bool = False) -> Point:
    """Return the newest snapshot of a cluster that can be restored in a region.

    Args:
        aws: Where to ask.
        region: Where it is to be restored.
        cluster_id: The cluster that it was taken of, of whatever region.
        copyable: Leave out those of AWS Backup, which alone copies them.

    Raises:
        DrillError: There is none, or none whose key this region can use; the text has the next command.

    """
    found = [
        point for point in _points(aws, region, cluster_id) if not (copyable and point.kind == _OF_BACKUP)
    ]
    reasons: dict[str, str] = {}
    for point in sorted(found, key=lambda one: one.created_at, reverse=True):
        why = _unusable(aws, region, point)
        if not why:
            return point
        reasons[point.arn] = why
    if reasons:
        arn, why = next(iter(reasons.items()))
        msg = (
            f"recovery point {arn} can't be restored in {region}: {why}; copy one under a key of that "
            "region with: drill run aurora-snapshot-restore --fresh"
        )
        raise DrillError(msg)
    msg = (
        f"there is no recovery point of {cluster_id} in {region}; make and copy one with: "
        f"drill run aurora-snapshot-restore --fresh, or see: aws rds describe-db-cluster-snapshots "
        f"--region {region}"
    )
    raise DrillError(msg)


def data_from(aws: "Aws", point: Point) -> tuple[Between, bool]:
    """Return when the data of a snapshot are from, on the monotonic clock, and whether that is certain.

    Where what it was copied from can't be asked, its own stamp is all there is: the data are older.
    Two clocks of AWS are compared, never one of AWS's and this machine's: the snapshot's stamp and the
    ``Date`` of an answer.
    """
    created_at, certain = _taken_at(aws, point)
    client = aws.client("rds", point.arn.split(":")[3])
    sent_ns = clock.monotonic_ns()
    answer = client.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=_name(point.arn))
    done_ns = clock.monotonic_ns()
    headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
    stamp = headers.get("date")
    now_at = parsedate_to_datetime(stamp) if stamp else datetime.fromisoformat(clock.now().wall)
    age_s = (now_at.astimezone(UTC) - created_at).total_seconds()
    return (
        Between(
            sent_ns - round((age_s + _DATE_GRAIN_S) * 1e9), done_ns - round((age_s - _DATE_GRAIN_S) * 1e9)
        ),
        certain,
    )


def told(captured: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return what measures read of what :func:`captured` gave."""
    names = ("snapshot", "snapshot_kind", "created_at", "data_from_ns", "data_from_certain")
    return {name: captured[name] for name in names if name in captured}


def captured(aws: "Aws", point: Point) -> dict[str, Json]:
    """Return a recovery point as it goes into the journal.

    ``data_from_ns`` holds the two bounds of when its data are from, ``data_from_certain`` whether the
    first of them is one.
    """
    at, certain = data_from(aws, point)
    return {
        "snapshot": point.arn,
        "snapshot_kind": point.kind,
        "created_at": point.created_at.isoformat(),
        "data_from_ns": [at.earliest_ns, at.latest_ns],
        "data_from_certain": certain,
        "key": point.key_arn,
    }


def calls(region: str, source_region: str) -> tuple[Call, ...]:
    """Return the reads that finding a recovery point takes."""
    every = tuple(
        f"arn:{{partition}}:rds:{one}:{{account}}:cluster-snapshot:*"
        for one in dict.fromkeys((region, source_region))
    )
    key = (f"arn:{{partition}}:kms:{region}:{{account}}:key/*",)
    return (
        Call("capture", "rds", "DescribeDBClusterSnapshots", every),
        Call("capture", "kms", "DescribeKey", key),
    )


def _points(aws: "Aws", region: str, cluster_id: str) -> list[Point]:
    pages = aws.client("rds", region).get_paginator("describe_db_cluster_snapshots")
    every = [
        one
        for kind in ({}, {"SnapshotType": _OF_BACKUP})
        for page in pages.paginate(**kind)
        for one in page["DBClusterSnapshots"]
    ]
    return [
        _point(one)
        for one in every
        if one["DBClusterIdentifier"] == cluster_id and one["Status"] == "available"
    ]


def _point(one: Mapping[str, Any]) -> Point:
    return Point(
        arn=str(one["DBClusterSnapshotArn"]),
        kind=str(one["SnapshotType"]),
        created_at=one["SnapshotCreateTime"].astimezone(UTC),
        key_arn=str(one.get("KmsKeyId") or "") if one.get("StorageEncrypted") else "",
        source_arn=str(one.get("SourceDBClusterSnapshotArn") or ""),
    )


def _unusable(aws: "Aws", region: str, point: Point) -> str:
    """Return why a snapshot's key can't be used in a region; empty if it can or there is none."""
    if not point.key_arn:
        return ""
    if point.key_arn.split(":")[3] != region:
        return f"its key {point.key_arn} is one of another region"
    try:
        state = aws.client("kms", region).describe_key(KeyId=point.key_arn)["KeyMetadata"]["KeyState"]
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "NotFoundException":
            raise
        return f"its key {point.key_arn} is gone"
    return "" if state == "Enabled" else f"its key {point.key_arn} is {state}"


def _taken_at(aws: "Aws", point: Point) -> tuple[datetime, bool]:
    created_at, source_arn = point.created_at, point.source_arn
    for _ in range(_LONGEST_CHAIN):
        if not source_arn:
            return created_at, True
        try:
            found = aws.client("rds", source_arn.split(":")[3]).describe_db_cluster_snapshots(
                DBClusterSnapshotIdentifier=_name(source_arn)
            )["DBClusterSnapshots"]
        except (ClientError, BotoCoreError):
            break  # it was deleted, or its region does not answer: then nobody knows
        if not found:
            break
        source = _point(found[0])
        created_at, source_arn = source.created_at, source.source_arn
    return created_at, False


def _name(arn: str) -> str:
    return arn.partition(":cluster-snapshot:")[2]
