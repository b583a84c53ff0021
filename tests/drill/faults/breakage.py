"""What the faults' tests do to the small AWS: calls that break, and changes by somebody else."""

from typing import Any

from drill.aws import Aws

ROLE = "arn:aws:iam::123456789012:role/fis"


class Cut(Exception):
    """The connection broke in the middle of a call."""


class Unsteady:
    """An ``Aws`` whose n-th call breaks: before it is sent, or after it was done.

    Attributes:
        made: The calls that were sent, as ``service.operation``.

    """

    def __init__(self, aws: Aws, breaks_at: int = -1, *, lost: bool = False) -> None:
        """Break the call number ``breaks_at`` (from 0); ``lost`` lets it happen and loses its answer."""
        self._aws = aws
        self._breaks_at = breaks_at
        self._lost = lost
        self.made: list[str] = []

    def client(self, service: str, region: str) -> Any:
        """Return a client that counts and breaks."""
        return _Client(self, service, self._aws.client(service, region))

    def call(self, name: str, send: Any) -> Any:
        """Send one call, or break it."""
        number = len(self.made)
        self.made.append(name)
        if number == self._breaks_at and not self._lost:
            raise Cut(name)
        answer = send()
        if number == self._breaks_at:
            raise Cut(name)
        return answer


class _Client:
    def __init__(self, aws: Unsteady, service: str, client: Any) -> None:
        self._aws = aws
        self._service = service
        self._client = client

    def get_paginator(self, operation: str) -> Any:
        return _Paginator(self, operation, self._client.get_paginator(operation))

    def __getattr__(self, operation: str) -> Any:
        action = self._client.meta.method_to_api_mapping[operation]
        method = getattr(self._client, operation)
        return lambda **params: self._aws.call(f"{self._service}.{action}", lambda: method(**params))

    def paged(self, operation: str, pages: Any) -> Any:
        action = self._client.meta.method_to_api_mapping[operation]
        return self._aws.call(f"{self._service}.{action}", lambda: list(pages))


class _Paginator:
    def __init__(self, client: _Client, operation: str, paginator: Any) -> None:
        self._client = client
        self._operation = operation
        self._paginator = paginator

    def paginate(self, **params: Any) -> Any:
        return self._client.paged(self._operation, self._paginator.paginate(**params))


def make_global_table(aws: Aws, name: str) -> str:
    """Make a table with a replica in us-west-2; return its ARN in us-east-1."""
    client = aws.client("dynamodb", "us-east-1")
    made = client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "customer", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "customer", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": "us-west-2"}}])
    return str(made["TableDescription"]["TableArn"])


def acl_of(aws: Aws, subnet_id: str) -> str:
    """Return the network ACL that a subnet has."""
    (acl,) = _acls(aws, subnet_id)
    return str(acl["NetworkAclId"])


def give_acl(aws: Aws, subnet_id: str, acl_id: str) -> None:
    """Give a subnet another network ACL, as anybody could."""
    (acl,) = _acls(aws, subnet_id)
    (tie,) = [one for one in acl["Associations"] if one["SubnetId"] == subnet_id]
    aws.client("ec2", "us-east-1").replace_network_acl_association(
        AssociationId=tie["NetworkAclAssociationId"], NetworkAclId=acl_id
    )


def _acls(aws: Aws, subnet_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("ec2", "us-east-1").describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [subnet_id]}]
    )["NetworkAcls"]
    return found
