"""What permissions ask of the resources that are there: their tags, and what belongs to what."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.backup.models import backup_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.dynamodb.models import dynamodb_backends
from moto.ec2.models import ec2_backends
from moto.fis.models import fis_backends
from moto.iam.models import Role, iam_backends
from moto.kms.models import kms_backends
from moto.rds.models import rds_backends
from moto.scheduler.models import scheduler_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from werkzeug.exceptions import HTTPException

from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.table_settings import settings_of

Tags = Mapping[str, str]

EC2_KINDS: Mapping[str, str] = {
    "acl": "network-acl",
    "pcx": "vpc-peering-connection",
    "rtb": "route-table",
    "sg": "security-group",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}


class KeysOf(Mapping[str, tuple[str, ...]]):
    """The condition keys of a permission: the request's own, then the resource's, read when asked for."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]], resource: str) -> None:
        """Take the request's own keys and the ARN of the resource."""
        self._keys = keys
        self._resource = resource
        self._read: dict[str, tuple[str, ...]] | None = None

    def __getitem__(self, key: str) -> tuple[str, ...]:
        if key in self._keys:
            return self._keys[key]
        if not key.startswith(("aws:resourcetag/", "ec2:", "iam:resourcetag/")):
            raise KeyError(key)
        if self._read is None:
            self._read = dict(_keys_of(self._resource))
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _keys_of(arn: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    parts = arn.split(":", 5)
    service = parts[2] if len(parts) == 6 else ""
    for key, value in tags_of(arn).items():
        yield f"aws:resourcetag/{key.lower()}", (value,)
        if service in {"ec2", "iam"}:
            yield f"{service}:resourcetag/{key.lower()}", (value,)
    if service == "ec2":
        vpc_id = _vpc_of(parts[3], parts[5].rpartition("/")[2])
        if vpc_id:
            yield "ec2:vpc", (f"arn:aws:ec2:{parts[3]}:{ACCOUNT}:vpc/{vpc_id}",)


def tags_of(arn: str) -> Tags:
    """Return the tags of a resource; none if it has none or is not there."""
    parts = arn.split(":", 5)
    read = _TAGS.get(parts[2]) if len(parts) == 6 else None
    if read is None:
        return {}
    try:
        return _plain(read(parts[3], parts[5], arn))
    except (HTTPException, ServiceException, KeyError):
        return {}


def _plain(tags: Any) -> Tags:
    if isinstance(tags, Mapping) and set(tags) == {"Tags"}:
        tags = tags["Tags"]
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {
        str(tag.get("Key", tag.get("TagKey"))): str(tag.get("Value", tag.get("TagValue")))
        for tag in tags or ()
    }


def _ec2_tags(region: str, name: str, _arn: str) -> Any:
    return ec2_backends[ACCOUNT][region].tags.get(name.rpartition("/")[2], {})


def _table_tags(region: str, name: str, _arn: str) -> Any:
    return dynamodb_backends[ACCOUNT][region].tables[name.split("/")[1]].tags


def _iam_tags(_region: str, _name: str, arn: str) -> Any:
    role = role_of(arn)
    return role.get_tags() if role is not None else []


def _schedule_tags(region: str, name: str, _arn: str) -> Any:
    """Return the tags of a schedule's group: schedules have none of their own."""
    group = scheduler_backends[ACCOUNT][region].schedule_groups[name.split("/")[1]]
    return scheduler_backends[ACCOUNT][region].list_tags_for_resource(group.arn)


def _secret_tags(region: str, _name: str, arn: str) -> Any:
    return secretsmanager_backends[ACCOUNT][region].secrets[arn].tags


def _queue_tags(region: str, name: str, _arn: str) -> Any:
    return sqs_backends[ACCOUNT][region].queues[name].tags


_TAGS: Mapping[str, Callable[[str, str, str], Any]] = {
    "ec2": _ec2_tags,
    "dynamodb": _table_tags,
    "fis": lambda region, _name, arn: fis_backends[ACCOUNT][region].list_tags_for_resource(arn),
    "iam": _iam_tags,
    "scheduler": _schedule_tags,
    "secretsmanager": _secret_tags,
    "sqs": _queue_tags,
    "rds": lambda region, _name, arn: rds_backends[ACCOUNT][region].list_tags_for_resource(arn),
    "sns": lambda region, _name, arn: sns_backends[ACCOUNT][region].list_tags_for_resource(arn),
    "kms": lambda region, name, _arn: kms_backends[ACCOUNT][region].list_resource_tags(name[4:]),
    "cloudwatch": lambda region, _name, arn: cloudwatch_backends[ACCOUNT][region].list_tags_for_resource(arn),
    "backup": lambda region, _name, arn: backup_backends[ACCOUNT][region].list_tags(arn),
}


def _vpc_of(region: str, resource_id: str) -> str:
    backend = ec2_backends[ACCOUNT][region]
    if resource_id.startswith("subnet-"):
        subnets = (zone.get(resource_id) for zone in backend.subnets.values())
        return next((str(subnet.vpc_id) for subnet in subnets if subnet is not None), "")
    acl = backend.network_acls.get(resource_id)
    return str(acl.vpc_id) if acl is not None else ""


def subnet_of_association(region: str, association_id: str) -> str:
    """Return the subnet that an association ties to a network ACL; empty if there is none."""
    for acl in list(ec2_backends[ACCOUNT][region].network_acls.values()):
        for association in list(acl.associations):
            if association.id == association_id:
                return str(association.subnet_id)
    return ""


def accepter_of(region: str, peering_id: str) -> str:
    """Return the VPC that is asked for a peering; empty if there is none."""
    peering = ec2_backends[ACCOUNT][region].vpc_pcxs.get(peering_id)
    return str(peering.peer_vpc.id) if peering is not None else ""


def key_of_table(arn: str) -> str:
    """Return the ARN of the customer's key under which a table is; empty if it is under no such key."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("table/"):
        return ""
    table = dynamodb_backends[ACCOUNT][parts[3]].tables.get(parts[5].split("/")[1])
    if table is None or not settings_of(table).key_id:
        return ""
    return str((table.sse_specification or {}).get("KMSMasterKeyId", ""))


def key_of_queue(arn: str) -> str:
    """Return the ARN of the customer's key under which a queue is; empty if it is under no such key."""
    region, name = arn.split(":")[3], arn.rpartition(":")[2]
    queue = sqs_backends[ACCOUNT][region].queues.get(name)
    key = str(getattr(queue, "kms_master_key_id", "") or "")
    return key if key.startswith("arn:") and ":key/" in key else ""


def writers_of(global_cluster: str) -> tuple[str, ...]:
    """Return the ARN of the cluster that takes a global database's writes, if there is one."""
    found = (backend.global_clusters.get(global_cluster) for backend in rds_backends[ACCOUNT].values())
    return tuple(
        str(member.arn) for one in found if one is not None for member in one.members if member.is_writer
    )


def secret_arn(region: str, secret_id: str) -> str:
    """Return the ARN of a secret that is named or identified."""
    if secret_id.startswith("arn:"):
        return secret_id
    named = f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{secret_id}"
    found = list(secretsmanager_backends[ACCOUNT][region].secrets.values())
    return next((str(one.arn) for one in found if one.name == secret_id), named)


def role_arn(name: str) -> str:
    """Return the ARN of a role by its name."""
    found = list(iam_backends[ACCOUNT]["aws"].roles.values())
    return next((str(role.arn) for role in found if role.name == name), f"arn:aws:iam::{ACCOUNT}:role/{name}")


def role_of(arn: str) -> Role | None:
    """Return a role by its ARN; None if it is not there."""
    return next((role for role in list(iam_backends[ACCOUNT]["aws"].roles.values()) if role.arn == arn), None)
