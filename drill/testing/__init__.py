"""The conformance suite: what every scenario and every fault must hold, for whoever writes one.

Two classes for pytest. Subclass one in a test module of yours, name it ``Test…`` and say what is
tested; pytest finds the rest::

    from drill import testing
    from drill_my_drill.scenario import MyDrill

    class TestScenario(testing.ScenarioConformance):
        scenarios = (MyDrill(),)

    class TestFaults(testing.FaultConformance):
        scenarios = (MyDrill(),)

The first asks nobody and takes a moment. The second breaks things: it takes a pytest fixture
``ground``, a :class:`~drill.testing.ground.Ground`, which is a system that may be broken, such as
the lab, and a function that tells whether that is as it was before::

    @pytest.fixture(scope="session")
    def ground():
        with lab_session.temporary("fast", Path("runs"), print) as target:
            yield testing.Ground(target, lambda: fingerprint(…))

``docs/writing-a-scenario.md`` goes through it. Nothing here needs pytest itself: what does not hold
is an ``AssertionError`` that lists every problem.
"""

from drill.testing.ground import Ground
from drill.testing.made_up import made_up_target
from drill.testing.suite import FaultConformance, ScenarioConformance

__all__ = ["FaultConformance", "Ground", "ScenarioConformance", "made_up_target"]
