"""Rotation of secrets: Secrets Manager really runs the rotation function's four steps, in a thread.

A rotation that fails leaves its version AWSPENDING and the old one AWSCURRENT, and is tried
again with the same version later, when :func:`due` says so.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
"""

import json
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.secretsmanager.exceptions import InvalidParameterException, InvalidRequestException
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend, secretsmanager_backends

from infra.lab import world
from infra.lab.control_plane import managed_rotations, rotation_rules
from infra.lab.control_plane.mending import ACCOUNT, Function, replace
from infra.lab.control_plane.rotation_permission import require_invocable
from infra.lab.control_plane.secret_stages import CURRENT, PENDING, STAGES, holder
from infra.lab.control_plane.secret_versions import attach, touched, writable
from infra.lab.control_plane.wiring import WIRING
from infra.lab.virtual_time import VirtualClock

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_TEST_ONLY = ("testSecret",)
# "Secrets Manager retries the entire rotation process multiple times": when is not documented.
# Minutes of the lab's clock after each failure; then the schedule's next date.
_RETRIES_S = (60, 120, 240, 480, 960)


@dataclass(slots=True)
class Rotation:
    """A rotation that is not finished.

    Attributes:
        token: Id of the version that it makes.
        running: Some step runs now; otherwise it failed and waits.
        cancelled: CancelRotateSecret was called: no further step begins.
        failures: How often it failed.
        failed_at: When it last failed, Unix time.

    """

    token: str
    running: bool = True
    cancelled: bool = False
    failures: int = 0
    failed_at: float = 0.0


class _Failed(Exception):
    """A step did not do what it had to; the text holds nothing that a function said of a secret."""


@dataclass(slots=True)
class _Setting:
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(1.0))


_setting = _Setting()


def install(clock_scale: float) -> None:
    """Mend moto's rotation; forget the secrets of an earlier control plane."""
    _setting.clock = VirtualClock(clock_scale)
    managed_rotations.clear()
    replace(FakeSecret, "__init__", _init)
    replace(SecretsManagerBackend, "rotate_secret", lambda _: _rotate)
    replace(SecretsManagerBackend, "cancel_rotate_secret", lambda _: _cancel)


def shown(secret: FakeSecret) -> dict[str, Any]:
    """Return what DescribeSecret says of a secret's rotation; nothing if it never had any."""
    rules = _rules(secret)
    if not rules and not secret.rotation_requested:
        return {}
    found: dict[str, Any] = {
        "RotationEnabled": _enabled(secret),
        "RotationRules": rotation_rules.shown(rules),
        "LastRotatedDate": secret.last_rotation_date,
        "NextRotationDate": _next_at(secret) if _enabled(secret) else None,
    }
    if secret.rotation_lambda_arn:
        found["RotationLambdaARN"] = secret.rotation_lambda_arn
    return found


def due(regions: Sequence[str]) -> Iterator[world.SecretRotation]:
    """Yield every secret that is to be rotated, or whose failed rotation is to be tried again."""
    for region in regions:
        for secret in list(dict.values(secretsmanager_backends[ACCOUNT][region].secrets)):
            if not isinstance(secret, FakeSecret) or secret.is_deleted():
                continue
            due_at = _due_at(secret)
            if due_at is not None:
                yield world.SecretRotation(arn=secret.arn, region=region, due_at=due_at)


def rotate_due(region: str, arn: str) -> None:
    """Rotate a secret that is due, to the end; one that is gone or under way is left alone."""
    secret = secretsmanager_backends[ACCOUNT][region].secrets.get(arn)
    if not isinstance(secret, FakeSecret):
        return
    with STAGES:
        if _due_at(secret) is None:
            return
        if secret.rotation is None:
            _begin(secret, str(uuid.uuid4()))
        secret.rotation.running = True
    _attempt(secret, secret.rotation, STEPS)


def _init(original: Function) -> Function:
    def init(secret: FakeSecret, *args: Any, **kwargs: Any) -> None:
        secret.value_changed_at = time.time()
        secret.rotation, secret.rotation_rules = None, {}
        original(secret, *args, **kwargs)

    return init


def _rules(secret: FakeSecret) -> dict[str, Any]:
    managed = managed_rotations.of(secret.arn) is not None
    default = {rotation_rules.DAYS: managed_rotations.EVERY_DAYS} if managed else {}
    return dict(secret.rotation_rules or default)


def _enabled(secret: FakeSecret) -> bool:
    return bool(secret.rotation_enabled) or managed_rotations.of(secret.arn) is not None


def _next_at(secret: FakeSecret) -> float | None:
    return rotation_rules.next_at(_rules(secret), secret.value_changed_at, _setting.clock)


def _due_at(secret: FakeSecret) -> float | None:
    under_way = secret.rotation
    if under_way is None:
        return _next_at(secret) if _enabled(secret) else None
    if under_way.running or under_way.cancelled:
        return None
    if under_way.failures <= len(_RETRIES_S):
        return float(under_way.failed_at + _RETRIES_S[under_way.failures - 1] * _setting.clock.scale)
    return rotation_rules.next_at(_rules(secret), under_way.failed_at, _setting.clock)


def _rotate(
    backend: SecretsManagerBackend,
    secret_id: str,
    rotate_immediately: bool = True,
    **given: Any,
) -> str:
    """Configure rotation and begin one, or only test it; replaces moto's ``rotate_secret``.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    """
    secret = writable(backend, secret_id)
    rules = rotation_rules.checked(given["rotation_rules"]) if given.get("rotation_rules") else {}
    arn = given.get("rotation_lambda_arn") or secret.rotation_lambda_arn
    _require_function(secret, arn)
    token = backend._from_client_request_token(given.get("client_request_token"))
    with STAGES:
        if holder(secret, PENDING) == token:  # the same call once more
            return _answer(secret, token)
        _require_none_under_way(secret)
        secret.rotation_lambda_arn, secret.rotation_requested = arn, True
        secret.rotation_rules = rules or secret.rotation_rules
        secret.rotation_enabled = bool(secret.rotation_rules)
        _begin(secret, token, tested=not rotate_immediately)
    steps = STEPS if rotate_immediately else _TEST_ONLY
    threading.Thread(
        target=_attempt, args=(secret, secret.rotation, steps), name=f"rotation of {secret.name}", daemon=True
    ).start()
    return _answer(secret, token)


def _answer(secret: FakeSecret, version_id: str | None) -> str:
    version = {"VersionId": version_id} if version_id else {}
    return json.dumps({"ARN": secret.arn, "Name": secret.name, **version})


def _require_function(secret: FakeSecret, function_arn: str) -> None:
    managed = managed_rotations.of(secret.arn) is not None
    if managed and function_arn:
        msg = "You can't specify a Lambda function for a secret that another service manages."
        raise InvalidParameterException(msg)
    if not managed and not function_arn:
        msg = "No Lambda rotation function ARN is associated with this secret."
        raise InvalidRequestException(msg)
    if not managed:
        require_invocable(function_arn, secret)


def _require_none_under_way(secret: FakeSecret) -> None:
    pending = holder(secret, PENDING)
    if secret.rotation is not None or pending not in {None, holder(secret, CURRENT)}:
        msg = "A previous rotation isn't complete. That rotation will be reattempted."
        raise InvalidRequestException(msg)


def _begin(secret: FakeSecret, token: str, *, tested: bool = False) -> None:
    """Add the version that a rotation makes: still empty, or for a test with the current value."""
    value = secret.versions.get(holder(secret, CURRENT), {}) if tested else {}
    secret.versions[token] = {
        **value,
        "version_id": token,
        "createdate": int(time.time()),
        "version_stages": [],
    }
    attach(secret, token, [PENDING])
    secret.rotation = Rotation(token)


def _attempt(secret: FakeSecret, rotation: Rotation, steps: Sequence[str]) -> None:
    """Run the steps once, and note how it went."""
    problem = ""
    try:
        _run(secret, rotation, steps)
    except _Failed as failure:
        problem = str(failure)
    if problem and not rotation.cancelled:
        print(f"rotation of {secret.arn} failed: {problem}", file=sys.stderr, flush=True)  # noqa: T201 (the daemon's log)
    with STAGES:
        rotation.running = False
        if rotation.cancelled:
            return
        if steps == _TEST_ONLY:
            del secret.versions[rotation.token]
        elif problem:
            rotation.failures, rotation.failed_at = rotation.failures + 1, time.time()
        else:
            secret.last_rotation_date = int(time.time())
        if steps == _TEST_ONLY or not problem:
            secret.rotation = None
    touched(secret)
    WIRING.changed()


def _run(secret: FakeSecret, rotation: Rotation, steps: Sequence[str]) -> None:
    managed = managed_rotations.of(secret.arn)
    if managed is not None:
        _ask_the_service(managed, rotation.token)
    else:
        for step in steps:
            if rotation.cancelled:
                return
            _invoke(secret, step, rotation.token)
    pending = holder(secret, PENDING)
    if steps == STEPS and pending not in {None, holder(secret, CURRENT)}:
        msg = f"all steps ended well, but {PENDING} is still on another version than {CURRENT}"
        raise _Failed(msg)


def _ask_the_service(rotate: managed_rotations.Rotate, token: str) -> None:
    try:
        rotate(token)
    except Exception as problem:
        msg = f"the service that keeps it could not: {problem!r}"
        raise _Failed(msg) from problem


def _invoke(secret: FakeSecret, step: str, token: str) -> None:
    event = {
        "Step": step,
        "SecretId": secret.arn,
        "ClientRequestToken": token,
        "RotationToken": str(uuid.uuid4()),
    }
    if WIRING.invoker is None:
        msg = f"no functions run in this lab yet, so not {step} either"
        raise _Failed(msg)
    name, _, qualifier = secret.rotation_lambda_arn.split(":function:")[1].partition(":")
    answer = WIRING.invoker.invoke(secret.region, name, qualifier or "$LATEST", json.dumps(event).encode())
    if answer.error or answer.status >= 400:
        # Not what it said: that may quote the secret. Its log has it.
        msg = f"{step} ended with {answer.error or answer.status}; see the log of the function {name}"
        raise _Failed(msg)


def _cancel(backend: SecretsManagerBackend, secret_id: str) -> str:
    """Turn rotation off, and let no further step of one begin; its version stays AWSPENDING.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
    """
    secret = writable(backend, secret_id)
    if not secret.rotation_requested:
        msg = "You tried to cancel the rotation of a secret that has no rotation configured."
        raise InvalidRequestException(msg)
    with STAGES:
        secret.rotation_enabled = False
        under_way, secret.rotation = secret.rotation, None
        if under_way is not None:
            under_way.cancelled = True
    touched(secret)
    return _answer(secret, None if under_way is None else under_way.token)
