"""DR04: passwords where they can be read, and logins that nobody changes."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import Document, NotAnswered, absent
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|api_?key|credential", re.IGNORECASE)
# What points to a secret, or hides it, holds none.
_POINTER = re.compile(r"^$|^arn:|^\{\{resolve:|^\*+$|^(true|false)$|^\d{1,9}$")
# A literal after the key: neither an intrinsic function, nor a reference, nor a dynamic reference.
_LITERAL = re.compile(r"MasterUserPassword[\"']?\s*:\s*[\"']?(?!\{\{resolve:|!|\{|\s)[^\s\"',}]+")

# Who can read a password, or has an old one, logs in as before: no drill comes out otherwise.
_NOTHING = ()


class Passwords(Check):
    """Reads templates, parameters and environments, and how the database's logins are kept."""

    id: ClassVar = "DR04"
    title: ClassVar = "A password can be read, or is never changed"
    why: ClassVar = (
        "Whoever may describe a stack or a function has the database. A login that is not rotated stays with "
        "everybody who ever had it; one that is not replicated is gone with its region."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "A secret in Secrets Manager with a replica in the other region and a rotation schedule (data.yaml: "
        "Secret, ManageMasterUserPassword; rotation.yaml: Rotation): drill infra deploy"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html",
        "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html",
    )
    calls: ClassVar = (
        "cloudformation:DescribeStacks",
        "cloudformation:GetTemplate",
        "lambda:ListFunctions",
        "rds:DescribeDBClusters",
        "secretsmanager:DescribeSecret",
    )
    seed: ClassVar = (4,)
    explains: ClassVar = ("recovery_time", "client_outage", "pending_share", "store_recovery")
    drill: ClassVar = "drill run region-outage"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield stacks and functions of each region, the cluster, and the application's login."""
        for region in system.regions:
            yield Part(f"stacks in {region.name}", partial(_stacks, system, region))
            yield Part(f"functions in {region.name}", partial(_functions, system, region))
            if region.cluster_id:
                yield Part(f"cluster {region.cluster_id}", partial(_cluster, system, region))
        yield Part("login of the application", partial(_login, system))


def _stacks(system: System, region: Region) -> Iterator[Found]:
    stacks = system.reads.many("cloudformation", region.name, "describe_stacks", "Stacks")
    ours = [
        stack
        for stack in stacks
        if _is_ours(system, stack["StackName"], {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])})
    ]
    if stacks and not ours:
        name = system.target.name
        msg = (
            f"none of the {len(stacks)} stacks in {region.name} is known as the system's; "
            f"name them {name}-*, or tag them project={name}"
        )
        raise NotAnswered(msg)
    for stack in ours:
        where = f"stack {stack['StackName']} in {region.name}"
        for given in stack.get("Parameters", []):
            name, value = given["ParameterKey"], given.get("ParameterValue", "")
            if _SECRET_NAME.search(name) and not _POINTER.search(value):
                what = f"its parameter {name} shows what it holds; NoEcho hides it, a secret keeps it"
                yield Found(where, what, explains=_NOTHING)
        body = system.reads.one("cloudformation", region.name, "get_template", StackName=stack["StackId"])[
            "TemplateBody"
        ]
        text = body if isinstance(body, str) else json.dumps(body)
        if _LITERAL.search(text):
            yield Found(where, "its template writes out MasterUserPassword", explains=_NOTHING)


def _functions(system: System, region: Region) -> Iterator[Found]:
    ours = {region.function_name}
    for function in system.reads.many("lambda", region.name, "list_functions", "Functions"):
        name = function["FunctionName"]
        if name not in ours and not _is_ours(system, name, {}):
            continue
        held: Mapping[str, Any] = function.get("Environment", {}).get("Variables", {})
        for key, value in held.items():
            if _SECRET_NAME.search(key) and not _POINTER.search(value):
                yield Found(
                    f"function {name} in {region.name}",
                    f"its environment shows a password or token: {key}",
                    explains=_NOTHING,
                )


def _is_ours(system: System, name: str, tags: Mapping[str, str]) -> bool:
    ours = system.target.name
    return name == ours or name.startswith(f"{ours}-") or tags.get("project") == ours


def _cluster(system: System, region: Region) -> Iterator[Found]:
    cluster = system.reads.one(
        "rds", region.name, "describe_db_clusters", DBClusterIdentifier=region.cluster_id
    )["DBClusters"][0]
    # RDS manages no master user of a cluster in a global database.
    if system.target.database.replication == "global":
        return
    where = f"cluster {region.cluster_id} in {region.name}"
    managed = cluster.get("MasterUserSecret")
    mend = (
        f"aws rds modify-db-cluster --region {region.name} --db-cluster-identifier {region.cluster_id} "
        "--manage-master-user-password; in the templates: ManageMasterUserPassword of data.yaml"
    )
    if not managed:
        what = "its master user's password was given by hand, and nobody rotates it"
        yield Found(where, what, mend, explains=_NOTHING)
    elif managed["SecretStatus"] not in {"active", "creating", "rotating"}:
        what = f"the secret of its master user is {managed['SecretStatus']}"
        yield Found(where, what, mend, explains=_NOTHING)


def _login(system: System) -> Iterator[Found]:
    primary, standby = system.regions
    if primary.secret_arn is None:
        yield Found(f"database in {primary.name}", "the target names no secret (primary.secret_arn)")
        return
    where = f"secret {primary.secret_arn.rpartition(':')[2]} in {primary.name}"
    secret = _described(system, primary, primary.secret_arn)
    if secret is None or secret.get("DeletedDate"):
        yield Found(where, "it is gone, or is being deleted")
        return
    if not secret.get("RotationEnabled"):
        yield Found(
            where,
            "it is not rotated",
            f"aws secretsmanager rotate-secret --region {primary.name} --secret-id {primary.secret_arn} "
            "--rotation-lambda-arn ARN --rotation-rules AutomaticallyAfterDays=30; in the templates: "
            "Rotation of rotation.yaml",
            explains=_NOTHING,
        )
    replicas = {one["Region"]: one for one in secret.get("ReplicationStatus", [])}
    mend = (
        f"aws secretsmanager replicate-secret-to-regions --region {primary.name} --secret-id "
        f"{primary.secret_arn} --add-replica-regions Region={standby.name}; in the templates: ReplicaRegions "
        "of data.yaml"
    )
    replica = replicas.get(standby.name)
    if replica is None:
        yield Found(
            where, f"it is not replicated to {standby.name}, where the application could not log in", mend
        )
    elif replica["Status"] == "Failed":
        yield Found(where, f"its replica in {standby.name} failed: {replica.get('StatusMessage', '')}", mend)


def _described(system: System, region: Region, arn: str) -> Document | None:
    try:
        return system.reads.one("secretsmanager", region.name, "describe_secret", SecretId=arn)
    except ClientError as problem:
        if absent(problem):
            return None
        raise
