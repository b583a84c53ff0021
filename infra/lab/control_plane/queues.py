"""SQS's queues as AWS has them: a change of one attribute leaves the others, the policy too.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from typing import Any

from moto.sqs.models import Queue

from infra.lab.control_plane.mending import Function, replace

_ALLOWED_SOURCES = "RedriveAllowPolicy"


def install() -> None:
    """Mend moto's queues."""
    replace(Queue, "_set_attributes", _set_attributes)
    if _ALLOWED_SOURCES not in Queue.BASE_ATTRIBUTES:
        Queue.BASE_ATTRIBUTES.append(_ALLOWED_SOURCES)
        Queue.redrive_allow_policy = None


def _set_attributes(original: Function) -> Function:
    def change(queue: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        given = {name: None if value == "" else value for name, value in attributes.items()}
        if "Policy" not in given:
            given["Policy"] = queue.policy
        if attributes.get("RedrivePolicy") == "":
            given["RedrivePolicy"] = ""
        # Of the two ways to encrypt, the one that was named last is the queue's.
        if given.get("KmsMasterKeyId"):
            given["SqsManagedSseEnabled"] = False
        elif str(given.get("SqsManagedSseEnabled", "")).lower() == "true":
            given["KmsMasterKeyId"] = None
        original(queue, given, now)

    return change
