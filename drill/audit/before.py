"""The audit before a drill: what is wrong already, for the report to tell beside what it explains."""

from datetime import datetime
from pathlib import Path

from drill import clock
from drill.audit import catalogue, forms, runner
from drill.audit.reads import Reads
from drill.audit.system import System
from drill.aws import Aws
from drill.model import Audit
from drill.progress import Progress, Steadfast
from drill.target import Target

# A drill does not wait longer for it; what is not looked at by then is listed.
_LIMIT_S = 20.0
_DRILLED_WITHIN_DAYS = 90.0


def look(target: Target, runs: Path, progress: Progress) -> Audit:
    """Look at all that could explain what a drill measures; it reads, and only reads.

    It is asked as the operator: the role of drills may do what drills do, and no more.
    """
    progress = Steadfast(progress)
    progress.phase("audit", "looking at what could explain the outcome")
    # A plugin that can't be loaded is no reason not to drill.
    installed, broken = catalogue.usable()
    checks = [check for check in installed if check.explains]
    aws = Aws.of(target, attempts=2, as_operator=True)
    at = datetime.fromisoformat(clock.now().wall)
    audited = runner.run(checks, System(target, Reads(aws), at, runs, _DRILLED_WITHIN_DAYS), _LIMIT_S)
    for one in audited.roots:
        progress.said(f"audit: {forms.told(one)}")
    unevaluated = (*audited.unevaluated, *broken)
    if unevaluated:
        progress.said(f"audit: {len(unevaluated)} parts could not be looked at; see: drill audit")
    missed = tuple(f"{one.check} {one.where}: {one.why}" for one in unevaluated)
    return Audit(audited.findings, missed)
