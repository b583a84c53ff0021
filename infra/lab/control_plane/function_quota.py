"""How many functions may run at once in an account, which moto does not say.

https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
"""

import json
from typing import Any

from moto.awslambda import urls
from moto.awslambda.responses import LambdaResponse

from infra.lab.control_plane.mending import add

# The quotas that Lambda's guide names, see
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
DEFAULT = 1000
_CODE_BYTES = 80530636800
_UNZIPPED_BYTES = 262144000
_ZIPPED_BYTES = 52428800
_PATH = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"

# By region, where it is another one than the default.
quotas: dict[str, int] = {}


def install() -> None:
    """Answer who asks for the account's settings."""
    urls.url_paths[_PATH] = LambdaResponse.dispatch
    add(LambdaResponse, "get_account_settings", _settings)


def _settings(response: LambdaResponse) -> tuple[int, dict[str, Any], str]:
    functions = list(response.backend.list_functions())
    quota = quotas.get(response.region, DEFAULT)
    reserved = sum(int(function.reserved_concurrency or 0) for function in functions)
    shown = {
        "AccountLimit": {
            "TotalCodeSize": _CODE_BYTES,
            "CodeSizeUnzipped": _UNZIPPED_BYTES,
            "CodeSizeZipped": _ZIPPED_BYTES,
            "ConcurrentExecutions": quota,
            "UnreservedConcurrentExecutions": quota - reserved,
        },
        "AccountUsage": {
            "TotalCodeSize": sum(function.code_size for function in functions),
            "FunctionCount": len(functions),
        },
    }
    return 200, {}, json.dumps(shown)
