"""Every undo of every registered scenario puts the lab back, wherever its injection was cut short.

It takes minutes; ``make conformance`` runs it.
"""

import os

import pytest

from drill import catalogue, testing
from tests.e2e.conftest import Lab

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not os.environ.get("DRILL_CONFORMANCE"), reason="takes minutes: make conformance"),
]


@pytest.fixture
def ground(lab: Lab) -> testing.Ground:
    """Give the lab."""
    return testing.Ground(lab.target, lab.fingerprint)


class TestFaults(testing.FaultConformance):
    """Those of all scenarios that are installed."""

    scenarios = tuple(catalogue.find(name) for name in catalogue.names())
