"""Rotation in the control plane: four steps in order, and what is left when one of them fails."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.secretsmanager.models import secretsmanager_backends

from drill.aws import Aws
from infra.lab.control_plane import ControlPlane, managed_rotations
from infra.lab.control_plane.mending import ACCOUNT
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane
from tests.infra.lab.secretlab import STEPS, Rotating, code_of, until

DAY_S = 86400


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


@pytest.fixture
def one(lab: Lab) -> Rotating:
    """Give a secret and a rotation function."""
    return Rotating(lab)


def steps(one: Rotating) -> list[str]:
    """Return the steps that were run."""
    return [event["Step"] for event in one.rotator.events]


def rotated(one: Rotating, value: str = "1") -> None:
    """Wait until a rotation has ended well."""
    until(lambda: one.value() == value and one.shown().get("LastRotatedDate"), f"the value {value}")


def test_a_rotation_runs_the_four_steps(one: Rotating) -> None:
    """Each step gets the documented event, and in the end the new version is the current one."""
    before = one.secrets.get_secret_value(SecretId=one.arn)["VersionId"]
    token = one.rotate()
    rotated(one)
    assert steps(one) == STEPS
    for event in one.rotator.events:
        assert (event["SecretId"], event["ClientRequestToken"]) == (one.arn, token)
        assert set(event) == {"Step", "SecretId", "ClientRequestToken", "RotationToken"}
    assert {call[:3] for call in one.rotator.invoked} == {(EAST, "rotate", "$LATEST")}
    stages = one.shown()["VersionIdsToStages"]
    assert "AWSCURRENT" in stages[token]
    assert stages[before] == ["AWSPREVIOUS"]


def test_the_call_returns_before_the_steps(one: Rotating) -> None:
    """RotateSecret answers at once; while the steps run the new version is pending, without a value."""
    go = threading.Event()
    one.rotator.hold = lambda _: go.wait(10)
    token = one.rotate()
    until(lambda: steps(one), "the first step")
    assert one.shown()["VersionIdsToStages"][token] == ["AWSPENDING"]
    assert (one.value(), one.value("AWSPENDING")) == ("0", "")
    assert code_of(one.rotate) == "InvalidRequestException"
    go.set()
    rotated(one)


def test_the_same_call_again_changes_nothing(one: Rotating) -> None:
    """A client that sends its token again gets the version that it asked for, once."""
    go = threading.Event()
    one.rotator.hold = lambda _: go.wait(10)
    token = "r" * 32
    assert one.rotate(ClientRequestToken=token) == token
    assert one.rotate(ClientRequestToken=token) == token
    go.set()
    rotated(one)
    assert steps(one) == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_a_failed_step_ends_a_rotation(
    step: str, one: Rotating, lab: Lab, capfd: pytest.CaptureFixture[str]
) -> None:
    """Later steps are not run, the old value stays current, and the log says which step, not what it said."""
    one.rotator.fails_at = step
    token = one.rotate()
    until(lambda: lab.now.rotations, "the failure")
    assert steps(one) == STEPS[: STEPS.index(step) + 1]
    assert one.shown()["VersionIdsToStages"][token] == ["AWSPENDING"]
    assert (one.value(), one.shown().get("LastRotatedDate")) == ("0", None)
    assert code_of(one.rotate) == "InvalidRequestException"
    written = capfd.readouterr().err
    assert f"{step} ended with Unhandled" in written
    assert "a value of the secret" not in written


def test_a_failed_rotation_is_tried_again(one: Rotating, lab: Lab) -> None:
    """It is due again soon, with the same version; when it ends well the secret is rotated."""
    one.rotator.fails_at = "setSecret"
    token = one.rotate()
    until(lambda: any(item.due_at < time.time() + DAY_S for item in lab.now.rotations), "the failure")
    (due,) = lab.now.rotations
    assert (due.arn, due.region) == (one.arn, EAST)
    assert 50 < due.due_at - time.time() <= 60
    lab.plane.rotate_due(EAST, one.arn)
    assert 110 < lab.now.rotations[0].due_at - time.time() <= 120
    one.rotator.fails_at = ""
    lab.plane.rotate_due(EAST, one.arn)
    rotated(one)
    assert {event["ClientRequestToken"] for event in one.rotator.events} == {token}
    assert steps(one)[-4:] == STEPS


def test_steps_that_leave_the_version_pending_are_a_failure(one: Rotating, lab: Lab) -> None:
    """A function whose last step moves nothing has not rotated the secret."""
    one.rotator._do = lambda *_: None  # type: ignore[method-assign]
    one.rotate()
    until(lambda: any(item.due_at < time.time() + DAY_S for item in lab.now.rotations), "the failure")
    assert steps(one) == STEPS
    assert one.value() == "0"


@pytest.mark.parametrize(
    ("principal", "condition"),
    [
        ("", {}),
        ("elasticloadbalancing.amazonaws.com", {}),
        ("secretsmanager.amazonaws.com", {"SourceAccount": "999999999999"}),
        ("secretsmanager.amazonaws.com", {"SourceArn": f"arn:aws:secretsmanager:{EAST}:{ACCOUNT}:secret:x"}),
    ],
)
def test_a_function_must_let_secrets_manager_in(principal: str, condition: dict[str, str], lab: Lab) -> None:
    """Without a permission that fits AWS refuses to turn rotation on, and nothing of it is left."""
    one = Rotating(lab, permitted=False)
    if principal:
        one.permit(principal, **condition)
    assert code_of(one.rotate) == "AccessDeniedException"
    assert "RotationEnabled" not in one.shown()
    assert list(one.shown()["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
    one.permit(
        "secretsmanager.amazonaws.com",
        SourceAccount=ACCOUNT,
    )
    one.rotate()
    rotated(one)


def test_a_permission_for_one_secret_is_for_that_one(lab: Lab) -> None:
    """A permission with the secret's own ARN lets it be rotated, and no other one."""
    one = Rotating(lab, permitted=False)
    one.permit("secretsmanager.amazonaws.com", SourceArn=one.arn)
    one.secrets.create_secret(Name="other", SecretString="0")
    assert code_of(lambda: one.rotate(SecretId="other")) == "AccessDeniedException"
    one.rotate()
    rotated(one)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (
            {"RotationLambdaARN": f"arn:aws:lambda:{WEST}:{ACCOUNT}:function:rotate"},
            "ResourceNotFoundException",
        ),
        ({"RotationLambdaARN": f"arn:aws:lambda:{EAST}:{ACCOUNT}:function:none"}, "AccessDeniedException"),
        ({"RotationLambdaARN": "rotate"}, "ResourceNotFoundException"),
        ({"RotationLambdaARN": ""}, "InvalidRequestException"),
        ({"RotationRules": {"Duration": "3h"}}, "InvalidParameterException"),
        (
            {"RotationRules": {"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"}},
            "InvalidParameterException",
        ),
        ({"RotationRules": {"ScheduleExpression": "rate(3 hours)"}}, "InvalidParameterException"),
        ({"RotationRules": {"ScheduleExpression": "at(2030-01-01T00:00:00)"}}, "InvalidParameterException"),
        ({"RotationRules": {"ScheduleExpression": "cron(61 0 1 * ? *)"}}, "InvalidParameterException"),
        ({"RotationRules": {"AutomaticallyAfterDays": 1, "Duration": "3m"}}, "InvalidParameterException"),
        ({"ClientRequestToken": "t" * 65}, "InvalidParameterException"),
    ],
)
def test_what_can_not_be_rotated_is_refused(changed: dict[str, Any], code: str, one: Rotating) -> None:
    """A wrong function, schedule or token is refused, and no version is begun."""
    assert code_of(lambda: one.rotate(**changed)) == code
    assert list(one.shown()["VersionIdsToStages"].values()) == [["AWSCURRENT"]]


def test_the_schedule_is_shown_with_its_dates(one: Rotating) -> None:
    """DescribeSecret has rules, last and next rotation; the next is the interval after the last change."""
    one.rotate(RotationRules={"ScheduleExpression": "rate(10 days)", "Duration": "3h"})
    rotated(one)
    shown = one.shown()
    assert shown["RotationEnabled"] is True
    assert shown["RotationLambdaARN"] == one.function
    assert shown["RotationRules"] == {
        "AutomaticallyAfterDays": 10,
        "Duration": "3h",
        "ScheduleExpression": "rate(10 days)",
    }
    wait_s = (shown["NextRotationDate"] - shown["LastRotatedDate"]).total_seconds()
    assert 9.99 * DAY_S < wait_s < 10.01 * DAY_S
    one.rotate(RotationRules={"ScheduleExpression": "cron(0 8 1 * ? *)"})
    rotated(one, "2")
    following = one.shown()["NextRotationDate"].astimezone(UTC)
    assert (following.day, following.hour, following.minute) == (1, 8, 0)
    assert following > datetime.now(UTC)


def test_rotation_can_be_configured_for_later(one: Rotating, lab: Lab) -> None:
    """Without RotateImmediately the function is tested with the current value, and nothing is changed."""
    seen: list[str] = []
    one.rotator.hold = lambda _: seen.append(one.value("AWSPENDING"))
    one.rotate(RotateImmediately=False)
    until(lambda: seen and len(one.shown()["VersionIdsToStages"]) == 1, "the end of the test")
    assert (steps(one), seen) == (["testSecret"], ["0"])
    assert (one.value(), one.shown()["RotationEnabled"]) == ("0", True)
    (due,) = lab.now.rotations
    assert 29.9 < (due.due_at - time.time()) / DAY_S < 30.1


def test_a_value_written_by_hand_counts_as_a_rotation(one: Rotating, lab: Lab) -> None:
    """The next rotation is the interval after it, and a rotation of today does not move it back."""
    one.rotate()
    rotated(one)
    before = lab.now.rotations[0].due_at
    time.sleep(0.05)
    one.secrets.put_secret_value(SecretId=one.arn, SecretString="7")
    assert lab.now.rotations[0].due_at - before >= 0.05


def test_rotation_is_turned_off_and_on(one: Rotating, lab: Lab) -> None:
    """Cancelled rotation is not due, shows what it was, and is turned on by rotating again."""
    assert code_of(lambda: one.secrets.cancel_rotate_secret(SecretId=one.arn)) == "InvalidRequestException"
    one.rotate()
    rotated(one)
    one.secrets.cancel_rotate_secret(SecretId=one.arn)
    shown = one.shown()
    assert (shown["RotationEnabled"], shown["RotationRules"]) == (False, {"AutomaticallyAfterDays": 30})
    assert "NextRotationDate" not in shown
    assert lab.now.rotations == ()
    one.secrets.rotate_secret(SecretId=one.arn)
    rotated(one, "2")
    assert one.shown()["RotationEnabled"] is True


def test_a_rotation_under_way_is_cancelled(one: Rotating, lab: Lab) -> None:
    """No further step begins; its version stays pending until somebody takes the label away."""
    go = threading.Event()
    one.rotator.hold = lambda _: go.wait(10)
    token = one.rotate()
    until(lambda: steps(one), "the first step")
    assert one.secrets.cancel_rotate_secret(SecretId=one.arn)["VersionId"] == token
    go.set()
    until(lambda: one.value("AWSPENDING") == "1", "the end of the step")
    assert code_of(one.rotate) == "InvalidRequestException"
    assert (steps(one), one.value(), lab.now.rotations) == (["createSecret"], "0", ())
    one.secrets.update_secret_version_stage(
        SecretId=one.arn, VersionStage="AWSPENDING", RemoveFromVersionId=token
    )
    one.rotate()
    rotated(one)


def test_a_service_rotates_what_it_manages(lab: Lab) -> None:
    """RotateSecret asks the service, which a week later is due again; only it may change the value."""
    secrets = lab.client("secretsmanager")
    backend = secretsmanager_backends[ACCOUNT][EAST]
    arn = backend.create_managed_secret("rds", "rds!cluster-1", secret_string="0").arn
    managed_rotations.register(
        arn, lambda token: backend.put_secret_value(arn, "1", None, token, ["AWSCURRENT"])
    )
    shown = secrets.describe_secret(SecretId=arn)
    assert (shown["OwningService"], shown["RotationEnabled"]) == ("rds", True)
    assert shown["RotationRules"] == {"AutomaticallyAfterDays": 7}
    (due,) = lab.now.rotations
    assert 6.9 < (due.due_at - time.time()) / DAY_S < 7.1
    token = secrets.rotate_secret(SecretId=arn)["VersionId"]
    until(lambda: secrets.get_secret_value(SecretId=arn)["SecretString"] == "1", "the new value")
    assert secrets.get_secret_value(SecretId=arn)["VersionId"] == token
    for call in (
        lambda: secrets.put_secret_value(SecretId=arn, SecretString="2"),
        lambda: secrets.update_secret(SecretId=arn, SecretString="2"),
        lambda: secrets.delete_secret(SecretId=arn),
        lambda: secrets.cancel_rotate_secret(SecretId=arn),
    ):
        assert code_of(call) == "InvalidRequestException"
    function = f"arn:aws:lambda:{EAST}:{ACCOUNT}:function:rotate"
    wrong = code_of(lambda: secrets.rotate_secret(SecretId=arn, RotationLambdaARN=function))
    assert wrong == "InvalidParameterException"


def test_a_service_that_can_not_is_a_failure(lab: Lab) -> None:
    """What the service raises fails the rotation, and the old value stays current."""
    backend = secretsmanager_backends[ACCOUNT][EAST]
    arn = backend.create_managed_secret("rds", "rds!cluster-1", secret_string="0").arn

    def refuse(_: str) -> None:
        msg = "the cluster is stopped"
        raise RuntimeError(msg)

    managed_rotations.register(arn, refuse)
    secrets = lab.client("secretsmanager")
    secrets.rotate_secret(SecretId=arn)
    until(lambda: any(item.due_at < time.time() + DAY_S for item in lab.now.rotations), "the failure")
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "0"


def test_the_schedule_follows_the_labs_clock() -> None:
    """Where the lab's clock runs faster the next rotation comes that much sooner."""
    with ControlPlane("127.0.0.1", 0, (EAST, WEST), clock_scale=0.001) as plane:
        lab = Lab(plane, Aws(plane.endpoint_url, timeout_s=30, attempts=1))
        one = Rotating(lab)
        one.rotate(RotationRules={"AutomaticallyAfterDays": 1})
        rotated(one)
        shown = one.shown()
        wait_s = (shown["NextRotationDate"] - shown["LastRotatedDate"]).total_seconds()
        assert 80 < wait_s < 95


def test_a_new_control_plane_knows_no_managed_secret(lab: Lab) -> None:
    """What services registered with an earlier control plane is forgotten."""
    managed_rotations.register("arn", lambda _: None)
    with control_plane():
        assert managed_rotations.of("arn") is None
