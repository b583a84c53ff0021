"""``drill infra`` and ``drill lab up --empty`` on a lab, as a person types them."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drill import target as targets
from infra import deploy_account, deploy_config
from infra.lab import session
from infra.lab.fingerprint import fingerprint

pytestmark = pytest.mark.slow

# The limit, for a machine that does nothing else; several times that means that something hangs.
DEPLOYED_WITHIN_S = 20
PATIENCE = 6


@dataclass(frozen=True)
class Ended:
    """A command that has ended.

    Attributes:
        code: Its exit code.
        out: What it printed.
        err: What it printed to standard error.
        took_s: How long it took.

    """

    code: int
    out: str
    err: str
    took_s: float


def drill(*arguments: object) -> Ended:
    """Run a command."""
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "drill", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr, time.monotonic() - began)


@pytest.fixture
def state() -> Iterator[Path]:
    """Give the folder of an empty lab that is up."""
    folder = session.folder()
    up = drill("lab", "up", "--empty", "--hours", "0.2", "--state", folder)
    assert up.code == 0, up.err
    assert f"drill infra deploy --config {folder}/system.yaml --yes" in up.out
    try:
        yield folder
    finally:
        drill("lab", "down", "--state", folder)


def configured(state: Path) -> str:
    """Return the fingerprint of everything on the lab."""
    config = deploy_config.load(state / "system.yaml")
    return fingerprint(deploy_account.clients(config), config.regions)


def test_an_empty_lab_says_what_to_do(state: Path) -> None:
    """Nothing is deployed, every stack is missing, both say the next command, and a second lab is refused."""
    shown = drill("lab", "status", "--state", state)
    assert f"system file    {state}/system.yaml" in shown.out
    assert f"drill infra deploy --config {state}/system.yaml --yes" in shown.out

    missing = drill("infra", "status", "--config", state / "system.yaml")
    assert missing.code == 1
    assert missing.out.count(" missing") == 24
    last = missing.out.splitlines()[-1]
    assert last == f"0 of 24 stacks are complete; go on with: drill infra deploy --config {state}/system.yaml"

    nothing = drill("infra", "outputs", "--config", state / "system.yaml")
    assert "is not deployed; deploy it with: drill infra deploy" in nothing.out

    again = drill("lab", "up", "--empty", "--state", state)
    assert again.code == 64
    assert again.err.strip() == f"drill: a lab is up in {state}; stop it with: drill lab down"
    assert drill("lab", "status", "--state", state).code == 0


def test_a_system_comes_and_goes(state: Path) -> None:
    """Planned, failed, interrupted, deployed, checked, destroyed: each says what it did, and what is next."""
    config, before = state / "system.yaml", configured(state)
    name = deploy_config.load(config).name

    plan = drill("infra", "deploy", "--config", config, "--plan-only")
    assert plan.code == 0, plan.err
    assert f"new {name}-network in us-east-1: " in plan.out
    assert "its changes are known once" in plan.out
    assert configured(state) == before

    fail_once(state)
    interrupt(state)
    deployed = drill("infra", "deploy", "--config", config, "--yes")
    assert deployed.code == 0, deployed.err
    assert deployed.took_s < PATIENCE * DEPLOYED_WITHIN_S
    assert deployed.out.splitlines()[-1] == f"check it with: drill target check --target {state}/target.yaml"
    assert targets.load(state / "target.yaml").name == name
    assert "CREATE_COMPLETE" in deployed.out
    assert "\x1b" not in deployed.out

    assert drill("target", "check", "--target", state / "target.yaml").code == 0
    complete = drill("infra", "status", "--config", config)
    assert (complete.code, complete.out.splitlines()[-1]) == (0, "all 24 stacks are complete")
    given = json.loads(drill("infra", "outputs", "--config", config, "--json").out)
    assert given["us-east-1"][f"{name}-dns"]["ServiceName"] == "orders.example.test"

    again = drill("infra", "deploy", "--config", config, "--yes")
    assert "nothing changes: every stack is as the system file wants it" in again.out.splitlines()

    destroyed = drill("infra", "destroy", "--config", config, "--delete-data", name)
    assert destroyed.code == 0, destroyed.err
    assert destroyed.out.splitlines()[-1] == f"{name} is gone from us-east-1 and us-west-2"
    assert configured(state) == before


def fail_once(state: Path) -> None:
    """See a stack fail with one line that says what to type once its cause is mended; mend it."""
    config = deploy_config.load(state / "system.yaml")
    kms = deploy_account.clients(config)("kms", "us-west-2")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{config.name}", TargetKeyId=key)

    failed = drill("infra", "deploy", "--config", state / "system.yaml", "--yes")

    assert failed.code == 64
    (line,) = failed.err.splitlines()
    assert line.startswith(
        f"drill: stack {config.name}-keys in us-west-2 failed at Alias (AWS::KMS::Alias): "
    )
    assert line.endswith(f"then go on with: drill infra deploy --config {state}/system.yaml")
    assert not (state / "target.yaml").exists()
    kms.delete_alias(AliasName=f"alias/{config.name}")
    kms.schedule_key_deletion(KeyId=key)


def interrupt(state: Path) -> None:
    """See the same command go on, and Ctrl-C end it at once with 130; CloudFormation finishes."""
    name = deploy_config.load(state / "system.yaml").name
    command = [sys.executable, "-m", "drill", "infra", "deploy", "--config", f"{state}/system.yaml", "--yes"]
    began = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert began.stdout is not None
    printed = []
    for line in began.stdout:
        printed.append(line)
        if "CREATE_IN_PROGRESS" in line:
            break
    began.send_signal(signal.SIGINT)
    rest, err = began.communicate(timeout=60)
    out = "".join([*printed, rest])
    assert began.returncode == 130
    assert f"stack {name}-keys in us-west-2 is ROLLBACK_COMPLETE, left by an attempt that failed" in out
    said = f"drill infra deploy --config {state}/system.yaml"
    assert f"interrupted; CloudFormation finishes what it began; go on with: {said}" in err
    assert "Traceback" not in err
