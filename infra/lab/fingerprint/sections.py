"""What a section of the fingerprint is: one kind of thing, how it is listed and how one is read whole."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

Client: TypeAlias = Any
Clients: TypeAlias = Callable[[str, str], Client]
Description: TypeAlias = dict[str, Any]

_ABSENT = ("NoSuch", "NotFound", "ResourceNotFoundException")


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of thing: the call that lists it, and what names one.

    Attributes:
        name: Its key in the configuration.
        service: boto3's name of the service.
        operation: The call, as boto3's method.
        key: Where the list is in the answer.
        identity: The field that names one.
        whole: Makes the whole description of one that was listed; None for what drops out.
        params: What the call needs.
        account: Whether its calls need the account's number, as ``AccountId``.

    """

    name: str
    service: str
    operation: str
    key: str
    identity: str
    whole: Callable[[Client, Any], Description | None] = lambda _, one: one
    params: Mapping[str, Any] | None = None
    account: bool = False


def read(section: Section, clients: Clients, region: str) -> dict[str, Description]:
    """Return everything of a section in a region, by what names one."""
    client, params = clients(section.service, region), dict(section.params or {})
    found = listed(client, section.operation, section.key, **params)
    if section.account:
        account = {"AccountId": clients("sts", region).get_caller_identity()["Account"]}
        found = [{**one, **account} for one in listed(client, section.operation, section.key, **account)]
    wholes = [section.whole(client, one) for one in found]
    return {str(one[section.identity]): one for one in wholes if one is not None}


def listed(client: Client, operation: str, key: str, **params: Any) -> Iterable[Any]:  # noqa: ANN401
    """Yield what a List or Describe call gives, over all its pages."""
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**params):
            yield from page.get(key, ())
        return
    more: dict[str, Any] = {}
    while True:
        page = getattr(client, operation)(**params, **more)
        yield from page.get(key, ())
        tokens = {name: page[name] for name in ("nextToken", "NextToken") if page.get(name)}
        if not tokens:
            return
        more = tokens


def optional(call: Callable[..., Description], **params: Any) -> Description:  # noqa: ANN401
    """Return what a Get call says of a part that need not be there; empty if it is not.

    Raises:
        ClientError: Anything else is wrong.

    """
    try:
        answer = call(**params)
    except ClientError as problem:
        if any(word in problem.response["Error"]["Code"] for word in _ABSENT):
            return {}
        raise
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
