"""``AWS::SecretsManager::*``: secrets, their rotation, their targets and their policies."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number, truth

IN_SYNC_WITHIN_S = 30.0
_POLL_S = 0.02
# Says again that no key of ours is wanted, see
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
_AWS_KEY = "alias/aws/secretsmanager"
_TEXT = {"SecretString", "GenerateSecretString"}
# Of GenerateSecretString.
_NO_TRUTHS = {"ExcludeCharacters", "PasswordLength", "GenerateStringKey", "SecretStringTemplate"}


def _secret(request: Request) -> Made:
    manager, wanted = request.client("secretsmanager"), request.properties
    call = chosen(wanted, "Description", "KmsKeyId")
    replicas = list(_replicas(wanted).values())
    if replicas:
        call["AddReplicaRegions"] = replicas
    text = _text(manager, wanted)
    if text is not None:
        call["SecretString"] = text
    name = wanted.get("Name") or request.name(255)
    made = _named(manager.create_secret(Name=name, **call, Tags=request.tag_list())["ARN"])
    try:
        _await_replicas(manager, made.physical_resource_id)
    except Exception:
        _delete_secret(request, made)
        raise
    return made


def _named(arn: str) -> Made:
    return Made(arn, {"Id": arn})


def _replicas(wanted: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = wanted.get("ReplicaRegions") or ()
    return {item["Region"]: dict(item) for item in found}


def _await_replicas(manager: Any, arn: str) -> None:
    deadline = time.monotonic() + IN_SYNC_WITHIN_S
    while True:
        replicas = manager.describe_secret(SecretId=arn).get("ReplicationStatus", ())
        for replica in replicas:
            if replica["Status"] == "Failed":
                msg = f"the replica in {replica['Region']}: {replica['StatusMessage']}"
                raise RuntimeError(msg)
        if all(replica["Status"] == "InSync" for replica in replicas):
            return
        if time.monotonic() > deadline:
            msg = f"the replicas of {arn} are not in sync after {IN_SYNC_WITHIN_S:.0f} s"
            raise TimeoutError(msg)
        time.sleep(_POLL_S)


def _text(manager: Any, wanted: Mapping[str, Any]) -> str | None:
    """Return what a secret is to hold; None for an empty one."""
    given, generate = wanted.get("SecretString"), wanted.get("GenerateSecretString")
    if given is not None and generate is not None:
        msg = "SecretString and GenerateSecretString exclude each other"
        raise ValueError(msg)
    return given if generate is None else _generated(manager, generate)


def _generated(manager: Any, wanted: Mapping[str, Any]) -> str:
    call: dict[str, Any] = {name: truth(wanted[name]) for name in wanted.keys() - _NO_TRUTHS}
    call |= chosen(wanted, "ExcludeCharacters")
    if "PasswordLength" in wanted:
        call["PasswordLength"] = number(wanted["PasswordLength"])
    password: str = manager.get_random_password(**call)["RandomPassword"]
    if ("GenerateStringKey" in wanted) != ("SecretStringTemplate" in wanted):
        msg = "GenerateStringKey and SecretStringTemplate need each other"
        raise ValueError(msg)
    if "GenerateStringKey" not in wanted:
        return password
    return json.dumps({**json.loads(wanted["SecretStringTemplate"]), wanted["GenerateStringKey"]: password})


def _update_secret(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if "Name" in changed:
        return None
    manager, wanted, arn = request.client("secretsmanager"), request.properties, made.physical_resource_id
    call: dict[str, Any] = {}
    if "Description" in changed:
        call["Description"] = wanted.get("Description", "")
    if "KmsKeyId" in changed:
        call["KmsKeyId"] = wanted.get("KmsKeyId", _AWS_KEY)
    if changed & _TEXT and (text := _text(manager, wanted)) is not None:
        call["SecretString"] = text
    if call:
        manager.update_secret(SecretId=arn, **call)
    _replicate(request, arn)
    _retag(request, arn)
    _await_replicas(manager, arn)
    return made


def _replicate(request: Request, arn: str) -> None:
    """Make the replicas those that the template wants; one with another key is made anew."""
    manager = request.client("secretsmanager")
    there = manager.describe_secret(SecretId=arn).get("ReplicationStatus", ())
    before = {replica["Region"]: {"KmsKeyId": replica["KmsKeyId"]} for replica in there}
    wanted = {
        region: {"KmsKeyId": replica.get("KmsKeyId", _AWS_KEY)}
        for region, replica in _replicas(request.properties).items()
    }
    gone = [region for region, replica in before.items() if wanted.get(region) != replica]
    new = [
        {"Region": region, **replica} for region, replica in wanted.items() if before.get(region) != replica
    ]
    if gone:
        manager.remove_regions_from_replication(SecretId=arn, RemoveReplicaRegions=gone)
    if new:
        manager.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=new)


def _retag(request: Request, arn: str) -> None:
    manager, gone = request.client("secretsmanager"), request.tags_gone()
    if gone:
        manager.untag_resource(SecretId=arn, TagKeys=gone)
    if request.tag_list():
        manager.tag_resource(SecretId=arn, Tags=request.tag_list())


def _delete_secret(request: Request, made: Made) -> None:
    """Delete a secret for good, its replicas first: a stack that is made again finds its name free."""
    manager, arn = request.client("secretsmanager"), made.physical_resource_id
    replicas = manager.describe_secret(SecretId=arn).get("ReplicationStatus", ())
    if replicas:
        manager.remove_regions_from_replication(
            SecretId=arn, RemoveReplicaRegions=[replica["Region"] for replica in replicas]
        )
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def _schedule(request: Request) -> Made:
    return _named(_rotate(request))


def _rotate(request: Request) -> str:
    wanted = request.properties
    call = chosen(wanted, "SecretId", "RotationLambdaARN")
    rules = wanted.get("RotationRules")
    if rules is not None:
        call["RotationRules"] = dict(rules)
        if "AutomaticallyAfterDays" in rules:
            call["RotationRules"]["AutomaticallyAfterDays"] = number(rules["AutomaticallyAfterDays"])
    at_once = truth(wanted.get("RotateImmediatelyOnUpdate", True))
    arn: str = request.client("secretsmanager").rotate_secret(**call, RotateImmediately=at_once)["ARN"]
    return arn


def _update_schedule(request: Request, made: Made) -> Made | None:
    changed = request.changed() - {"Tags"}
    if "SecretId" in changed:
        return None
    # Another value of this alone is for the next change of the schedule.
    if changed - {"RotateImmediatelyOnUpdate"}:
        _rotate(request)
    else:
        request.properties.get("RotateImmediatelyOnUpdate")
    return made


def _delete_schedule(request: Request, made: Made) -> None:
    request.client("secretsmanager").cancel_rotate_secret(SecretId=made.physical_resource_id)


def _cluster(request: Request, name: str) -> dict[str, Any]:
    (found,) = request.client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    shown = {"engine": found["Engine"], "host": found["Endpoint"], "port": found["Port"]}
    return _with_database(found.get("DatabaseName"), {**shown, "dbClusterIdentifier": name})


def _instance(request: Request, name: str) -> dict[str, Any]:
    (found,) = request.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    endpoint = found.get("Endpoint", {})
    shown = {"engine": found["Engine"], "host": endpoint.get("Address"), "port": endpoint.get("Port")}
    return _with_database(found.get("DBName"), {**shown, "dbInstanceIdentifier": name})


def _with_database(name: str | None, shown: dict[str, Any]) -> dict[str, Any]:
    return {**shown, "dbname": name} if name else shown


# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
_TARGETS: Mapping[str, Callable[[Request, str], dict[str, Any]]] = {
    "AWS::RDS::DBCluster": _cluster,
    "AWS::RDS::DBInstance": _instance,
}
_FILLED = ("engine", "host", "port", "dbname", "dbClusterIdentifier", "dbInstanceIdentifier")


def _attach(request: Request) -> Made:
    wanted = request.properties
    kind, target, secret = wanted["TargetType"], wanted["TargetId"], wanted["SecretId"]
    if kind not in _TARGETS:
        msg = f"the lab attaches secrets to {' and '.join(_TARGETS)} only, not to {kind}"
        raise ValueError(msg)
    return _named(_fill(request, secret, _TARGETS[kind](request, target)))


def _fill(request: Request, secret_id: str, fields: Mapping[str, Any]) -> str:
    """Write what a secret says of its database anew; everything else in it stays."""
    manager = request.client("secretsmanager")
    found = manager.get_secret_value(SecretId=secret_id)
    kept = {name: value for name, value in json.loads(found["SecretString"]).items() if name not in _FILLED}
    manager.put_secret_value(SecretId=secret_id, SecretString=json.dumps({**kept, **fields}))
    arn: str = found["ARN"]
    return arn


def _update_attachment(request: Request, made: Made) -> Made | None:
    changed = request.changed() - {"Tags"}
    if "SecretId" in changed:
        return None
    return _attach(request) if changed else made


def _detach(request: Request, made: Made) -> None:
    _fill(request, made.physical_resource_id, {})


def _policy(request: Request) -> Made:
    wanted = request.properties
    document = wanted["ResourcePolicy"]
    text = document if isinstance(document, str) else json.dumps(document)
    blocks = {}
    if "BlockPublicPolicy" in wanted:
        blocks["BlockPublicPolicy"] = truth(wanted["BlockPublicPolicy"])
    made = request.client("secretsmanager").put_resource_policy(
        SecretId=wanted["SecretId"], ResourcePolicy=text, **blocks
    )
    return _named(made["ARN"])


def _update_policy(request: Request, made: Made) -> Made | None:
    changed = request.changed() - {"Tags"}
    if "SecretId" in changed:
        return None
    return _policy(request) if changed else made


def _delete_policy(request: Request, made: Made) -> None:
    request.client("secretsmanager").delete_resource_policy(SecretId=made.physical_resource_id)


_ID = frozenset({"Id"})

TYPES = (
    ResourceType(
        "AWS::SecretsManager::Secret",
        _secret,
        _delete_secret,
        _update_secret,
        _ID,
        frozenset({"Name", "SecretString", "GenerateSecretString", "KmsKeyId", "ReplicaRegions"}),
    ),
    ResourceType(
        "AWS::SecretsManager::RotationSchedule",
        _schedule,
        _delete_schedule,
        _update_schedule,
        _ID,
        frozenset({"SecretId", "RotationLambdaARN", "RotationRules", "RotateImmediatelyOnUpdate"}),
    ),
    ResourceType(
        "AWS::SecretsManager::SecretTargetAttachment",
        _attach,
        _detach,
        _update_attachment,
        _ID,
        frozenset({"SecretId", "TargetId", "TargetType"}),
    ),
    ResourceType(
        "AWS::SecretsManager::ResourcePolicy",
        _policy,
        _delete_policy,
        _update_policy,
        _ID,
        frozenset({"BlockPublicPolicy"}),
    ),
)
