"""A topic's messages in the form in which they travel, signed.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html ; the certificate
is the lab's own and is served by it, so that a receiver can check the signature as on AWS:
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import functools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

PEM = "SimpleNotificationService-00000000000000000000000000000000.pem"
_SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


@dataclass(frozen=True, slots=True)
class Notification:
    """One message that was published.

    Attributes:
        attributes: Its message attributes, each with ``Type`` and ``Value``.
        structured: The message is JSON with a text for each protocol.
        group_id: Of a FIFO topic.
        deduplication_id: Of a FIFO topic.
        signature_version: ``1`` (SHA1) or ``2`` (SHA256), as the topic has it.

    """

    topic_arn: str
    message: str
    subject: str = ""
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    structured: bool = False
    group_id: str | None = None
    deduplication_id: str | None = None
    signature_version: str = "1"
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def envelope(note: Notification, text: str, endpoint_url: str, subscription_arn: str) -> dict[str, Any]:
    """Return the JSON document around a message's text for one subscription."""
    document: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": note.message_id,
        "TopicArn": note.topic_arn,
        **({"Subject": note.subject} if note.subject else {}),
        "Message": text,
        "Timestamp": stamp(note.at),
    }
    leave = urlencode({"Action": "Unsubscribe", "SubscriptionArn": subscription_arn})
    document |= _signature(document, note.signature_version, endpoint_url)
    document["UnsubscribeURL"] = f"{endpoint_url}/?{leave}"
    if note.attributes:
        document["MessageAttributes"] = dict(note.attributes)
    return document


def confirmation(topic_arn: str, token: str, endpoint_url: str) -> dict[str, Any]:
    """Return the message that asks an endpoint to confirm its subscription."""
    confirm = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic_arn, "Token": token})
    document: dict[str, Any] = {
        "Type": "SubscriptionConfirmation",
        "MessageId": str(uuid.uuid4()),
        "Token": token,
        "TopicArn": topic_arn,
        "Message": f"You have chosen to subscribe to the topic {topic_arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message.",
        "SubscribeURL": f"{endpoint_url}/?{confirm}",
        "Timestamp": stamp(datetime.now(UTC)),
    }
    return {**document, **_signature(document, "1", endpoint_url)}


def _signature(document: Mapping[str, Any], version: str, endpoint_url: str) -> dict[str, str]:
    text = "".join(f"{name}\n{document[name]}\n" for name in _SIGNED if name in document)
    key, _ = _identity()
    digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 (version 1 is SHA1)
    signature = key.sign(text.encode(), padding.PKCS1v15(), digest)
    return {
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": f"{endpoint_url}/{PEM}",
    }


def certificate() -> bytes:
    """Return the certificate of what the lab signs with, as PEM."""
    return _identity()[1]


@functools.cache
def _identity() -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return key, made.public_bytes(serialization.Encoding.PEM)


def stamp(at: datetime) -> str:
    """Return an instant as SNS writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
