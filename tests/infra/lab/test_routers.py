"""Tables of addresses are made by one thread at a time."""

import ast
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto.core.routing import get_service_router

from infra.lab.control_plane import routers


def test_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that ask for the same service first, and for others, never parse at the same time."""
    routers.install()
    inside, most = 0, 0
    count = threading.Lock()
    parse: Callable[..., ast.AST] = ast.parse

    def watched(*given: Any, **named: Any) -> ast.AST:
        nonlocal inside, most
        with count:
            inside += 1
            most = max(most, inside)
        try:
            return parse(*given, **named)
        finally:
            with count:
                inside -= 1

    monkeypatch.setattr(ast, "parse", watched)
    together = threading.Barrier(6)

    def first(service: str) -> object:
        router = get_service_router.__wrapped__(service) if service == "lambda" else shared
        together.wait()
        return router._get_router("rest-xml" if service == "route53" else "rest-json")

    shared = get_service_router.__wrapped__("route53")
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(first, ["route53", "lambda"] * 3))
    assert 1 == most
    assert 1 == len({id(router) for router in made[::2]})
