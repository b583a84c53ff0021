"""Reads the tags of a resource, each service in its own way."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from drill.aws import Aws
from drill.faults.contract import Resource
from drill.guards.contract import CannotTell

Client: TypeAlias = Any
"""A boto3 client, which has no static type."""


def of(resource: Resource, aws: Aws) -> dict[str, str]:
    """Return the tags of a resource that a fault changes.

    Raises:
        CannotTell: Nobody knows how this service tells its tags.

    """
    read = _READERS.get(resource.service)
    if read is None:
        msg = (
            f"the tags of {resource.kind} {resource.id} can't be read: service {resource.service} is unknown"
        )
        raise CannotTell(msg)
    return read(aws.client(resource.service, resource.region), resource)


def _pairs(tags: Iterable[Mapping[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {tag[key]: tag[value] for tag in tags}


def _route53(client: Client, resource: Resource) -> dict[str, str]:
    kind = "hostedzone" if resource.kind == "hosted zone" else "healthcheck"
    answer = client.list_tags_for_resource(ResourceType=kind, ResourceId=resource.id)
    return _pairs(answer["ResourceTagSet"]["Tags"])


def _ec2(client: Client, resource: Resource) -> dict[str, str]:
    pages = client.get_paginator("describe_tags").paginate(
        Filters=[{"Name": "resource-id", "Values": [resource.id]}]
    )
    return _pairs(tag for page in pages for tag in page["Tags"])


def _dynamodb(client: Client, resource: Resource) -> dict[str, str]:
    pages = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=resource.id)
    return _pairs(tag for page in pages for tag in page["Tags"])


def _rds(client: Client, resource: Resource) -> dict[str, str]:
    return _pairs(client.list_tags_for_resource(ResourceName=resource.id)["TagList"])


def _elbv2(client: Client, resource: Resource) -> dict[str, str]:
    described = client.describe_tags(ResourceArns=[resource.id])["TagDescriptions"]
    return _pairs(tag for one in described for tag in one["Tags"])


def _lambda(client: Client, resource: Resource) -> dict[str, str]:
    # A function is tagged, its aliases and versions are not:
    # https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html
    whole = ":".join(resource.id.split(":")[:7])
    return dict(client.list_tags(Resource=whole).get("Tags", {}))


def _backup(client: Client, resource: Resource) -> dict[str, str]:
    # boto3 has no paginator for it; a resource has at most 50 tags, and a page holds a thousand:
    # https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListTags.html
    return dict(client.list_tags(ResourceArn=resource.id).get("Tags", {}))


def _sns(client: Client, resource: Resource) -> dict[str, str]:
    return _pairs(client.list_tags_for_resource(ResourceArn=resource.id)["Tags"])


def _sqs(client: Client, resource: Resource) -> dict[str, str]:
    return dict(client.list_queue_tags(QueueUrl=resource.id).get("Tags", {}))


def _secretsmanager(client: Client, resource: Resource) -> dict[str, str]:
    return _pairs(client.describe_secret(SecretId=resource.id).get("Tags", ()))


def _kms(client: Client, resource: Resource) -> dict[str, str]:
    pages = client.get_paginator("list_resource_tags").paginate(KeyId=resource.id)
    return _pairs((tag for page in pages for tag in page["Tags"]), "TagKey", "TagValue")


def _scaling(client: Client, resource: Resource) -> dict[str, str]:
    return dict(client.list_tags_for_resource(ResourceARN=resource.id).get("Tags", {}))


_READERS: Mapping[str, Callable[[Client, Resource], dict[str, str]]] = {
    "application-autoscaling": _scaling,
    "backup": _backup,
    "dynamodb": _dynamodb,
    "ec2": _ec2,
    "elbv2": _elbv2,
    "kms": _kms,
    "lambda": _lambda,
    "rds": _rds,
    "route53": _route53,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
}
SERVICES = tuple(_READERS)
"""The services whose tags can be read."""
