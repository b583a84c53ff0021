"""What an earlier system of the same name left behind, found by its names and its tags.

CloudFormation forgets a deleted stack after 90 days; what the stack retained is there for longer.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from infra import kept
from infra.deploy_config import DeployConfig
from infra.deploy_stacks import Part, waves
from infra.kept import KEY, TABLE, VAULT, Kept
from infra.stack_states import ClientFactory, state_of


def in_the_way(client_of: ClientFactory, config: DeployConfig) -> tuple[Kept, ...]:
    """Return what has a name that a stack which is not there yet would give to something of its own."""
    missing = [
        part
        for wave in waves(config)
        for part in wave
        if part.template in {"backup-vault", "table"} and _missing(client_of, config, part)
    ]
    return tuple(found for part in missing for found in _by_name(client_of, config, part))


def keys(client_of: ClientFactory, config: DeployConfig) -> Iterator[Kept]:
    """Yield the keys that carry the system's tags, in the regions where no stack of it has keys."""
    for region in config.regions:
        if _missing(client_of, config, Part("keys", region)):
            kms = client_of("kms", region)
            ours = (key_id for key_id in _key_ids(kms) if _is_ours(kms, key_id, config))
            yield from (Kept(region, KEY, key_id) for key_id in ours)


def _missing(client_of: ClientFactory, config: DeployConfig, part: Part) -> bool:
    return state_of(client_of("cloudformation", part.region), part.stack_name(config.name)) is None


def _by_name(client_of: ClientFactory, config: DeployConfig, part: Part) -> Iterator[Kept]:
    """Yield what has the name that a stack gives, with a remark if it lacks the system's tags."""
    if part.template == "backup-vault":
        backup = client_of("backup", part.region)
        arn = kept.vault_arn(backup, config.name)
        if arn:
            foreign = _foreign(backup.list_tags(ResourceArn=arn).get("Tags", {}), config)
            yield Kept(part.region, VAULT, config.name, foreign)
        return
    name = f"{config.name}-orders"
    for region in config.regions:
        dynamodb = client_of("dynamodb", region)
        try:
            arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
        except ClientError as problem:
            if not kept.is_gone(problem):
                raise
            continue
        tags = dynamodb.list_tags_of_resource(ResourceArn=arn).get("Tags", ())
        yield Kept(part.region, TABLE, name, _foreign({tag["Key"]: tag["Value"] for tag in tags}, config))
        return


def _foreign(tags: Mapping[str, str], config: DeployConfig) -> str:
    if config.tags.items() <= tags.items():
        return ""
    return f"it does not carry the tags of {config.name}, so that it may be somebody else's"


def _key_ids(kms: Any) -> Iterator[str]:  # noqa: ANN401 (boto3 clients have no static type)
    for page in kms.get_paginator("list_keys").paginate():
        yield from (key["KeyId"] for key in page["Keys"])


def _is_ours(kms: Any, key_id: str, config: DeployConfig) -> bool:  # noqa: ANN401
    """Say whether a key is one of the system's and not on its way out.

    AWS's own keys are never asked for their tags: nobody but AWS may delete them.
    """
    try:
        found = kms.describe_key(KeyId=key_id)["KeyMetadata"]
        if found["KeyManager"] != "CUSTOMER" or found["KeyState"] == "PendingDeletion":
            return False
        tags = kms.list_resource_tags(KeyId=key_id)["Tags"]
    except ClientError as problem:
        # A key whose policy shuts these credentials out is not one that our template made.
        if problem.response["Error"]["Code"] == "AccessDeniedException":
            return False
        raise
    return not _foreign({tag["TagKey"]: tag["TagValue"] for tag in tags}, config)
