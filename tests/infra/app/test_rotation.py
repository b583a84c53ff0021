"""Rotation of logins: alternating users for the application, one user for the master."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pg8000.native
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.app.connection import WRONG_PASSWORD, code_of
from infra.app.login_rotation import rotate
from infra.app.logins import other_user, owner_of, verifier
from infra.function_package import application
from infra.lab.world import Snapshot
from tests.infra.app.rotationlab import MASTER, Rotator, Shop, rotating
from tests.infra.app.shoplab import Backend
from tests.infra.lab import functionlab
from tests.infra.lab.functionlab import make_function
from tests.infra.lab.secretlab import STEPS, until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, Any, Rotator]]:
    """Give what all tests share: a database, a control plane and a rotation function."""
    with rotating(tmp_path_factory.mktemp("rotation")) as made:
        yield made


@pytest.fixture
def shop(running: tuple[Backend, Any, Rotator]) -> Iterator[Shop]:
    """Give secrets of a login that the database does not know yet."""
    stores, plane, rotator = running
    stores.begin()
    made = Shop(stores, plane, rotator)
    yield made
    stores.end()
    made.secrets.delete_secret(SecretId=made.admin_arn, ForceDeleteWithoutRecovery=True)


def works(shop: Shop, login: dict[str, str]) -> bool:
    """Say whether the database lets a login in; only a wrong password is an answer."""
    try:
        shop.run("SELECT 1", login)
    except pg8000.native.Error as problem:
        if code_of(problem) not in WRONG_PASSWORD | {""}:
            raise
        return False
    return True


def test_the_first_rotation_makes_the_logins(shop: Shop) -> None:
    """On a database without them the clone is made and current; the secret's own login is made too."""
    before = shop.held()
    assert not works(shop, before)
    after = shop.rotate()
    assert after["username"] == shop.clone
    assert after["password"] != before["password"]
    assert len(after["password"]) == 32
    assert works(shop, after)
    assert works(shop, before)
    assert shop.rotator.steps == STEPS


def test_the_function_itself_rotates(shop: Shop, tmp_path: Path) -> None:
    """The package's handler does all four steps in a real process, as it is deployed."""
    package = application()
    function = make_function(
        name="rotate",
        handler="infra.app.rotation.handle",
        code=package.archive,
        code_sha256=package.sha256,
        environment=shop.environment(),
        timeout_s=60.0,
    )
    lab = functionlab.Lab(
        tmp_path,
        Snapshot(functions=(function,)),
        endpoints_for=lambda *_, **__: {"AWS_ENDPOINT_URL": shop.plane.plane.endpoint_url},
    )
    loop, plane = shop.stores.loop, shop.plane.plane
    loop.run(lab.functions.start())
    plane.serve_with(invoker=lab.functions, health=shop.rotator, writes=shop.rotator)
    try:
        login = shop.rotate()
    finally:
        plane.serve_with(invoker=shop.rotator, health=shop.rotator, writes=shop.rotator)
        loop.run(lab.functions.close())
        lab.truth.close()
    assert login["username"] == shop.clone
    assert works(shop, login)
    written = (tmp_path / "function-us-east-1-rotate.log").read_text(encoding="utf-8")
    assert "finishSecret: version" in written
    assert login["password"] not in written


def test_users_take_turns(shop: Shop) -> None:
    """Each rotation gives the other user a new password, and the one in use keeps its own."""
    logins = [shop.rotate() for _ in range(4)]
    assert [login["username"] for login in logins] == [shop.clone, shop.user, shop.clone, shop.user]
    assert len({login["password"] for login in logins}) == 4
    assert [works(shop, login) for login in logins] == [False, False, True, True]


def test_both_logins_work_on_the_same_tables(shop: Shop) -> None:
    """What one makes the other can read, write, change and drop; both act as the owner, who can't log in."""
    first, second = shop.rotate(), shop.rotate()
    shop.run("CREATE TABLE made (number int)", first)
    shop.run("INSERT INTO made VALUES (1)", second)
    shop.run("ALTER TABLE made ADD COLUMN more int", second)
    shop.run("CREATE INDEX ON made (number)", first)
    assert shop.run("SELECT number FROM made", first) == [[1]]
    owner = owner_of(shop.user)
    assert shop.run("SELECT tableowner FROM pg_tables WHERE tablename = 'made'", first) == [[owner]]
    assert shop.run("SELECT current_user, session_user", second) == [[owner, shop.user]]
    assert shop.run("SELECT rolcanlogin FROM pg_roles WHERE rolname = current_user", first) == [[False]]
    shop.run("DROP TABLE made", second)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_may_be_repeated(step: str, shop: Shop) -> None:
    """A step whose answer was lost is done again with the whole rotation, and it ends well."""
    shop.rotate()
    lost: list[str] = []
    token = "0" * 32

    def lose(done: str) -> None:
        """Do a step, and fail as if its answer had not arrived."""
        if done == step and not lost:
            lost.append(done)
            assert shop.rotator.settings is not None
            event = {"Step": step, "SecretId": shop.arn, "ClientRequestToken": token}
            rotate(shop.rotator.settings, event)
            msg = "the answer is lost"
            raise OSError(msg)

    shop.rotator.before = lose
    version = shop.begin(ClientRequestToken=token)
    until(lambda: shop.rotator.raised, "the failure")
    until(lambda: shop.plane.now.rotations, "the failed rotation")
    shop.plane.plane.rotate_due("us-east-1", shop.arn)
    until(lambda: shop.is_current(version), "the rotation")
    assert shop.rotator.raised == ["OSError: the answer is lost"]
    assert shop.held()["username"] == shop.user
    assert works(shop, shop.held())


def test_a_failed_step_changes_nothing_for_those_who_log_in(shop: Shop) -> None:
    """When the master's login is refused the rotation fails, and the application's goes on working."""
    login = shop.rotate()
    text = '{"username": "keeper", "password": "wrong"}'
    shop.secrets.put_secret_value(SecretId=shop.admin_arn, SecretString=text)
    shop.begin()
    until(lambda: shop.rotator.raised, "the failure")
    assert shop.rotator.raised == ["CannotRotate: the database refuses the login keeper"]
    assert shop.held() == login
    assert works(shop, login)


def test_without_a_database_a_rotation_fails(shop: Shop) -> None:
    """A database that does not answer fails the rotation at the step that needs it, and it is tried again."""
    shop.stores.link.state = "closed"
    version = shop.begin()
    until(lambda: shop.rotator.raised, "the failure")
    assert shop.rotator.steps == ["createSecret", "setSecret"]
    shop.stores.link.state = "open"
    until(lambda: shop.plane.now.rotations, "the failed rotation")
    shop.plane.plane.rotate_due("us-east-1", shop.arn)
    assert shop.is_current(version)
    assert works(shop, shop.held())


def test_the_master_user_is_rotated_alone(shop: Shop) -> None:
    """The master's secret keeps its user, whose old password no longer works, and logins go on from it."""
    before = shop.held(shop.admin_arn)
    after = shop.rotate(shop.admin_arn)
    try:
        assert (after["username"], before["username"]) == (MASTER, MASTER)
        assert (works(shop, before), works(shop, after)) == (False, True)
        assert works(shop, shop.rotate())
        again = shop.rotate(shop.admin_arn)
        assert (works(shop, after), works(shop, again)) == (False, True)
    finally:
        shop.run("ALTER ROLE keeper PASSWORD 'first'", shop.held(shop.admin_arn))


def test_a_masters_rotation_may_be_repeated_at_its_worst(shop: Shop) -> None:
    """If its password was changed and the answer lost, the whole rotation is done again and ends well."""
    shop.rotator.before = lambda step: 1 / 0 if step == "testSecret" else None
    version = shop.begin(shop.admin_arn)
    until(lambda: shop.rotator.raised, "the failure")
    try:
        assert not works(shop, shop.held(shop.admin_arn))
        shop.rotator.before = lambda _: None
        until(lambda: shop.plane.now.rotations, "the failed rotation")
        shop.plane.plane.rotate_due("us-east-1", shop.admin_arn)
        assert shop.is_current(version, shop.admin_arn)
        assert works(shop, shop.held(shop.admin_arn))
    finally:
        shop.run("ALTER ROLE keeper PASSWORD 'first'", shop.held(shop.admin_arn))


def test_a_test_of_the_function_changes_nothing(shop: Shop) -> None:
    """When rotation is configured for later the current login is tried, and stays."""
    login = shop.rotate()
    shop.rotator.steps.clear()
    shop.begin(RotateImmediately=False)
    until(lambda: shop.rotator.steps and not shop.held_pending(), "the end of the test")
    assert (shop.rotator.steps, shop.rotator.raised) == (["testSecret"], [])
    assert shop.held() == login


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"Step": "create_secret"}, "there is no step 'create_secret'"),
        ({"ClientRequestToken": "0" * 32}, "is not at the stage AWSPENDING"),
    ],
)
def test_what_can_not_be_done_is_said(changed: dict[str, str], why: str, shop: Shop) -> None:
    """A step or a version that is not there is refused with the reason."""
    event = {"Step": "setSecret", "SecretId": shop.arn, "ClientRequestToken": "0" * 32, **changed}
    shop.rotator.invoke("", "", "", json.dumps(event).encode())
    assert why in shop.rotator.raised[0]


def test_nothing_secret_is_printed_or_raised(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    """No password, and nothing that PostgreSQL keeps of one, is in the function's log or its errors."""
    first, second = shop.rotate(), shop.rotate()
    shop.stores.link.state = "closed"
    shop.begin()
    until(lambda: shop.rotator.raised, "the failure")
    shop.stores.link.state = "open"
    printed = "".join(capfd.readouterr()) + "".join(shop.rotator.raised)
    assert "createSecret: version" in printed
    for login in (first, second, shop.held(stage="AWSPENDING"), shop.held(shop.admin_arn)):
        assert login["password"] not in printed
    assert "SCRAM" not in printed


def test_users_and_their_clones() -> None:
    """A clone's other user is the one that it is a clone of, and both have one owner."""
    assert [other_user("orders"), other_user("orders_clone")] == ["orders_clone", "orders"]
    assert {owner_of("orders"), owner_of("orders_clone")} == {"orders_owner"}


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64))
def test_a_verifier_is_what_the_server_would_keep(password: str) -> None:
    """It follows RFC 5803: from the password and its salt come the same keys, and never the same twice."""
    kept = verifier(password)
    kind, salted, keys = kept.split("$")
    iterations, salt = salted.split(":")
    stored, server = (base64.b64decode(key) for key in keys.split(":"))
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    client = hmac.new(key, b"Client Key", "sha256").digest()
    assert (kind, iterations) == ("SCRAM-SHA-256", "4096")
    assert stored == hashlib.sha256(client).digest()
    assert server == hmac.new(key, b"Server Key", "sha256").digest()
    assert kept != verifier(password)
