"""All guards are asked, and one that can't be evaluated refuses."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from drill import guard
from drill.aws import Aws
from drill.errors import DrillError
from drill.guards.contract import Asked
from tests.drill.guards.asking import NOBODY, asked


def refused_with(code: str) -> ClientError:
    """Return an error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": "no,\n not you"}}, "DescribeVpcs")


def raising(problem: Exception) -> Callable[[Asked, Aws], str]:
    """Return a guard that fails."""

    def fail(_asked: Asked, _aws: Aws) -> str:
        raise problem

    return fail


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (DrillError("nobody can tell; look there"), "nobody can tell; look there"),
        (refused_with("AccessDenied"), "the policy that is needed: drill iam-policy region-outage"),
        (refused_with("UnauthorizedOperation"), "drill iam-policy region-outage"),
        (refused_with("Throttling"), "drill target check"),
        (EndpointConnectionError(endpoint_url="http://x"), "the target file's endpoint_url"),
    ],
)
def test_what_can_not_be_evaluated_refuses(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, said: str
) -> None:
    """In one line, with what to do."""
    monkeypatch.setattr(guard, "EVERY", (("fine", lambda *_: ""), ("odd", raising(problem))))

    (only,) = (one for one in guard.check(asked(), NOBODY) if one.guard == "odd")

    assert only.why.startswith("it could not be evaluated: ")
    assert said in only.why
    assert "\n" not in only.why


def test_a_mistake_of_ours_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the program with a traceback: nothing was touched."""
    monkeypatch.setattr(guard, "EVERY", (("odd", raising(ZeroDivisionError())),))

    with pytest.raises(ZeroDivisionError):
        guard.check(asked(), NOBODY)


def test_without_aws_whatever_asks_it_refuses() -> None:
    """No guard passes because nobody answered, the scenario's own included."""
    evaluated = {one.guard: one for one in guard.evaluate(asked(), NOBODY)}

    states = {name: one.state for name, one in evaluated.items()}
    unseen = {"account", "regions", "opt-in", "permissions", "check-is-healthy"}
    assert unseen == {name for name, state in states.items() if state == "could not be evaluated"}
    assert states["confirmed"] == "refused"
    assert [name for name, _ in guard.EVERY] == list(evaluated)[: len(guard.EVERY)]
