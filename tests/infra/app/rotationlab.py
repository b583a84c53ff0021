"""The application's login, rotated over a real PostgreSQL and the lab's Secrets Manager."""

import contextlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pg8000.native
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from infra.app.login_rotation import rotate
from infra.app.settings import RotationSettings, rotation_settings_from
from infra.lab.world import Invocation
from tests.infra.app.shoplab import REGION, Backend, backend
from tests.infra.lab.functionlab import archive
from tests.infra.lab.planelab import Physics, control_plane, make_function
from tests.infra.lab.secretlab import PRINCIPAL, until

MASTER = "keeper"
_users = itertools.count()


class Rotator(Physics):
    """Runs the rotation function in this process, and keeps what it raised."""

    def __init__(self) -> None:
        """Run nothing yet."""
        super().__init__()
        self.settings: RotationSettings | None = None
        self.before: Callable[[str], object] = lambda _: None
        self.raised: list[str] = []
        self.steps: list[str] = []

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Do one step."""
        event = json.loads(payload)
        self.steps.append(event["Step"])
        assert self.settings is not None
        try:
            self.before(event["Step"])
            rotate(self.settings, event)
        except Exception as problem:  # noqa: BLE001 - as Lambda does: whatever it is, it is answered
            self.raised.append(f"{type(problem).__name__}: {problem}")
            return Invocation(b"{}", "Unhandled")
        return Invocation(b"null")


class Shop:
    """A login in a secret, the master user in another one, and a database that knows the latter alone."""

    def __init__(self, stores: Backend, plane: Any, rotator: Rotator) -> None:
        """Make the secrets; no role of the login exists yet."""
        self.stores, self.plane, self.rotator = stores, plane, rotator
        self.secrets = stores.secrets
        self.user = f"orders{next(_users)}"
        self.clone = f"{self.user}_clone"
        self.arn = self._secret(self.user, "never set")
        self.admin_arn = self._secret(MASTER, "first")
        self.function = f"arn:aws:lambda:{REGION}:123456789012:function:rotate"
        stores.secrets.delete_secret(SecretId=stores.secret_arn, ForceDeleteWithoutRecovery=True)
        stores.secret_arn = self.arn
        rotator.settings = rotation_settings_from(self.environment())
        rotator.raised, rotator.steps, rotator.before = [], [], lambda _: None

    def environment(self) -> dict[str, str]:
        """Return the function's environment variables."""
        return {
            "ADMIN_SECRET_ARN": self.admin_arn,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.stores.link.port),
            "DB_NAME": "shop",
            "DB_TIMEOUT_S": "5",
            "API_TIMEOUT_S": "10",
        }

    def _secret(self, user: str, password: str) -> str:
        text = json.dumps({"username": user, "password": password})
        arn: str = self.secrets.create_secret(Name=f"{user}-{next(_users)}", SecretString=text)["ARN"]
        return arn

    def begin(self, arn: str = "", **wanted: Any) -> str:
        """Ask for a rotation; returns the new version's id."""
        version: str = self.secrets.rotate_secret(
            SecretId=arn or self.arn,
            RotationLambdaARN=self.function,
            RotationRules={"AutomaticallyAfterDays": 30},
            **wanted,
        )["VersionId"]
        return version

    def rotate(self, arn: str = "") -> dict[str, str]:
        """Rotate to the end; returns what the secret then holds."""
        # The one before is under way until its last call has been answered.
        over = self.secrets.exceptions.InvalidRequestException
        for attempt in Retrying(
            retry=retry_if_exception_type(over),
            stop=stop_after_delay(20),
            wait=wait_fixed(0.05),
            reraise=True,
        ):
            with attempt:
                version = self.begin(arn)
        until(lambda: self.rotator.raised or self.is_current(version, arn), "the rotation")
        assert self.rotator.raised == []
        return self.held(arn)

    def is_current(self, version: str, arn: str = "") -> bool:
        """Say whether a version is the current one and no rotation is under way."""
        shown = self.secrets.describe_secret(SecretId=arn or self.arn)
        return "AWSCURRENT" in shown["VersionIdsToStages"].get(version, ()) and "LastRotatedDate" in shown

    def held(self, arn: str = "", stage: str = "AWSCURRENT") -> dict[str, str]:
        """Return what the secret holds at a stage."""
        text = self.secrets.get_secret_value(SecretId=arn or self.arn, VersionStage=stage)["SecretString"]
        document: dict[str, str] = json.loads(text)
        return document

    def held_pending(self) -> bool:
        """Say whether some version is pending."""
        shown = self.secrets.describe_secret(SecretId=self.arn)["VersionIdsToStages"].values()
        return any("AWSPENDING" in stages and "AWSCURRENT" not in stages for stages in shown)

    def run(self, statement: str, login: dict[str, str]) -> Any:
        """Run a statement as a login, over TCP as everybody does."""
        connection = pg8000.native.Connection(
            login["username"],
            password=login["password"],
            host="127.0.0.1",
            port=self.stores.link.port,
            database="shop",
            timeout=10,
        )
        try:
            return connection.run(statement)
        finally:
            connection.close()


@contextlib.contextmanager
def rotating(state_dir: Path) -> Iterator[tuple[Backend, Any, Rotator]]:
    """Give running stores beside a control plane that is mended, and a function for rotation."""
    rotator = Rotator()
    with control_plane() as plane:
        plane.plane.serve_with(invoker=rotator, health=rotator, writes=rotator)
        make_function(plane, archive("def handle(event, context): pass"), "rotate")
        plane.client("lambda").add_permission(
            FunctionName="rotate", StatementId="s", Action="lambda:InvokeFunction", Principal=PRINCIPAL
        )
        environment = {
            "AWS_ENDPOINT_URL": plane.plane.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            with backend(state_dir) as stores:
                yield stores, plane, rotator
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
