"""What a person or an alarm says in the middle of a drill ends it, with everything put back."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill import runs, target
from drill.aws import Aws
from tests.e2e.conftest import Lab
from tests.e2e.test_interrupted import LASTING, WAIT_S, begun

pytestmark = pytest.mark.slow

ALARM = "customers-suffer"


@pytest.fixture
def lab(lab: Lab, tmp_path: Path) -> Lab:
    """Give the lab with a target file of short waits: nothing here is measured."""
    return lab.timed(tmp_path / "target.yaml", warm_up_s=0.5, settle_s=0.5)


@pytest.fixture
def alarmed(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """Give a target file whose drills an alarm stops; the alarm is calm."""
    region = lab.target.standby.name
    cloudwatch = Aws.of(lab.target, as_operator=True).client("cloudwatch", region)
    cloudwatch.put_metric_alarm(
        AlarmName=ALARM,
        Namespace="shop",
        MetricName="complaints",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="nobody complains")
    stop = lab.target.stop.model_copy(update={"alarms": {region: (ALARM,)}})
    path = tmp_path / "alarmed.yaml"
    target.dump(lab.target.model_copy(update={"stop": stop}), path)
    yield path
    cloudwatch.delete_alarms(AlarmNames=[ALARM])


def stopped_by(root: Path) -> str:
    """Return what the newest run of a folder says it was stopped by."""
    folder = runs.find(root, "latest")
    return str(json.loads((folder / runs.RECORD).read_text(encoding="utf-8"))["stopped_by"])


def test_an_alarm_stops_the_drill(lab: Lab, alarmed: Path, tmp_path: Path) -> None:
    """An alarm that goes off under the fault ends in rollback, exit 5 and a record that names it."""
    before, root = lab.fingerprint(), tmp_path / "runs"
    command = [sys.executable, "-m", "drill", "run", "region-outage", "--no-audit", "--rto", "60"]
    command += [*LASTING, "--target", str(alarmed), "--runs", str(root)]
    runner = begun(
        root,
        lambda: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True),
    )
    cloudwatch = Aws.of(lab.target, as_operator=True).client("cloudwatch", lab.target.standby.name)
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="customers complain")
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert 5 == runner.returncode, printed
    assert ALARM in stopped_by(root)
    assert before == lab.fingerprint()


def test_the_operators_key_stops_the_drill(lab: Lab, tmp_path: Path) -> None:
    """``s`` at the drill's terminal ends in rollback, exit 5, and a record that says who pressed it."""
    before, root = lab.fingerprint(), tmp_path / "runs"
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", sys.executable, "-m", "drill", "run", "region-outage", "--no-audit"]
    with (tmp_path / "printed").open("w+b") as printed:
        command += ["--target", str(lab.target_path), "--runs", str(root)]
        runner = begun(root, lambda: subprocess.Popen(command, stdin=theirs, stdout=printed, stderr=printed))
        os.close(theirs)
        os.write(ours, b"s")
        returned = runner.wait(timeout=WAIT_S)
        os.close(ours)

    assert 5 == returned, (tmp_path / "printed").read_text(encoding="utf-8")
    assert "at the terminal" in stopped_by(root)
    assert before == lab.fingerprint()
