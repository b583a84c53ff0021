"""Tells people: by SNS, by a Slack-compatible webhook, by mail. Tried again, and never in a drill's way.

Addresses and passwords that are secrets come from environment variables and are written nowhere.
"""

import json
import os
import smtplib
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage

import structlog
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from drill import redaction
from drill.aws import Aws
from drill.gameday.form import Channel

_LOG = structlog.get_logger()
_TIMEOUT_S = 10.0


def tell(channel: Channel, aws: Aws, subject: str, text: str, attempts: int = 4) -> str:
    """Tell one channel, and again if that fails; return why it could not be told, or nothing."""
    once = _way(channel, aws, subject, text)
    tries = Retrying(
        # Whatever an address or an answer does to the libraries that telling goes through, it is about this
        # channel only: let out, it would end the day, and nobody would get its report.
        retry=retry_if_exception_type(Exception),
        stop=stop_after_attempt(attempts),
        wait=wait_exponential(0.2, max=5),
    )
    try:
        tries(once)
    except RetryError as problem:
        said = redaction.redacted(str(problem.last_attempt.exception()))
        _LOG.warning("nobody was told", channel=named(channel), error=said)
        return f"{named(channel)}: {said}"
    return ""


def named(channel: Channel) -> str:
    """Return what a channel is called, without any secret."""
    if channel.sns:
        return f"SNS topic {channel.sns.rpartition(':')[2]}"
    return f"the webhook in {channel.webhook_env}" if channel.webhook_env else ", ".join(channel.email)


def _way(channel: Channel, aws: Aws, subject: str, text: str) -> Callable[[], None]:
    if channel.sns:
        return lambda: _publish(channel, aws, subject, text)
    if channel.webhook_env:
        return lambda: _post(channel, subject, text)
    return lambda: _mail(channel, subject, text)


def _publish(channel: Channel, aws: Aws, subject: str, text: str) -> None:
    arn = str(channel.sns)
    # Subjects are of at most 100 characters, https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    aws.client("sns", arn.split(":")[3]).publish(TopicArn=arn, Subject=subject[:100], Message=text)


def _post(channel: Channel, subject: str, text: str) -> None:
    """Post as Slack's incoming webhooks take it, https://api.slack.com/messaging/webhooks."""
    url = os.environ.get(str(channel.webhook_env), "")
    if not url.lower().startswith(("http://", "https://")):
        msg = f"the environment variable {channel.webhook_env} holds no http(s) address"
        raise ValueError(msg)
    body = json.dumps({"text": f"*{subject}*\n{text}"}).encode()
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 (checked above)
    try:
        with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (checked above)
            answer.read()
    except Exception as problem:  # noqa: BLE001 (raised again, in words that are known)
        # The address is a secret, and the text of an error may quote it: only what is known not to is told.
        said = getattr(problem, "code", "") or getattr(problem, "reason", "") or type(problem).__name__
        msg = f"the webhook did not take it: {said}"
        raise OSError(msg) from None


def _mail(channel: Channel, subject: str, text: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, channel.sender, ", ".join(channel.email)
    message.set_content(text)
    host, _, port = channel.smtp.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=_TIMEOUT_S) as server:
        if channel.smtp_user:
            server.starttls()
            server.login(channel.smtp_user, os.environ.get(channel.smtp_password_env, ""))
        server.send_message(message)
