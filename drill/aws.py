"""Clients of AWS: one place for endpoint, region, time-outs and retries.

Reads are retried by botocore's standard mode. A write whose answer is lost is *unknown*:
whoever makes it decides, so a fault's calls must be safe to repeat.
"""

import copy
import http
import ipaddress
import threading
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError
from botocore.loaders import Loader, create_loader
from botocore.model import OperationModel

from drill import redaction
from drill.errors import DrillError
from drill.role import Role
from drill.target import Target

# Services without regions of their own; their control plane is in us-east-1,
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/disaster-recovery-resiliency.html
GLOBAL_REGION = "us-east-1"

# What the names of calls that change nothing begin with.
_READS = (
    "BatchGet",
    "Describe",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Simulate",
)

# The protocols of which botocore can't take an error that is no XML.
_XML = frozenset({"ec2", "query", "rest-xml"})


def _unfenced() -> None:
    """Let every call pass."""


class Aws:
    """Makes and keeps boto3 clients for one target; safe from any thread."""

    def __init__(
        self, endpoint_url: str | None, timeout_s: float, attempts: int = 4, role: Role | None = None
    ) -> None:
        """Remember where AWS answers; nothing is called.

        Args:
            endpoint_url: Where the API answers; None for AWS itself.
            timeout_s: When connecting, and then an answer, is given up.
            attempts: How often botocore tries a call that failed in a way that may pass.
            role: What is assumed before the first call, and again before it runs out; None for
                the operator's own credentials.

        """
        self._endpoint_url = endpoint_url
        self._config = Config(
            connect_timeout=timeout_s,
            read_timeout=timeout_s,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra="drill",
        )
        self._session = boto3.Session(botocore_session=_session(), **_credentials(endpoint_url))
        if role is not None:
            self._session = _assumed(self._session, role, endpoint_url, self._config)
        self._begin(_unfenced)

    def _begin(self, check: Callable[[], None]) -> None:
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._check = check

    def fenced(self, check: Callable[[], None]) -> "Aws":
        """Return the same with ``check`` called right before each request that may change something.

        It is called for every attempt, after all that can be done beforehand, so that a process
        that was paused meanwhile is held up. What it raises is raised by the call.
        """
        other = copy.copy(self)
        other._begin(check)  # noqa: SLF001 (it is of this class)
        return other

    @classmethod
    def of(cls, target: Target, attempts: int = 4, *, as_operator: bool = False) -> "Aws":
        """Return the clients of a target: in its drills' role, or as the operator.

        Calls under a role that may not be assumed raise a :class:`DrillError` that says so.
        """
        role = None if as_operator else Role.of(target)
        return cls(target.endpoint_url, target.timing.api_timeout_s, attempts, role)

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 (boto3 clients have no static type)
        """Return a client of ``service`` in ``region`` (``global`` for services without regions)."""
        name = GLOBAL_REGION if region == "global" else region
        with self._lock:
            if (service, name) not in self._clients:
                made = self._session.client(
                    service, region_name=name, endpoint_url=self._endpoint_url, config=self._config
                )
                made.meta.events.register("before-send", self._before_sending)
                _hush(made, self._session)
                self._clients[service, name] = made
            return self._clients[service, name]

    def _before_sending(self, event_name: str, **_: object) -> None:
        """Check the fence; called by botocore as ``before-send.SERVICE.ACTION``.

        https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html
        """
        if not reads(event_name.rpartition(".")[2]):
            self._check()


def reads(action: str) -> bool:
    """Say whether a call changes nothing, by its name."""
    return action.startswith(_READS)


def _hush(client: Any, session: boto3.Session) -> None:  # noqa: ANN401 (boto3 clients have no static type)
    """Take secrets out of the texts of a client's errors before anybody sees them.

    A service may quote the request, a library the URL or an answer that it can't parse. Called by
    botocore as ``after-call.SERVICE.ACTION``, ``needs-retry…`` and ``before-parse…``.
    """

    def told(text: str) -> str:
        used = session.get_credentials()
        if used is not None:
            redaction.learn((used.secret_key, used.token))
        return redaction.redacted(text)

    def after_answer(parsed: object, **_: object) -> None:
        error = parsed.get("Error") if isinstance(parsed, dict) else None
        if isinstance(error, dict) and "Message" in error:
            error["Message"] = told(str(error["Message"]))

    def after_failure(caught_exception: BaseException | None, **_: object) -> None:
        if caught_exception is not None:
            caught_exception.args = (told(str(caught_exception)),)

    client.meta.events.register("after-call", after_answer)
    client.meta.events.register("needs-retry", after_failure)
    client.meta.events.register("before-parse", _before_parsing)


def _before_parsing(operation_model: OperationModel, response_dict: dict[str, Any], **_: object) -> None:
    """Take an error that is no XML where XML is due, such as a proxy's page, for one without a text.

    botocore would raise an exception that is none of its own kinds, and that quotes all of it.
    """
    body, failed = response_dict.get("body"), response_dict["status_code"] >= http.HTTPStatus.MULTIPLE_CHOICES
    if failed and body and operation_model.service_model.resolved_protocol in _XML:
        try:
            ET.fromstring(body)  # noqa: S314 (it is AWS's; botocore parses it the same way)
        except ET.ParseError:
            response_dict.update(status_code=http.HTTPStatus.BAD_GATEWAY, body=b"")


@cache
def _loader(data_path: str | None) -> Loader:
    """Return the one reader of botocore's descriptions of services, which keeps what it has read.

    Each session would read them anew: EC2's alone takes longer than most calls to it.
    """
    return create_loader(data_path)


def _session() -> botocore.session.Session:
    """Return a session of the environment and its profile.

    Raises:
        ProfileNotFound: There is no such profile.

    """
    made = botocore.session.get_session()
    made.register_component("data_loader", _loader(made.get_config_variable("data_path")))
    return made


def _credentials(endpoint_url: str | None) -> dict[str, str]:
    """Return placeholders for an endpoint on loopback: no real key is ever used to sign for it."""
    host = urlsplit(endpoint_url).hostname if endpoint_url else None
    try:
        loopback = host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        return {}
    return {"aws_access_key_id": "loopback", "aws_secret_access_key": "loopback"}


def _assumed(source: boto3.Session, role: Role, endpoint_url: str | None, config: Config) -> boto3.Session:
    """Return a session in a role; its credentials are taken at the first call and renewed in time.

    The answer is AWS STS's in the role's own region: the global one is in a region that may be out.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """

    def taken() -> dict[str, str]:
        sts = source.client("sts", region_name=role.region, endpoint_url=endpoint_url, config=config)
        _hush(sts, source)
        try:
            given = sts.assume_role(RoleArn=role.arn, RoleSessionName=role.session)["Credentials"]
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "AccessDenied":
                raise
            msg = (
                f"role {role.arn} may not be assumed ({problem.response['Error']['Message']}); have its "
                "owner trust you, or take drills.role_arn out of the target file"
            )
            raise DrillError(msg) from problem
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    inner = _session()
    inner._credentials = DeferredRefreshableCredentials(taken, "assume-role")  # noqa: SLF001 (no public way)
    return boto3.Session(botocore_session=inner)
