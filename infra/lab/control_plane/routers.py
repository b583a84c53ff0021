"""Makes each service's table of addresses once, whoever asks first.

moto makes it at a service's first request. werkzeug parses a syntax tree for each rule of it, and
before CPython 3.11.5 two threads that parse at the same time can make each other fail with
"AST constructor recursion depth mismatch": https://github.com/python/cpython/issues/106905.
"""

import threading
from typing import Any

from moto.core.routing import ServiceOperationRouter
from werkzeug.routing import Rule

from infra.lab.control_plane.mending import Function, replace

# One lock for both: a router's rules are compiled while its table is made.
_ONE_AT_A_TIME = threading.RLock()


def install() -> None:
    """Let one thread at a time make tables and compile rules."""
    replace(ServiceOperationRouter, "_get_router", _alone)
    replace(Rule, "compile", _alone)


def _alone(original: Function) -> Function:
    def alone(*given: Any) -> Any:
        with _ONE_AT_A_TIME:
            return original(*given)

    return alone
