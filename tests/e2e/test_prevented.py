"""A fault that is kept from biting proves nothing: every scenario is inconclusive then, and never met.

``make conformance`` runs it for every scenario; without ``DRILL_CONFORMANCE=1`` it is left out, since each
takes a whole drill.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drill import catalogue, engine, plan
from drill.aws import Aws
from drill.cli.progress import for_terminal
from drill.faults.contract import Fault, Intent
from drill.model import Json, Outcome
from drill.order import Order
from drill.scenario import Scenario
from tests.e2e.conftest import Lab

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        os.environ.get("DRILL_CONFORMANCE") != "1", reason="a whole drill each: make conformance"
    ),
]

OWN = [name for name in catalogue.names() if catalogue.is_own(name)]


def _nothing(_: Fault, aws: Aws, before: Mapping[str, Json], intent: Intent) -> None:
    """Inject nothing, and say that all went well."""


@pytest.mark.parametrize("name", OWN)
def test_a_fault_that_does_nothing_is_inconclusive(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """AWS takes every call and nothing changes: not met, not breached, and the system is as it was."""
    scenario: Scenario[Any] = catalogue.find(name)
    params = scenario.parameters()
    timing = lab.target.timing.model_copy(update={"deadline_s": 8.0, "warm_up_s": 0.8, "settle_s": 0.8})
    changed = lab.target.model_copy(update={"timing": timing})
    steps = scenario.steps(changed, params) or scenario.recovery(changed, params)
    for kind in {type(step.fault) for step in steps}:
        monkeypatch.setattr(kind, "inject", _nothing)
    before = lab.fingerprint()
    order = Order(scenario, params, plan.make(scenario, params, changed), tmp_path / "runs", "", "t", "drill")

    with for_terminal(as_json=True) as progress:
        record = engine.run(order, Aws.of(changed), progress)

    assert Outcome.INCONCLUSIVE is record.outcome, record.reason
    assert record.rolled_back
    assert before == lab.fingerprint()
