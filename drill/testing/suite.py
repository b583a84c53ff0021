"""The classes that pytest runs; what each test checks is in the modules beside this one."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from drill.scenario import Scenario
from drill.target import Target
from drill.testing import declared
from drill.testing.ground import Ground
from drill.testing.made_up import made_up_target
from drill.testing.rehearsal import Rehearsal
from drill.testing.ways import Way, ways


class _OverWays:
    """Runs each test once for every way in which every scenario can be run.

    Attributes:
        scenarios: The scenarios.

    """

    scenarios: ClassVar[Sequence[Scenario[Any]]] = ()

    def pytest_generate_tests(self, metafunc: Any) -> None:  # noqa: ANN401 (pytest is not needed to import this)
        """Give ``scenario`` and ``way`` to the tests that ask for them."""
        if "scenario" in metafunc.fixturenames:
            metafunc.parametrize("scenario", self.scenarios, ids=[one.name for one in self.scenarios])
        if "way" in metafunc.fixturenames:
            every = [way for one in self.scenarios for way in ways(one)]
            metafunc.parametrize("way", every, ids=[way.name for way in every])


class ScenarioConformance(_OverWays):
    """What can be seen of scenarios and their faults without a system; asks nobody.

    Attributes:
        target: What is planned on: a target that names everything.

    """

    target: ClassVar[Target] = made_up_target()

    def test_it_declares_what_it_must(self, scenario: Scenario[Any]) -> None:
        """Name, title, hypothesis, what it covers and awaits, and each parameter's text and default."""
        _none(declared.of_scenario(scenario))

    def test_it_asks_for_what_there_is(self, way: Way) -> None:
        """Its probes and measures exist and fit together; of nothing seen it claims nothing."""
        _none(declared.of_way(way, self.target))

    def test_planning_is_pure(self, way: Way) -> None:
        """The same comes out twice, and nobody is called."""
        _none(declared.of_purity(way, self.target))

    def test_every_step_survives_a_journal(self, way: Way) -> None:
        """A later process can build each fault again from what stands in a journal."""
        _none(declared.of_round_trip(declared.steps_of(way, self.target)))

    def test_its_faults_declare_what_they_must(self, way: Way) -> None:
        """Kind, texts, and calls that AWS has."""
        faults = {step.fault: None for step in declared.steps_of(way, self.target)}
        _none(problem for fault in faults for problem in declared.of_fault(fault))


class FaultConformance(_OverWays):
    """What shows only when something is broken; wants a pytest fixture ``ground``."""

    def test_the_whole_is_put_back(self, way: Way, ground: Ground) -> None:
        """All steps are injected and undone twice: the system is as it was, and every call was declared."""
        _none(Rehearsal(ground, declared.steps_of(way, ground.target)).whole().problems)

    def test_every_undo_puts_back(self, way: Way, ground: Ground) -> None:
        """So it is for each step: never injected, cut short before each write, and injected."""
        _none(Rehearsal(ground, declared.steps_of(way, ground.target)).every_undo().problems)


def _none(problems: Iterable[str]) -> None:
    """Fail with all problems, if there are any."""
    listed = list(problems)
    if listed:
        msg = "\n".join(("it does not conform:", *listed))
        raise AssertionError(msg)
