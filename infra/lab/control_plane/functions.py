"""Lambda as AWS has it: functions really run, and aliases can keep warm processes."""

import json
import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from moto.awslambda import urls
from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction, LambdaStorage, lambda_backends
from moto.awslambda.responses import LambdaResponse

from infra.lab.control_plane import function_quota, function_settings
from infra.lab.control_plane.mending import ACCOUNT, Function, add, replace
from infra.lab.control_plane.wiring import WIRING
from infra.lab.world import Invocation

_PATH = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/provisioned-concurrency/?$"
_TIME_FORM = "%Y-%m-%dT%H:%M:%S+0000"

# What PutProvisionedConcurrencyConfig asked for, by region, function and qualifier, and how
# many processes the physics keep warm, by region, function and version.
_requested: dict[tuple[str, str, str], int] = {}
_ready: dict[tuple[str, str, str], int] = {}


class _Throttled(LambdaClientError):
    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class _NotConfigured(LambdaClientError):
    code = 404

    def __init__(self) -> None:
        super().__init__(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )


class _NotReady(LambdaClientError):
    code = 502

    def __init__(self, text: str) -> None:
        super().__init__("ServiceException", text)


def install() -> None:
    """Mend moto's Lambda; forget what an earlier control plane was asked for."""
    _requested.clear()
    _ready.clear()
    function_settings.install()
    function_quota.install()
    replace(LambdaResponse, "invoke", _invoke)
    replace(LambdaFunction, "get_code", _get_code)
    replace(LambdaStorage, "publish_version", _publish_version)
    urls.url_paths[_PATH] = LambdaResponse.dispatch
    add(LambdaResponse, "put_provisioned_concurrency_config", _put_provisioned)
    add(LambdaResponse, "get_provisioned_concurrency_config", _get_provisioned)
    add(LambdaResponse, "delete_provisioned_concurrency_config", _delete_provisioned)
    add(LambdaResponse, "list_provisioned_concurrency_configs", _list_provisioned)


def report_ready(region: str, function: str, version: str, ready: int) -> None:
    """Show how many warm processes a version has."""
    _ready[region, function, version] = ready


def provisioned(region: str, function: str, version: str, aliases: dict[str, str]) -> int:
    """Return how many warm processes were asked for, over a version and the aliases that point at it."""
    asked = [name for name, target in aliases.items() if target == version]
    return sum(_requested.get((region, function, qualifier), 0) for qualifier in [version, *asked])


def aliases_of(backend: LambdaBackend, function: LambdaFunction) -> dict[str, str]:
    """Return the aliases of a function by name, each with its version."""
    arn = f"arn:aws:lambda:{backend.region_name}:{backend.account_id}:function:{function.function_name}"
    found = backend._lambdas._aliases.get(arn) or {}
    return {alias.name: alias.function_version for alias in list(found.values())}


def _invoke(_original: Function) -> Function:
    """Run the function; moto would look for Docker, and overlooks the qualifier."""

    def invoke(response: LambdaResponse) -> tuple[int, dict[str, str], bytes]:
        name = unquote(response.path.rstrip("/").split("/")[-2])
        qualifier = response.querystring.get("Qualifier", [None])[0]
        function = response.backend.get_function(name, qualifier)
        latest = response.backend.get_function(function.function_name)
        if latest.reserved_concurrency is not None and int(latest.reserved_concurrency) == 0:
            raise _Throttled
        kind = response.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return 204, {"status": "204"}, b""
        payload = response.raw_body or b"{}"
        call = (response.region, function.function_name, _qualifier(name, qualifier), payload)
        if kind == "Event":
            threading.Thread(target=_run, args=(call,), daemon=True).start()
            return 202, {"status": "202"}, b""
        answer = _run(call)
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": str(function.version)}
        if answer.error:
            headers["X-Amz-Function-Error"] = answer.error
        return 200, headers, answer.payload

    return invoke


def _run(call: tuple[str, str, str, bytes]) -> Invocation:
    if WIRING.invoker is None:
        msg = "no functions run in this lab yet"
        raise _NotReady(msg)
    answer = WIRING.invoker.invoke(*call)
    if answer.status == 429:
        raise _Throttled
    if answer.status == 404:
        msg = f"the function {call[1]} is not there yet: try again"
        raise _NotReady(msg)
    return answer


def _qualifier(function_name: str, qualifier: str | None) -> str:
    named = function_name.rpartition(":function:")[2]
    _, _, in_name = named.partition(":")
    return in_name or qualifier or "$LATEST"


def _get_code(original: Function) -> Function:
    def code(function: LambdaFunction) -> dict[str, Any]:
        shown: dict[str, Any] = original(function)
        if function.reserved_concurrency is not None:
            shown["Concurrency"] = {"ReservedConcurrentExecutions": int(function.reserved_concurrency)}
        return shown

    return code


def _publish_version(original: Function) -> Function:
    """Never give a version's number again: moto counts those that are left."""

    def publish(storage: LambdaStorage, name_or_arn: str, description: str = "") -> LambdaFunction | None:
        name = storage.get_function_by_name_or_arn_forbid_qualifier(name_or_arn).function_name
        group = storage._functions[name]
        before = list(group["versions"])
        published: LambdaFunction | None = original(storage, name_or_arn, description)
        if published is not None and published not in before:
            group["highest"] = group.get("highest", 0) + 1
            published.set_version(group["highest"])
            storage._arns.update({version.function_arn: version for version in group["versions"]})
        return published

    return publish


def _key(response: LambdaResponse) -> tuple[str, str, str]:
    name = unquote(response.path.rstrip("/").split("/")[-2])
    qualifier = response._get_param("Qualifier")
    function = response.backend.get_function(name, qualifier)
    return response.region, function.function_name, str(qualifier)


def _shown(response: LambdaResponse, key: tuple[str, str, str]) -> dict[str, Any]:
    region, name, qualifier = key
    version = str(response.backend.get_function(name, qualifier).version)
    wanted = _requested[key]
    ready = min(wanted, _ready.get((region, name, version), 0)) if WIRING.connected else wanted
    return {
        "RequestedProvisionedConcurrentExecutions": wanted,
        "AvailableProvisionedConcurrentExecutions": ready,
        "AllocatedProvisionedConcurrentExecutions": ready,
        "Status": "READY" if ready >= wanted else "IN_PROGRESS",
        "LastModified": datetime.now(UTC).strftime(_TIME_FORM),
    }


def _put_provisioned(response: LambdaResponse) -> tuple[int, dict[str, Any], str]:
    key = _key(response)
    if key[2] == "$LATEST":
        msg = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        raise InvalidParameterValueException(msg)
    _requested[key] = int(response.json_body["ProvisionedConcurrentExecutions"])
    return 202, {"status": 202}, json.dumps(_shown(response, key))


def _get_provisioned(response: LambdaResponse) -> tuple[int, dict[str, Any], str]:
    key = _key(response)
    if key not in _requested:
        raise _NotConfigured
    return 200, {}, json.dumps(_shown(response, key))


def _delete_provisioned(response: LambdaResponse) -> tuple[int, dict[str, Any], str]:
    key = _key(response)
    if _requested.pop(key, None) is None:
        raise _NotConfigured
    return 204, {"status": 204}, ""


def _list_provisioned(response: LambdaResponse) -> tuple[int, dict[str, Any], str]:
    name = unquote(response.path.rstrip("/").split("/")[-2])
    function = response.backend.get_function(name)
    found = [key for key in list(_requested) if key[:2] == (response.region, function.function_name)]
    shown = [{"FunctionArn": f"{function.function_arn}:{key[2]}", **_shown(response, key)} for key in found]
    return 200, {}, json.dumps({"ProvisionedConcurrencyConfigs": shown})


def backend_of(region: str) -> LambdaBackend:
    """Return moto's Lambda of a region."""
    return lambda_backends[ACCOUNT][region]
