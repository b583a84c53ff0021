"""FunctionDatabase: the alias leads to a version with the restored database, and back again."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import Intent
from drill.faults.function_database import FunctionDatabase
from drill.faults.made import name_of
from tests.drill.faults.breakage import Cut, Unsteady, make_cluster

EAST = "us-east-1"
RUN = "run-1"
INTENT = Intent(RUN, "cut-over")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"
SECRET = "no-part-of-a-journal"


@pytest.fixture
def fault(aws: Aws) -> FunctionDatabase:
    """Give the fault, with a function that has a version and an alias, and the run's cluster."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo("app.py"), "def handle(event, context): return 1")
    aws.client("iam", "global").create_role(RoleName="lambda", AssumeRolePolicyDocument="{}")
    functions = aws.client("lambda", EAST)
    functions.create_function(
        FunctionName="orders",
        Runtime="python3.11",
        Role="arn:aws:iam::123456789012:role/lambda",
        Handler="app.handle",
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"DB_HOST": "usual.example.test", "OTHER": SECRET}},
    )
    functions.publish_version(FunctionName="orders")
    functions.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    make_cluster(aws, name_of(RUN))
    return FunctionDatabase(EAST, ARN, "live", wait_s=5, poll_s=0.02)


def state(aws: Aws) -> dict[str, Any]:
    """Return all that the fault may change."""
    functions = aws.client("lambda", EAST)
    live = functions.get_function_configuration(FunctionName="orders", Qualifier="live")
    return {
        "alias": functions.get_alias(FunctionName="orders", Name="live")["FunctionVersion"],
        "live": live["Environment"]["Variables"],
        "latest": functions.get_function_configuration(FunctionName="orders")["Environment"]["Variables"],
        "versions": [
            one["Version"] for one in functions.list_versions_by_function(FunctionName="orders")["Versions"]
        ],
    }


def test_it_switches_and_goes_back(aws: Aws, fault: FunctionDatabase) -> None:
    """Clients get the restored database; after the undo all is as it was, and the run's version is gone."""
    before = state(aws)
    captured = fault.capture(aws)
    assert SECRET not in json.dumps(captured)

    fault.inject(aws, captured, INTENT)

    assert fault.ready(aws, captured, RUN)
    assert state(aws)["live"]["DB_HOST"].startswith(f"{name_of(RUN)}.")
    assert state(aws)["live"]["OTHER"] == SECRET
    assert not fault.undone(aws, captured, RUN)
    assert fault.undo(aws, captured, RUN) == ()
    assert fault.undo(aws, captured, RUN) == ()
    assert fault.undone(aws, captured, RUN)
    assert state(aws) == before


def test_it_goes_back_from_wherever_it_broke(aws: Aws, fault: FunctionDatabase) -> None:
    """Each call of the injection may be the last, sent or not, and its answer lost or not."""
    before, captured = state(aws), fault.capture(aws)
    whole: Any = Unsteady(aws)
    fault.inject(whole, captured, INTENT)
    fault.undo(aws, captured, RUN)
    for place in range(len(whole.made)):
        for lost in (False, True):
            broken: Any = Unsteady(aws, place, lost=lost)
            with pytest.raises(Cut):
                fault.inject(broken, captured, INTENT)
            fault.undo(aws, captured, RUN)
            assert fault.undone(aws, captured, RUN)
            assert {**state(aws), "versions": before["versions"]} == before
            assert len(state(aws)["versions"]) == len(before["versions"])


def test_what_somebody_else_deployed_stays(aws: Aws, fault: FunctionDatabase) -> None:
    """An alias that was moved meanwhile is not moved back, and that is told."""
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    functions = aws.client("lambda", EAST)
    functions.update_function_configuration(
        FunctionName="orders", Environment={"Variables": {"DB_HOST": "theirs.example.test"}}
    )
    theirs = functions.publish_version(FunctionName="orders")["Version"]
    functions.update_alias(FunctionName="orders", Name="live", FunctionVersion=theirs)

    told = fault.undo(aws, captured, RUN)

    assert len(told) == 2
    assert f"leads to version {theirs} now" in told[0]
    assert (state(aws)["alias"], state(aws)["latest"]["DB_HOST"]) == (theirs, "theirs.example.test")
    assert fault.undone(aws, captured, RUN)


def test_an_undo_without_injection_changes_nothing(aws: Aws, fault: FunctionDatabase) -> None:
    """A journal may tell of a step that never came to be."""
    captured: Mapping[str, Any] = fault.capture(aws)
    watched: Any = Unsteady(aws)

    fault.undo(watched, captured, RUN)

    assert {"lambda.ListVersionsByFunction", "lambda.GetAlias", "lambda.GetFunctionConfiguration"} == set(
        watched.made
    )


def test_a_function_without_the_variable_is_refused(aws: Aws, fault: FunctionDatabase) -> None:
    """A function that is led to its database in another way can't be switched so."""
    other = FunctionDatabase(EAST, ARN, "live", variable="DATABASE_URL")

    with pytest.raises(DrillError, match="has no variable DATABASE_URL"):
        other.capture(aws)
