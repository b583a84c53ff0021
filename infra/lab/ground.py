"""A lab as the ground of the conformance suite, for the tests of whoever writes a scenario."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from drill import plan, target
from drill.aws import Aws
from drill.scenario import Scenario
from drill.testing import Ground
from drill.testing.ways import ways
from infra.lab import session
from infra.lab.fingerprint import fingerprint
from infra.lab.permit import permitted

GIVEN = "DRILL_TARGET"


@contextmanager
def lab_ground(*scenarios: Scenario[Any]) -> Iterator[Ground]:
    """Yield a system that may be broken, whose drills' role may do what these scenarios need.

    It is a lab that is started for the block, or, where ``DRILL_TARGET`` names the target file of one
    that is up, that one.
    """
    with ExitStack() as stack:
        given = os.environ.get(GIVEN)
        if given:
            where = target.load(Path(given))
        else:
            runs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drill-runs-")))
            where = stack.enter_context(session.temporary("fast", runs, print))
        plans = [plan.make(way.scenario, way.params, where) for one in scenarios for way in ways(one)]
        stack.enter_context(permitted(*plans))
        clients = Aws.of(where, as_operator=True).client
        regions = (where.primary.name, where.standby.name)
        yield Ground(where, lambda: fingerprint(clients, regions))
