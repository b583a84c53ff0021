"""Failures of the functions, and what plants them."""

from typing import Any

from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from drill.target import Region
from infra.function_package import application, archive_of
from tests.defects import stores
from tests.defects.bench import Bench, Undo

_PLACEHOLDER = b"""
def handle(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{}"}
"""
_PRETENDER = b"""
import json
import os


def handle(event, context):
    order = json.loads(event.get("body") or "{}")
    stores = {"dynamodb": "written", "aurora": "written"}
    body = {"region": os.environ["AWS_REGION"], "cold": False, "orders": [], "next": None, "left": 0}
    said = json.dumps({**body, **order, "stores": stores})
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": said}
"""
_READY_S = 60.0
_WARM = 8


def cold(bench: Bench) -> Undo:
    """Have the standby keep no instance warm (DR06)."""
    region = bench.target.standby
    functions, of = bench.client("lambda", region.name), _alias(region)
    kept = functions.get_provisioned_concurrency_config(**of)["RequestedProvisionedConcurrentExecutions"]
    functions.delete_provisioned_concurrency_config(**of)

    def undo() -> None:
        functions.put_provisioned_concurrency_config(**of, ProvisionedConcurrentExecutions=kept)
        _await_warm(bench, region)

    return undo


def warm(bench: Bench) -> Undo:
    """Have the standby keep an instance warm for each of a crowd: what DR06 asks for."""
    region = bench.target.standby
    functions, of = bench.client("lambda", region.name), _alias(region)
    kept = functions.get_provisioned_concurrency_config(**of)["RequestedProvisionedConcurrentExecutions"]

    def put(instances: int) -> None:
        functions.put_provisioned_concurrency_config(**of, ProvisionedConcurrentExecutions=instances)
        _await_warm(bench, region)

    put(_WARM)
    return lambda: put(kept)


def never_logged_in(bench: Bench) -> Undo:
    """Have the login in one region only (DR04), and no instance of the standby that read it before that.

    One that holds a connection, or remembers the login, goes on: what is missing shows when it must ask.
    """
    undo_replica = stores.no_replica(bench)
    undo_instances = _other_version(
        bench, bench.target.standby, lambda _functions, _name: None, Description="never logged in"
    )

    def undo() -> None:
        undo_replica()
        undo_instances()

    return undo


def placeholder(bench: Bench) -> Undo:
    """Have the function do nothing, in both regions (DR10)."""
    return _other_code(bench, _PLACEHOLDER)


def pretender(bench: Bench) -> Undo:
    """Have the function acknowledge every order and keep none, in both regions (DR10)."""
    return _other_code(bench, _PRETENDER)


def _other_code(bench: Bench, code: bytes) -> Undo:
    archive = archive_of({"placeholder.py": code})
    undos = [
        _other_version(
            bench,
            region,
            lambda functions, name: functions.update_function_code(FunctionName=name, ZipFile=archive),
            Handler="placeholder.handle",
        )
        for region in (bench.target.primary, bench.target.standby)
    ]
    return lambda: [undo() for undo in undos]


def may_not_run(bench: Bench) -> Undo:
    """Have the standby's function refused, as a throttling drill that died would leave it (DR14)."""
    region = bench.target.standby
    functions = bench.client("lambda", region.name)
    functions.put_function_concurrency(FunctionName=region.function_name, ReservedConcurrentExecutions=0)
    return lambda: functions.delete_function_concurrency(FunctionName=region.function_name)


def less_memory(bench: Bench) -> Undo:
    """Have the standby run with half of the primary's memory (DX11)."""
    return _other_version(bench, bench.target.standby, lambda _functions, _name: None, MemorySize=256)


def secret_elsewhere(bench: Bench) -> Undo:
    """Have the standby read its login in the primary region (DX12)."""
    return _environment(bench, DB_SECRET_ARN=bench.target.primary.secret_arn or "")


def password_shown(bench: Bench) -> Undo:
    """Have the standby's next version carry a password in its environment (DR04)."""
    region = bench.target.standby
    functions = bench.client("lambda", region.name)
    held = functions.get_function_configuration(FunctionName=region.function_name)["Environment"]
    more = {"Variables": {**held["Variables"], "DB_PASSWORD": "not-a-real-one"}}
    functions.update_function_configuration(FunctionName=region.function_name, Environment=more)
    return lambda: functions.update_function_configuration(
        FunctionName=region.function_name, Environment=held
    )


def _environment(bench: Bench, **variables: str) -> Undo:
    region = bench.target.standby
    functions = bench.client("lambda", region.name)
    held = functions.get_function_configuration(FunctionName=region.function_name)["Environment"]["Variables"]
    changed = {"Variables": {**held, **variables}}
    return _other_version(bench, region, lambda _functions, _name: None, Environment=changed)


def _other_version(bench: Bench, region: Region, code: Any, **configuration: object) -> Undo:
    """Have the alias lead to a version with other code or configuration."""
    functions, name = bench.client("lambda", region.name), region.function_name
    before = functions.get_function_configuration(FunctionName=name)
    version = functions.get_alias(FunctionName=name, Name=region.function_alias)["FunctionVersion"]
    code(functions, name)
    functions.update_function_configuration(FunctionName=name, **configuration)
    made = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name=region.function_alias, FunctionVersion=made)
    _await_warm(bench, region)

    def undo() -> None:
        functions.update_alias(FunctionName=name, Name=region.function_alias, FunctionVersion=version)
        functions.update_function_code(FunctionName=name, ZipFile=application().archive)
        functions.update_function_configuration(
            FunctionName=name,
            Description=before.get("Description", ""),
            **{key: before[key] for key in ("Handler", "MemorySize", "Environment")},
        )
        functions.delete_function(FunctionName=name, Qualifier=made)
        _await_warm(bench, region)

    return undo


def _await_warm(bench: Bench, region: Region) -> None:
    functions = bench.client("lambda", region.name)
    listed = functions.list_provisioned_concurrency_configs(FunctionName=region.function_name)
    if not listed["ProvisionedConcurrencyConfigs"]:
        return  # nothing is to be kept warm
    warm = Retrying(
        retry=retry_if_not_result(lambda status: status == "READY"),
        stop=stop_after_delay(_READY_S),
        wait=wait_fixed(0.1),
    )
    warm(lambda: functions.get_provisioned_concurrency_config(**_alias(region))["Status"])


def _alias(region: Region) -> dict[str, str]:
    return {"FunctionName": region.function_name, "Qualifier": region.function_alias}
