"""Errors as AWS's services answer them, each in its own protocol."""

import json
from dataclasses import dataclass

_REQUEST_ID = "00000000-0000-0000-0000-000000000000"
_EC2 = "ec2"
_REST_JSON = frozenset({"backup", "fis", "lambda", "scheduler"})
_JSON = frozenset({"dynamodb", "kms", "logs", "monitoring", "secretsmanager", "sqs"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer.

    Attributes:
        status: Its status.
        headers: Its headers, without the length.
        body: Its body.

    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def throttled(service: str, target: str, quoted: str = "") -> Answer:
    """Return the answer of a service that is asked too often.

    Args:
        service: As in the scope of a signature: ``ec2``, ``route53``, ...
        target: The header ``X-Amz-Target``; empty where the protocol has none.
        quoted: What the text quotes of the request.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html
    https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html

    """
    if service == _EC2:
        return _answer(service, target, (503, "RequestLimitExceeded", f"Request limit exceeded. {quoted}"))
    if service in _REST_JSON:
        return _answer(service, target, (429, "ThrottlingException", f"Rate exceeded {quoted}"))
    if service in _JSON or target:
        return _answer(service, target, (400, "ThrottlingException", f"Rate exceeded {quoted}"))
    return _answer(service, target, (400, "Throttling", f"Rate exceeded {quoted}"))


def failed(service: str, target: str, quoted: str = "") -> Answer:
    """Return the answer of a service that is broken inside; arguments as in :func:`throttled`."""
    code = "InternalServerError" if service in _REST_JSON | _JSON else "InternalError"
    return _answer(service, target, (500, code, f"An internal error has occurred {quoted}"))


def _answer(service: str, target: str, error: tuple[int, str, str]) -> Answer:
    status, code, message = error
    message = message.strip()
    if service in _REST_JSON | _JSON or target:
        kind = ("Content-Type", "application/x-amz-json-1.0" if target else "application/json")
        body = json.dumps({"__type": code, "message": message}).encode()
        return Answer(status, (kind, ("x-amzn-ErrorType", code), ("x-amzn-RequestId", _REQUEST_ID)), body)
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    if service == _EC2:
        text = f"<Response><Errors>{inner}</Errors><RequestID>{_REQUEST_ID}</RequestID></Response>"
    else:
        text = f"<ErrorResponse>{inner}<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
    return Answer(status, (("Content-Type", "text/xml"),), text.encode())
