"""DatabaseRefill: every page of the table, at its time, and again where one failed."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from drill.errors import DrillError
from drill.faults.contract import Intent
from drill.faults.database_refill import DatabaseRefill
from infra.lab.world import Invocation
from tests.infra.lab.planelab import Lab, Physics, control_plane, make_function

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"
INTENT = Intent("run-1", "refill")


class Pages(Physics):
    """A function whose table has some pages; ``failing`` of its next answers fail."""

    failing = 0
    pages = 3

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Answer as the application does."""
        self.invoked.append((region, function, qualifier, payload))
        if self.failing:
            self.failing -= 1
            return Invocation(json.dumps({"statusCode": 503, "body": '{"error": "aurora"}'}).encode())
        after = json.loads(payload)["queryStringParameters"]["after"]
        number = int(after or 0) + 1
        body = json.dumps({"written": 250, "next": str(number) if number < self.pages else None})
        return Invocation(json.dumps({"statusCode": 200, "body": body}).encode())

    def asked_for(self) -> list[str]:
        """Return after what each page was asked for."""
        return [json.loads(payload)["queryStringParameters"]["after"] for *_, payload in self.invoked]


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane with a function that has an alias."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo("app.py"), "def handle(event, context): return 1")
    with control_plane() as made:
        make_function(made, packed.getvalue())
        functions = made.client("lambda")
        functions.publish_version(FunctionName="orders")
        functions.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
        yield made


@pytest.fixture
def pages(lab: Lab) -> Pages:
    """Give the function's answers."""
    physics = Pages()
    lab.plane.serve_with(invoker=physics, health=physics, writes=physics)
    return physics


def fault(when: Any, finish_s: float = 20.0) -> DatabaseRefill:
    """Return the fault."""
    return DatabaseRefill("us-east-1", ARN, "live", when, finish_s=finish_s, poll_s=0.01)


def test_a_step_goes_through_the_whole_table(lab: Lab, pages: Pages) -> None:
    """Page after page, by way of the alias; its undo has nothing to do."""
    one = fault("now")
    one.inject(lab.aws, one.capture(lab.aws), INTENT)
    assert pages.asked_for() == ["", "1", "2"]
    assert {qualifier for _, _, qualifier, _ in pages.invoked} == {"live"}
    one.undo(lab.aws, {}, "run-1")
    assert len(pages.invoked) == 3


def test_a_step_whose_page_fails_says_how_to_go_on(lab: Lab, pages: Pages) -> None:
    """A recovery procedure whose database does not take it has failed."""
    pages.failing = 1
    with pytest.raises(DrillError, match="drill target refill"):
        fault("now").inject(lab.aws, {}, INTENT)


def test_on_the_way_back_it_waits_for_the_database(lab: Lab, pages: Pages) -> None:
    """Nothing is written at first; the undo goes on where a page failed, until its time is over."""
    one = fault("on-return")
    one.inject(lab.aws, {}, INTENT)
    assert not pages.invoked
    pages.failing = 3
    one.undo(lab.aws, {}, "run-1")
    assert pages.asked_for() == ["", "", "", "", "1", "2"]
    assert one.undone(lab.aws, {}, "run-1")
    pages.failing = 10**6
    with pytest.raises(DrillError, match="could not write"):
        fault("on-return", finish_s=0.05).undo(lab.aws, {}, "run-1")
