"""From a request to the call that it makes: service, operation and parameters, by AWS's own models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from botocore.exceptions import UnknownServiceError
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

# The service in a signature, where its model is not called by that name.
_MODELS = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "email": "ses",
    "tagging": "resourcegroupstaggingapi",
}
# The service in a permission, where that is not the one in the signature. See
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}
# The permission of an operation, where it is not called as the operation is.
_ACTIONS = {
    "budgets:DescribeBudgets": "budgets:ViewBudget",
    "budgets:DescribeNotificationsForBudget": "budgets:ViewBudget",
    "lambda:Invoke": "lambda:InvokeFunction",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the AWS API.

    Attributes:
        service: As permissions name it.
        operation: As the service's model names it.
        region: Where it is sent.
        parameters: What it is called with, by the model's names.
        protocol: How it and its answer are written.

    """

    service: str
    operation: str
    region: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    protocol: str = "json"

    @property
    def action(self) -> str:
        """The permission that is named after it."""
        return action_of(self.service, self.operation)


def action_of(service: str, operation: str) -> str:
    """Return the permission that is named after an operation; the service may be a signature's."""
    action = f"{_PREFIXES.get(service, service)}:{operation}"
    return _ACTIONS.get(action, action)


def read(environ: Mapping[str, Any], service: str, region: str) -> Call | None:
    """Read a request's call; None if the service's model has none such.

    Args:
        environ: The request; its body is left to be read again.
        service: As its signature names it.
        region: As its signature names it.

    """
    request = _copy(environ)
    name = _MODELS.get(service, service)
    try:
        model = get_service_model(name)
        operation, in_path = get_service_router(name).match(request)
        protocol = determine_request_protocol(model, request.content_type)
        parsed = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.get_data(),
                "url_path": request.path,
                "url_params": in_path,
            }
        )
    except (UnknownServiceError, HTTPException, NotImplementedError, RequestParserError):
        return None
    return Call(_PREFIXES.get(service, service), operation.name, region, parsed or {}, protocol)


def _copy(environ: Mapping[str, Any]) -> Request:
    stream = environ["wsgi.input"]
    body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    stream.seek(0)
    return Request({**environ, "wsgi.input": BytesIO(body)})
