"""How each service says that a request is denied: its error code, words and wire form.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

# What is called otherwise than "AccessDenied" in services that answer in XML.
_XML_CODES = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}
# These answer in JSON and keep the codes that they had when they answered in XML.
_PLAIN_JSON = frozenset({"cloudwatch"})
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def denied(service: str, protocol: str, text: str) -> Answer:
    """Return a service's answer to who may not do something."""
    if protocol in {"ec2", "query", "rest-xml"}:
        code = _XML_CODES.get(service, "AccessDenied")
        if service == "ec2":
            text = f"You are not authorized to perform this operation. {text}"
        return refused(service, protocol, code, text)
    code = "AccessDenied" if service in _PLAIN_JSON else "AccessDeniedException"
    return refused(service, protocol, code, text)


def refused(service: str, protocol: str, code: str, text: str) -> Answer:
    """Return a service's answer with an error code, as the protocol writes it."""
    if protocol in {"ec2", "query", "rest-xml"}:
        return _xml(service, protocol, code, text)
    body = json.dumps({"__type": code, "message": text, "Message": text}).encode()
    status = "403 Forbidden" if protocol == "rest-json" else "400 Bad Request"
    return Answer(status, _headers("application/json", body, code), body)


def _xml(service: str, protocol: str, code: str, text: str) -> Answer:
    said = f"<Code>{escape(code)}</Code><Message>{escape(text)}</Message>"
    if protocol == "ec2":
        whole = (
            f"<Response><Errors><Error>{said}</Error></Errors><RequestID>{_REQUEST_ID}</RequestID></Response>"
        )
    elif service == "s3":
        whole = f"<Error>{said}</Error>"
    else:
        whole = (
            f"<ErrorResponse><Error><Type>Sender</Type>{said}</Error>"
            f"<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
        )
    body = whole.encode()
    return Answer("403 Forbidden", _headers("text/xml", body, code), body)


def _headers(kind: str, body: bytes, code: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("x-amzn-ErrorType", code),
        ("x-amzn-RequestId", _REQUEST_ID),
    )
