"""The four steps that rotate a database login; each may be repeated.

The application's logins take turns (alternating users): the login in use keeps its password
until its own turn comes, so that nobody who uses it is locked out. The master user has no
clone: its own password is changed.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets_strategies.html
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import pg8000.native

from infra.app import logins
from infra.app.connection import FAILURES, WRONG_PASSWORD, Place, code_of, connect
from infra.app.secret import Credentials
from infra.app.settings import RotationSettings
from infra.app.staged_secret import CURRENT, PENDING, PREVIOUS, StagedSecret, credentials

_NAME = "rotation"


class CannotRotate(Exception):
    """A step can't be done; the text holds no secret."""


def rotate(settings: RotationSettings, event: Mapping[str, Any]) -> None:
    """Do one step of the rotation of the secret that an event of Secrets Manager names.

    Raises:
        CannotRotate: There is no such step or version, or a login is refused.

    """
    secret = StagedSecret(event["SecretId"], settings.api_timeout_s)
    admin = StagedSecret(settings.admin_secret, settings.api_timeout_s)
    try:
        LoginRotation(secret, admin, settings.place).run(event["Step"], event["ClientRequestToken"])
    finally:
        secret.close()
        admin.close()


class LoginRotation:
    """Rotates one secret."""

    def __init__(self, secret: StagedSecret, admin: StagedSecret, place: Place) -> None:
        """Take the secret to rotate, that of the master user, and where the database is."""
        self._secret = secret
        self._admin = admin
        self._place = place
        self._single = secret.arn == admin.arn

    def run(self, step: str, token: str) -> None:
        """Do one step for the version that a rotation makes.

        Raises:
            CannotRotate: There is no such step or version, or a login is refused.

        """
        steps = {
            "createSecret": self._create,
            "setSecret": self._set,
            "testSecret": self._test,
            "finishSecret": self._secret.make_current,
        }
        if step not in steps:
            msg = f"there is no step {step!r}; it is one of {', '.join(steps)}"
            raise CannotRotate(msg)
        stages = self._secret.stages(token)
        if CURRENT in stages:
            print(f"{step}: version {token} is current already")
            return
        if PENDING not in stages:
            msg = f"version {token} is not at the stage {PENDING}"
            raise CannotRotate(msg)
        steps[step](token)
        print(f"{step}: version {token} done")

    def _create(self, token: str) -> None:
        if self._secret.document(PENDING, token) is not None:
            return
        current = self._document(CURRENT)
        user = current["username"] if self._single else logins.other_user(current["username"])
        self._secret.put_pending(
            token, {**current, "username": user, "password": self._secret.new_password()}
        )

    def _set(self, token: str) -> None:
        pending = credentials(self._document(PENDING, token))
        if self._accepts(pending):
            return
        if self._single:
            with self._open_as_itself() as itself:
                logins.set_password(itself, pending)
            return
        current = credentials(self._document(CURRENT))
        with self._open(credentials(_given(self._admin, CURRENT))) as admin:
            # Before the first rotation not even the login that is said to be in use is there.
            if not logins.exists(admin, current.username):
                logins.make_login(admin, current)
            logins.make_login(admin, pending)

    def _test(self, token: str) -> None:
        with self._open(credentials(self._document(PENDING, token))) as connection:
            connection.run("SELECT 1")

    def _document(self, stage: str, token: str = "") -> Mapping[str, Any]:
        return _given(self._secret, stage, token)

    def _accepts(self, login: Credentials) -> bool:
        """Say whether a login works already: this step was done before, and its answer was lost."""
        try:
            with self._open(login):
                return True
        except CannotRotate:
            return False

    @contextlib.contextmanager
    def _open_as_itself(self) -> Iterator[pg8000.native.Connection]:
        """Open a connection of the user whose password is to be changed, with one that still works."""
        known = [self._secret.document(stage) for stage in (CURRENT, PREVIOUS)]
        usable = [credentials(one) for one in known if one and self._accepts(credentials(one))]
        if not usable:
            msg = f"neither the {CURRENT} nor the {PREVIOUS} password of the master user works"
            raise CannotRotate(msg)
        with self._open(usable[0]) as connection:
            yield connection

    @contextlib.contextmanager
    def _open(self, login: Credentials) -> Iterator[pg8000.native.Connection]:
        try:
            connection = connect(self._place, login, _NAME)
        except FAILURES as problem:
            if code_of(problem) not in WRONG_PASSWORD:
                raise
            msg = f"the database refuses the login {login.username}"
            raise CannotRotate(msg) from None
        try:
            yield connection
        finally:
            connection.close()


def _given(secret: StagedSecret, stage: str, token: str = "") -> Mapping[str, Any]:
    document = secret.document(stage, token)
    if document is None:
        msg = f"the secret {secret.arn} has no value at the stage {stage}"
        raise CannotRotate(msg)
    return document
