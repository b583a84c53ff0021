"""The rotation function's handler, ``infra.app.rotation.handle``: one step of one secret's rotation.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

import os
from collections.abc import Mapping
from typing import Any

from infra.app.login_rotation import rotate
from infra.app.settings import rotation_settings_from

_SETTINGS = rotation_settings_from(os.environ)


def handle(event: Mapping[str, Any], context: object) -> None:  # noqa: ARG001 - Lambda's signature
    """Do the step that Secrets Manager asks for; whatever is raised fails the rotation."""
    rotate(_SETTINGS, event)
