"""The Lambda handler, ``infra.app.handler.handle``; its clients are made when it is imported."""

import os
from collections.abc import Mapping
from typing import Any

from infra.app.application import Application
from infra.app.settings import settings_from

_APPLICATION = Application(settings_from(os.environ))


def handle(event: Mapping[str, Any], context: object) -> Mapping[str, object]:  # noqa: ARG001 - Lambda's signature
    """Answer one event of a load balancer."""
    return _APPLICATION.handle(event)
