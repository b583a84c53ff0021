"""Every registered scenario, and its faults, hold what a plugin's author is asked to hold: without a system.

What shows only when something is broken is in ``tests/e2e/test_conformance.py``.
"""

from drill import catalogue, testing


class TestScenarios(testing.ScenarioConformance):
    """All that are installed."""

    scenarios = tuple(catalogue.find(name) for name in catalogue.names())
