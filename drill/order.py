"""What was asked for: one drill, by whom, against what."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drill.model import Audit
from drill.plan import Plan
from drill.scenario import Params, Scenario


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for.

    Attributes:
        scenario: Which drill.
        params: Its parameters.
        plan: What it will do.
        runs: The folder of all runs.
        confirmed: The target's name as typed back.
        operator: Who asked.
        command: What was typed.
        audit: What an audit said of the system just before; None if there was none.
        run_id: The run's id, where whoever asks must know it before; chosen otherwise.

    """

    scenario: Scenario[Any]
    params: Params
    plan: Plan
    runs: Path
    confirmed: str
    operator: str
    command: str
    audit: Audit | None = None
    run_id: str = ""
