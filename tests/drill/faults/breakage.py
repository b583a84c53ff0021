"""What the faults' tests do to the small AWS: calls that break, and changes by somebody else."""

from typing import Any

from drill.aws import Aws
from drill.faults.contract import RUN_TAG

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


class Stale:
    """An ``Aws`` whose next reads of one kind are answered as they were when it was made.

    What else is called is really called.
    """

    def __init__(self, aws: Aws, operation: str, *, olds: int, **params: Any) -> None:
        """Remember the answer of now.

        Args:
            aws: The real one.
            operation: boto3's name of the read.
            olds: How many reads are answered so.
            params: What the read is called with.

        """
        self._aws, self._operation, self._olds = aws, operation, olds
        self._left = olds
        self._service = {"get_health_check": "route53", "describe_network_acls": "ec2"}.get(operation, "fis")
        self._old = getattr(aws.client(self._service, "us-east-1"), operation)(**params)

    def again(self) -> None:
        """Answer the next reads as of old again."""
        self._left = self._olds

    def client(self, service: str, region: str) -> Any:
        """Return a client that may answer as of old."""
        real = self._aws.client(service, region)
        return _StaleClient(self, real) if service == self._service else real

    def answer(self, operation: str, send: Any) -> Any:
        """Return an old answer, or send it."""
        if operation != self._operation or self._left <= 0:
            return send()
        self._left -= 1
        return self._old


class _StaleClient:
    def __init__(self, stale: Stale, client: Any) -> None:
        self._stale, self._client = stale, client

    def get_paginator(self, operation: str) -> Any:
        client, stale = self._client, self._stale

        class Pages:
            def paginate(self, **params: Any) -> Any:
                return [stale.answer(operation, lambda: getattr(client, operation)(**params))]

        return Pages()

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._client, operation)
        return lambda **params: self._stale.answer(operation, lambda: method(**params))


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


def tagged(aws: Aws, run_id: str = "run-1") -> list[dict[str, Any]]:
    """Return the network ACLs that a run made."""
    of_run = [{"Name": f"tag:{RUN_TAG}", "Values": [run_id]}]
    found: list[dict[str, Any]] = aws.client("ec2", "us-east-1").describe_network_acls(Filters=of_run)[
        "NetworkAcls"
    ]
    return found


def entries_of(aws: Aws, acl_id: str) -> list[dict[str, Any]]:
    """Return the entries of a network ACL in order."""
    (acl,) = aws.client("ec2", "us-east-1").describe_network_acls(NetworkAclIds=[acl_id])["NetworkAcls"]
    return sorted(acl["Entries"], key=lambda one: (one["RuleNumber"], one["Egress"]))


def put_entry(aws: Aws, acl_id: str, number: int, *, both: bool = True, **more: Any) -> None:
    """Put an entry into a network ACL, in both directions or as egress; it allows all IPv4 unless told."""
    wanted = {"Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0", **more}
    whole = {key: value for key, value in wanted.items() if value is not None}
    for egress in (True, False) if both else (whole.pop("Egress", True),):
        aws.client("ec2", "us-east-1").create_network_acl_entry(
            NetworkAclId=acl_id, RuleNumber=number, Egress=egress, **whole
        )


def make_cluster(aws: Aws, name: str, region: str = "us-east-1") -> str:
    """Make an encrypted Aurora cluster with a writer; return its ARN."""
    rds = aws.client("rds", region)
    made = rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        MasterUsername="keeper",
        MasterUserPassword="first-one",
        StorageEncrypted=True,
        KmsKeyId=key_in(aws, region),
    )
    rds.create_db_instance(
        DBInstanceIdentifier=f"{name}-1",
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )
    return str(made["DBCluster"]["DBClusterArn"])


def key_in(aws: Aws, region: str) -> str:
    """Make a KMS key in a region; return its ARN."""
    return str(aws.client("kms", region).create_key()["KeyMetadata"]["Arn"])
