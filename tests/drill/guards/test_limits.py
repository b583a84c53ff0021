"""How much one drill may touch, and what a production target's file must say."""

from typing import Any

import pytest

from drill.guards.limits import fit_for_production, within_limits
from tests.drill.guards.asking import NOBODY, asked

# The blackout of make_document: two subnets; it takes 3600 s at most.
BLACKOUT = ("own-network-acl", "network-blackout")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, ""),
        ({"max_resources": 2}, ""),
        ({"max_resources": 1}, "it touches 2 resources, at most 1 may be (max_resources)"),
        ({"faults": list(BLACKOUT)}, ""),
        ({"faults": ["network-blackout"]}, "it injects own-network-acl, which is not among"),
        ({"regions": ["us-east-1"]}, ""),
        ({"regions": ["us-west-2"]}, "it touches something in us-east-1, which is not allowed (regions)"),
        ({"max_duration_s": 3600}, ""),
        ({"max_duration_s": 3599}, "it may take 3600 s, at most 3599 s is allowed (max_duration_s)"),
    ],
)
def test_each_limit_refuses_what_is_beyond_it(limits: dict[str, Any], said: str) -> None:
    """At the limit is within it."""
    answer = within_limits(asked(blackout=True, limits=limits), NOBODY)

    assert said in answer
    assert bool(said) == bool(answer)
    assert not said or answer.endswith("change the target file's limits")


def test_every_limit_that_is_passed_is_told_at_once() -> None:
    """Nobody mends them one by one."""
    limits = {"max_resources": 1, "faults": ["network-blackout"], "regions": ["us-west-2"]}

    answer = within_limits(asked(blackout=True, limits=limits), NOBODY)

    assert all(key in answer for key in ("max_resources", "(faults)", "(regions)"))


def test_what_has_no_region_counts_as_global() -> None:
    """A health check is not in any of the allowed regions unless ``global`` is one of them."""
    assert "global" in within_limits(asked(limits={"regions": ["us-east-1", "us-west-2"]}), NOBODY)
    assert within_limits(asked(limits={"regions": ["global"]}), NOBODY) == ""


COMPLETE: dict[str, Any] = {
    "windows": [{"days": ["tue"], "from": "09:00", "to": "17:00", "zone": "UTC"}],
    "limits": {"production": True, "faults": ["health-check-inversion"], "max_duration_s": 3600},
    "stop": {"alarms": {"us-east-1": ["errors"]}},
}


def test_a_complete_production_file_passes() -> None:
    """All four are there."""
    assert fit_for_production(asked(**COMPLETE), NOBODY) == ""


@pytest.mark.parametrize(
    ("without", "named"),
    [
        ({"windows": []}, "windows"),
        ({"limits": {"production": True, "max_duration_s": 3600}}, "limits.faults"),
        ({"limits": {"production": True, "faults": ["health-check-inversion"]}}, "limits.max_duration_s"),
        ({"stop": {}}, "stop.alarms"),
    ],
)
def test_a_production_file_that_leaves_something_open_refuses(without: dict[str, Any], named: str) -> None:
    """And says which key is missing."""
    answer = fit_for_production(asked(**{**COMPLETE, **without}), NOBODY)

    assert answer == f"a target in production must say {named}; have its owner add that to the file"


def test_production_is_not_disposable() -> None:
    """One of both is a mistake, and the drill does not guess which."""
    assert "both disposable and in production" in fit_for_production(
        asked(**COMPLETE, disposable=True), NOBODY
    )


def test_what_is_not_production_needs_none_of_it() -> None:
    """A staging system may be drilled with an empty file."""
    assert fit_for_production(asked(), NOBODY) == ""
