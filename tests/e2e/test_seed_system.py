"""The system exactly as the seed describes it, with all its failures at once.

It is deployed and drilled with ``DRILL_EVERY_DEFECT=1`` alone, on a lab of its own.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from drill import record, runs, target
from drill.exit_codes import BREACHED
from drill.model import Severity
from infra import deploy_account, deploy_config, stack_model
from infra.deploy import deploy
from infra.lab import session
from tests.defects import network, seed, services
from tests.defects.bench import Bench
from tests.defects.matrix import ROWS
from tests.e2e.conftest import unstarved

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("DRILL_EVERY_DEFECT") != "1", reason="on demand: make defects"),
]


@pytest.fixture(scope="module")
def broken() -> Iterator[Path]:
    """Deploy the seed's system on a lab, and give its target file."""
    state = session.folder()
    session.start(state, "fast", None, 3600)
    try:
        own = deploy_config.load(state / session.SYSTEM)
        right = stack_model.template_body

        def body(name: str) -> str:
            return seed.template(name, right(name))

        names = ("infra.stack_model.template_body", "infra.deploy.template_body")
        with mock.patch(names[0], body), mock.patch(names[1], body):
            deployed = deploy(deploy_account.clients(own), seed.config(own))
        target.dump(deployed, state / session.TARGET)
        yield state / session.TARGET
    finally:
        session.down(state)


def test_its_region_outage_does_not_recover_and_says_why(broken: Path, tmp_path: Path) -> None:
    """Clients are never served again by the deadline, and the report names the health checks."""
    arguments = ["run", "region-outage", "--blackout", "--audit"]
    where = ["--target", str(broken), "--runs", str(tmp_path)]
    ended = unstarved([sys.executable, "-m", "drill", *arguments, *where])
    found = record.read(runs.find(tmp_path, "latest") / runs.RECORD)

    assert ended.returncode == BREACHED, ended.stdout + ended.stderr
    assert "DR05: " in found.reason
    assert "it has no children" in found.reason
    assert found.rolled_back
    page = (runs.find(tmp_path, "latest") / runs.REPORT).read_text(encoding="utf-8")
    assert '<p class="because"><strong>Audit</strong> DR05: ' in page
    print(found.reason)


def test_the_audit_lists_all_of_them_in_order_of_severity(broken: Path) -> None:
    """Every row of the seed that an audit can read is told, the critical ones first."""
    bench = Bench.of(target.load(broken))
    for plant in (network.cidrs_overlap, network.edge_closed, services.placeholder):
        plant(bench)

    audited = bench.audit_until(
        lambda seen: set(ROWS) <= {one.check for one in seen.findings}, active=True, drilled_within_days=0
    )

    assert set(ROWS) <= {one.check for one in audited.findings}
    assert audited.unevaluated == ()
    order = list(Severity)
    weights = [order.index(one.severity) for one in audited.roots]
    assert weights == sorted(weights)
    assert audited.exit_code == 1
    for one in audited.findings:
        print(f"{one.check} {one.severity.value:<8} {', '.join(one.caused_by) or 'root':<18} {one.what}")
