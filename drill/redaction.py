"""Keeps what is secret out of everything that is written or said.

A text of AWS's, or of a library's, may quote a request with its signature, a URL with a password in
it, or a credential. Each passes through here before it reaches a journal, a record, a log or a person.
"""

import os
import re
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

MARK = "[redacted]"
# What is shorter may be an ordinary word, and is no secret.
_SHORTEST = 9
# https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")

# Ids of access keys, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html;
# what a request is signed with, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html;
# and what stands before the @ in a URL.
_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE if "(?#any case)" in pattern else 0), replaced)
    for pattern, replaced in (
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}", MARK),
        (
            r"(?#any case)(X-Amz-(?:Security-Token|Signature|Credential)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',]+",
            rf"\1{MARK}",
        ),
        (r"(?#any case)(Authorization[\"']?\s*[=:]\s*)[^\r\n]+", rf"\1{MARK}"),
        (r"AWS4-HMAC-SHA256 [^\r\n]*?Signature=[0-9a-fA-F]+", MARK),
        (r"(\bSignature=)[0-9a-fA-F%]{16,}", rf"\1{MARK}"),
        (r"(://)[^\s/@\"']+@", rf"\1{MARK}@"),
    )
)

_known: set[str] = set()


def learn(secrets: Iterable[str | None]) -> None:
    """Remember values that must never be written; empty and very short ones are not kept."""
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST:
            _known.update((secret, quote(secret, safe="")))


def redacted(text: str) -> str:
    """Return a text without the secrets that are known or that look like one."""
    learn(os.environ.get(name) for name in _VARIABLES)
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MARK)
    for pattern, replaced in _PATTERNS:
        text = pattern.sub(replaced, text)
    return text


def processed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact the texts of a log's line; a processor, https://www.structlog.org/en/stable/processors.html."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = redacted(value)
    return event
