"""What a load balancer makes of a request and of a function's answer.

The forms are those of
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html:
names of headers in lower case, queries as they came (not decoded), bodies that are no text in
base64.
"""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import h11

from infra.lab.world import Invocation, Listener, LoadBalancer

_TEXT = ("text/", "application/json", "application/javascript", "application/xml")
# A proxy decides these for itself.
_HOP_BY_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; names of headers are in lower case, the last of several wins."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, head: h11.Request, body: bytes) -> "Request":
        """Take over what h11 parsed."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        return cls(head.method.decode("ascii"), head.target.decode("ascii", "replace"), headers, body)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response, its length not among the headers.

    Attributes:
        by_target: Whether the function made it; the load balancer itself otherwise.

    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    by_target: bool = False


def event_from(request: Request, balancer: LoadBalancer, listener: Listener, peer: str) -> bytes:
    """Return the event that a function gets for a request."""
    path, _, query = request.target.partition("?")
    is_text = "content-encoding" not in request.headers and (
        not request.body or request.headers.get("content-type", "").lower().startswith(_TEXT)
    )
    event = {
        "requestContext": {"elb": {"targetGroupArn": _target_group(balancer, listener)}},
        "httpMethod": request.method,
        "path": path,
        "queryStringParameters": dict(pair.partition("=")[::2] for pair in query.split("&") if pair),
        "headers": dict(request.headers)
        | {
            "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}",
            "x-forwarded-for": ", ".join(filter(None, (request.headers.get("x-forwarded-for"), peer))),
            "x-forwarded-port": str(listener.port),
            "x-forwarded-proto": "http",
        },
        "body": request.body.decode("utf-8", "replace")
        if is_text
        else base64.b64encode(request.body).decode("ascii"),
        "isBase64Encoded": not is_text,
    }
    return json.dumps(event).encode()


def answer_from(invocation: Invocation) -> Answer:
    """Return what the client gets: 502 when the function failed or was throttled.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues
    """
    if invocation.error or invocation.status >= HTTPStatus.BAD_REQUEST:
        return plain(HTTPStatus.BAD_GATEWAY)
    try:
        return _translated(json.loads(invocation.payload))
    except (ValueError, TypeError, KeyError, AttributeError, h11.LocalProtocolError):
        # Not what a load balancer understands, whatever it is.
        return plain(HTTPStatus.BAD_GATEWAY)


def plain(status: int) -> Answer:
    """Return a page of the load balancer's own, such as ``502 Bad Gateway``."""
    try:
        text = f"{int(status)} {HTTPStatus(status).phrase}"
    except ValueError:
        text = str(status)
    page = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>\r\n"
    return Answer(int(status), (("server", "awselb/2.0"), ("content-type", "text/html")), page.encode())


def _translated(document: Mapping[str, object]) -> Answer:
    status = document["statusCode"]
    if isinstance(status, bool) or not isinstance(status, int | str) or not 200 <= int(status) <= 599:
        raise ValueError(status)
    headers = document.get("headers") or {}
    body = document.get("body") or ""
    if not isinstance(headers, Mapping) or not isinstance(body, str):
        raise TypeError(headers)
    kept = tuple((str(name).lower(), str(value)) for name, value in headers.items())
    # A value that HTTP cannot carry is the function's fault as well.
    h11.Response(status_code=int(status), headers=list(kept))
    content = _decoded(body) if document.get("isBase64Encoded") is True else body.encode()
    passed = tuple(pair for pair in kept if pair[0] not in _HOP_BY_HOP)
    return Answer(int(status), passed, content, by_target=True)


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as problem:
        raise ValueError(body) from problem


def _target_group(balancer: LoadBalancer, listener: Listener) -> str:
    region, account = balancer.arn.split(":")[3:5]
    group = f"targetgroup/{listener.function}/{balancer.arn[-16:]}"
    return f"arn:aws:elasticloadbalancing:{region}:{account}:{group}"
