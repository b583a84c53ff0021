"""The conformance suite finds each flaw, and finds none where there is none."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.core.base_backend import BackendDict

from drill import testing
from drill.aws import Aws
from drill.scenario import Step
from drill.target import Drills
from drill.testing import declared
from drill.testing.made_up import made_up_target
from drill.testing.rehearsal import Rehearsal
from drill.testing.ways import Way, ways
from infra.lab.control_plane import ControlPlane
from scenarios.region_outage import RegionOutage
from tests.drill.testing import flawed
from tests.drill.testing.flawed import REGION, Flawed, Sound, install


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the flawed plugins for this process."""
    install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Give an AWS API."""
    with ControlPlane("127.0.0.1", 0, (REGION, "us-west-2")) as plane:
        yield plane


@pytest.fixture
def ground(plane: ControlPlane) -> testing.Ground:
    """Give an empty account, in which queues are all that matters."""
    BackendDict.reset()
    bare = made_up_target()
    timing = bare.timing.model_copy(update={"effect_s": 0.3, "poll_s": 0.01})
    more: dict[str, Any] = {
        "endpoint_url": plane.endpoint_url,
        "timing": timing,
        "drills": Drills(),
    }
    sqs = Aws(plane.endpoint_url, 20).client("sqs", REGION)
    return testing.Ground(
        bare.model_copy(update=more), lambda: json.dumps(sorted(sqs.list_queues().get("QueueUrls", [])))
    )


def test_a_sound_fault_has_no_problem(ground: testing.Ground) -> None:
    """It is tried never injected, before each of its two writes, and injected."""
    rehearsal = Rehearsal(ground, [Step("make", Flawed())]).every_undo()

    assert [] == rehearsal.problems
    assert 4 == rehearsal.tried


def test_later_steps_are_tried_with_the_earlier_in_place(ground: testing.Ground) -> None:
    """Each step is tried in its turn; all before it are put back too."""
    seen: list[int] = []
    watched = testing.Ground(ground.target, lambda: _counted(ground, seen))

    rehearsal = Rehearsal(watched, [Step("make", Flawed()), Step("again", Flawed("second"))]).every_undo()

    assert [] == rehearsal.problems
    assert 8 == rehearsal.tried
    assert 0 == seen[-1]


def test_a_step_that_leaves_nothing_of_its_own_is_right_to_say_so(ground: testing.Ground) -> None:
    """It calls itself undone while an earlier step is in place, and that is no flaw."""
    steps = [Step("make", Flawed()), Step("wait", Flawed("makes nothing"))]

    assert [] == Rehearsal(ground, steps).every_undo().problems


def _counted(ground: testing.Ground, seen: list[int]) -> str:
    text = ground.fingerprint()
    seen.append(len(json.loads(text)))
    return text


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ("undoes nothing", "cut short before write 2: the system is not as it was before"),
        ("undoes the whole only", "cut short before write 2: the system is not as it was before"),
        ("undone lies", "undone() says yes while it is in place"),
        ("not twice", "never injected, undone: make: there is nothing to delete"),
        ("drifts", "it tells of a drift though nobody changed anything"),
        ("capture writes", "capture changes something"),
        ("undeclared call", "does not declare a call that it makes: sqs:DeleteQueue"),
        ("wrong resource", "does not declare a call that it makes: sqs:CreateQueue in us-east-1"),
        ("wrong region", "does not declare a call that it makes: sqs:CreateQueue in us-east-1"),
        ("no dead man", "plain_undo is True, and dead_man() has 0 calls"),
        ("wrong request", 'Missing required parameter in input: "QueueUrl"'),
    ],
)
def test_a_flaw_of_a_fault_is_found(ground: testing.Ground, flaw: str, told: str) -> None:
    """Each is told of in one line that says where."""
    problems = Rehearsal(ground, [Step("make", Flawed(flaw))]).every_undo().problems

    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("flaw", "told"), [("no such call", "no call BreakQueue"), ("full stop", "full stop")]
)
def test_a_wrong_declaration_is_found(flaw: str, told: str) -> None:
    """Calls and texts are looked at without a system."""
    (problem,) = declared.of_fault(Flawed(flaw))

    assert told in problem


def problems_of(scenario: Any) -> list[str]:
    """Return everything that is wrong with a scenario without a system."""
    where = made_up_target()
    found = list(declared.of_scenario(scenario))
    if not found:
        way = next(ways(scenario))
        found += [*declared.of_way(way, where), *declared.of_purity(way, where)]
        found += declared.of_round_trip(declared.steps_of(way, where))
    return found


def test_a_sound_scenario_has_no_problem() -> None:
    """Nothing is found where nothing is wrong."""
    assert [] == problems_of(Sound())


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        (flawed.Undocumented, ("parameter what has no description", "parameter what has no default")),
        (flawed.Wordy, ("title ends with a full stop", "awaited is no line", "hypothesis does not end")),
        (flawed.Credulous, ("took_effect holds though no probe saw anything",)),
        (flawed.Misled, ("no measure 'luck'", "reads 'nobody', which is no probe")),
        (flawed.Blind, ("no kind 'crystal-ball'",)),
        (flawed.Fickle, ("two plans of the same scenario",)),
        (flawed.Talkative, ("planning calls somebody: socket.connect",)),
        (flawed.Lossy, ("the journal gives",)),
    ],
)
def test_a_flaw_of_a_scenario_is_found(
    scenario: type[Sound], told: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told of."""
    monkeypatch.setattr(flawed, "Sound", scenario)  # what the entry point finds
    problems = problems_of(scenario())

    assert [] == [text for text in told if not any(text in problem for problem in problems)], problems


def test_the_entry_point_is_compared() -> None:
    """A scenario that is not what its name finds, or that no name finds, is told of."""
    other = type("Other", (Sound,), {})
    nameless = type("Nameless", (Sound,), {"name": "nameless"})

    assert ["the entry point 'sound' is Sound, another class"] == list(declared.of_scenario(other()))
    (problem,) = declared.of_scenario(nameless())
    assert "no scenario 'nameless'" in problem


def test_each_switch_is_a_way() -> None:
    """The defaults, and each switch by itself; a number is left as it is."""
    assert ["region-outage", "region-outage --blackout"] == [way.name for way in ways(RegionOutage())]
    assert all(isinstance(way, Way) for way in ways(Sound()))


def test_the_classes_fail_with_every_problem() -> None:
    """What pytest shows is the list."""
    with pytest.raises(AssertionError, match=r"(?s)it does not conform:\n.*title ends.*\nawaited is no line"):
        testing.ScenarioConformance().test_it_declares_what_it_must(flawed.Wordy())
