"""What the checks ask of AWS: each question once, no faster than its API takes, and never for long.

Checks run side by side and ask much the same. An answer is kept, and whoever asks again gets it. An
API of a region that did not answer once is not waited for again.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from drill.audit.rate import Rate
from drill.aws import GLOBAL_REGION, Aws

Document: TypeAlias = Mapping[str, Any]
"""An answer of AWS's, or a part of one."""

asking: ContextVar[str] = ContextVar("asking", default="")
"""The check that asks."""

_ABSENT = re.compile(r"NotFound|NoSuch|DoesNotExist|NonExistent|NotFoundFault|\.NotFound$")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
_GLOBAL = frozenset({"budgets", "ce", "iam", "route53"})


class NotAnswered(Exception):
    """An API did not answer; the text says which and why."""


def absent(problem: ClientError) -> bool:
    """Say whether AWS answered that there is no such thing."""
    return bool(_ABSENT.search(problem.response["Error"]["Code"]))


def denied(problem: ClientError) -> bool:
    """Say whether AWS answered that it may not be asked."""
    code = problem.response["Error"]["Code"]
    return code in _DENIED or "AccessDenied" in code


class Reads:
    """Asks AWS for the checks of one audit; safe from any thread."""

    def __init__(self, aws: Aws) -> None:
        """Begin with no answers; nothing is asked."""
        self.aws = aws
        self._lock = threading.Lock()
        self._answers: dict[object, Future[Any]] = {}
        self._rates: dict[tuple[str, str], Rate] = {}
        self._silent: dict[tuple[str, str], str] = {}
        self.made: dict[str, set[str]] = defaultdict(set)
        """What each check asked, as ``service:Operation``."""
        self.requests = 0
        """How many were sent; a page counts as one."""

    def one(self, service: str, region: str, operation: str, **asked: Any) -> Document:  # noqa: ANN401 (boto3's)
        """Return the answer of one call.

        Args:
            service: boto3's name.
            region: Where; of services without regions any.
            operation: boto3's name of the method.
            asked: The method's arguments.

        Raises:
            ClientError: AWS refused.
            NotAnswered: Nothing answered.

        """
        client = self.client(service, region)
        self._note(service, client, operation)

        def call() -> Document:
            found: Document = getattr(client, operation)(**asked)
            return found

        answer: Document = self._once(service, region, (operation, _key(asked)), call)
        return answer

    def many(self, service: str, region: str, operation: str, key: str, **asked: Any) -> list[Any]:  # noqa: ANN401
        """Return the rows of all pages of a call.

        Args:
            service: boto3's name.
            region: Where.
            operation: boto3's name of the method.
            key: Where the rows are in a page.
            asked: The method's arguments.

        Raises:
            ClientError: AWS refused.
            NotAnswered: Nothing answered.

        """
        client = self.client(service, region)
        self._note(service, client, operation)

        def call() -> list[Any]:
            rows: list[Any] = []
            for number, page in enumerate(client.get_paginator(operation).paginate(**asked)):
                if number:
                    self._turn(service, region)
                rows += page.get(key, [])
            return rows

        return list(self._once(service, region, (operation, key, _key(asked)), call))

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 (boto3 clients have no static type)
        """Return a client; one of a service without regions wherever it is asked for."""
        return self.aws.client(service, _place(service, region))

    def guarded(self, service: str, region: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Make one call that no other check makes, under the same rate and with the same patience."""
        place = (service, _place(service, region))
        if place in self._silent:
            raise NotAnswered(self._silent[place])
        self._turn(service, region)
        try:
            return call()
        except BotoCoreError as problem:
            said = " ".join(str(problem).split())
            self._silent[place] = f"{service} in {place[1]} does not answer: {said}"
            raise NotAnswered(self._silent[place]) from problem

    def _once(self, service: str, region: str, key: object, call: Callable[[], Any]) -> Any:  # noqa: ANN401
        whole = (service, _place(service, region), key)
        with self._lock:
            kept = self._answers.get(whole)
            mine = kept is None
            future = kept if kept is not None else Future()
            self._answers[whole] = future
        if mine:
            try:
                future.set_result(self.guarded(service, region, call))
            except BaseException as problem:  # noqa: BLE001 (whoever asked gets it, in each thread)
                future.set_exception(problem)
        return future.result()

    def _turn(self, service: str, region: str) -> None:
        with self._lock:
            place = (service, _place(service, region))
            rate = self._rates.get(place) or self._rates.setdefault(place, Rate.of(service))
            self.requests += 1
        rate.wait()

    def _note(self, service: str, client: Any, operation: str) -> None:  # noqa: ANN401
        name = f"{service}:{client.meta.method_to_api_mapping[operation]}"
        with self._lock:
            self.made[asking.get()].add(name)


def _place(service: str, region: str) -> str:
    return GLOBAL_REGION if service in _GLOBAL else region


def _key(asked: Mapping[str, Any]) -> str:
    return repr(sorted(asked.items()))
