"""Starting, finding and stopping a lab from another process."""

import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from drill import runs, target
from drill.aws import Aws
from drill.errors import DrillError, UsageError
from drill.probes.health_check import is_healthy
from drill.target import Environment, Objectives, Target, Timing
from infra import deploy, deploy_account, deploy_config
from infra.deploy_config import DeployConfig
from infra.lab import first_backup, unphysical
from infra.lab import profile as profiles
from infra.lab import ready as told
from infra.lab.ready import Ready

SYSTEM = "system.yaml"
TARGET = "target.yaml"
LOG = "lab.log"
_STARTS_S = 60.0
_STOPS_S = 20.0
# A lab that a drill started for itself and that must outlive it waits so long for its rollback.
_TEMPORARY_S = 3600.0

DOMAIN = "example.test"
# Enough for a drill's clients on either profile: some 90 writes a second at most when replication
# catches up, and 150 reads while a probe awaits what a paused replication holds back.
_TABLE_CAPACITY = 150

Say = Callable[[str], object]

# How long a drill may wait on each profile. On `fast` a checker looks every 0.2 s; on `aws` the
# documented 10 s, and an alias to a load balancer is cached for 60 s.
_TIMING = {
    "fast": Timing(
        warm_up_s=2,
        settle_s=1.5,
        deadline_s=25,
        failback_s=25,
        restore_s=60,
        probe_interval_s=0.05,
        probe_timeout_s=2,
        write_interval_s=0.1,
        api_interval_s=0.5,
        api_timeout_s=5,
        poll_s=0.05,
        effect_s=15,
        lease_s=8,
    ),
    "aws": Timing(warm_up_s=30, settle_s=20, deadline_s=600, failback_s=600, probe_interval_s=0.1),
}
_OBJECTIVES = {
    "fast": {"default": Objectives(rto_s=15, rpo_s=10, alert_s=15)},
    "aws": {"default": Objectives(rto_s=300, rpo_s=60, alert_s=300)},
}
# While the regions are parted the service goes on, and not one order is lost. An alarm takes two of
# CloudWatch's minutes, which are short on `fast`, the third that it judges late, and its way to the queue.
_PARTED = {
    "fast": Objectives(rto_s=10, rpo_writes=0, alert_s=15, failed_share=0.1),
    "aws": Objectives(rto_s=30, rpo_writes=0, alert_s=300, failed_share=0.1),
}
for _profile, _parted in _PARTED.items():
    _OBJECTIVES[_profile] |= {"peering-deletion": _parted, "network-partition": _parted}
# CloudWatch has no data of a lag while nothing replicates: nobody is told of a pause, and no alert is wanted.
for _profile, _wanted in _OBJECTIVES.items():
    _OBJECTIVES[_profile] |= {"replication-pause": Objectives(rto_s=_wanted["default"].rto_s, rpo_writes=0)}
# It is about what clients see: it does not wait for an alarm, and tells what came of it meanwhile.
for _wanted in _OBJECTIVES.values():
    _wanted["region-outage"] = _wanted["default"].model_copy(update={"alert_s": None})
# A backup a virtual hour: 72 s on `fast`. A restore is as quick as PostgreSQL starts on this machine.
_RESTORED = {
    "fast": Objectives(rto_s=60, rpo_s=120),
    "aws": Objectives(rto_s=600, rpo_s=4000),
}
for _profile, _restored in _RESTORED.items():
    _OBJECTIVES[_profile] |= {
        "aurora-snapshot-restore": _restored,
        "full-dr": _restored.model_copy(update={"rpo_s": _OBJECTIVES[_profile]["default"].rpo_s}),
    }


def start(state: Path, profile: str, port: int | None, seconds: float) -> Ready:
    """Start a lab in a folder, with nothing deployed on it, and write the system file for it.

    Raises:
        DrillError: One is up there already, or it can't start; the text says why.

    """
    if alive(state):
        msg = f"a lab is up in {state}; stop it with: drill lab down"
        raise UsageError(msg)
    profiles.profile(profile)
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    name = f"lab-{secrets.token_hex(3)}"
    chosen = [] if port is None else ["--port", str(port)]
    return _start(state, name, profile, [*chosen, "--seconds", str(seconds)])


def deployed(state: Path, say: Say) -> Target:
    """Deploy what a started lab's system file says, as it would be on AWS, and write its target file.

    Raises:
        DrillError: A stack failed, or the system is not healthy; the text says why.

    """
    began = time.monotonic()
    config = deploy_config.load(state / SYSTEM)
    made = deploy.deploy(deploy_account.clients(config), config)
    first_backup.make(made)
    _activate_tag(made)
    _await_healthy(made)
    target.dump(made, state / TARGET)
    say(f"the system is deployed in {' and '.join(config.regions)} ({time.monotonic() - began:.1f} s)")
    return made


def up(state: Path, profile: str, port: int | None, seconds: float, say: Say) -> Target:
    """Start a lab in a folder, deploy the system on it and write its target file.

    Raises:
        DrillError: One is up there already, it can't start, or a stack failed; the text says why.

    """
    start(state, profile, port, seconds)
    try:
        return deployed(state, say)
    except BaseException as problem:
        down(state)
        if isinstance(problem, DrillError):
            msg = f"{problem}; the lab was stopped; look at it step by step with: drill lab up --empty"
            raise DrillError(msg) from problem
        raise


def down(state: Path) -> None:
    """Stop the lab of a folder and delete the folder.

    Raises:
        UsageError: No lab was started there.

    """
    if not (state / told.FILE).exists():
        msg = f"no lab is up in {state}; start one with: drill lab up"
        raise UsageError(msg)
    _stop(Ready.read(state).pid)
    shutil.rmtree(state)


def status(state: Path) -> Iterator[str]:
    """Yield lines about the lab of a folder.

    Raises:
        UsageError: None is up there.

    """
    if not alive(state):
        msg = f"no lab is up in {state}; start one with: drill lab up"
        raise UsageError(msg)
    ready = Ready.read(state)
    yield f"lab {ready.name}, profile {ready.profile}, process {ready.pid}"
    yield f"AWS API        {ready.endpoint_url} ({', '.join(ready.regions)})"
    yield f"name server    {ready.name_server}"
    yield f"resolver       {ready.resolver}"
    yield f"system file    {state / SYSTEM}"
    if not (state / TARGET).exists():
        yield f"nothing is deployed on it; deploy with: drill infra deploy --config {state / SYSTEM} --yes"
    else:
        service = target.load(state / TARGET).service
        yield f"service        {service.scheme}://{service.host}:{service.port}"
        yield f"target file    {state / TARGET}"
    yield from unphysical.lines(state, Aws(ready.endpoint_url, timeout_s=30).client, ready.regions)


def alive(state: Path) -> bool:
    """Say whether the lab of a folder is up."""
    return (state / told.FILE).exists() and _runs(Ready.read(state).pid)


@contextmanager
def temporary(profile: str, root: Path, say: Say) -> Iterator[Target]:
    """Yield the target of a lab that lives for the block.

    It stays up when a run under ``root`` could not put it back, so that a rollback still can;
    then, and when this process dies, it ends by itself once nothing is left to undo.
    """
    profiles.profile(profile)
    say(f"starting a lab ({profile} profile)")
    state = folder()
    name = f"lab-{secrets.token_hex(3)}"
    life = ["--owner", str(os.getpid()), "--runs", str(root.resolve()), "--seconds", str(_TEMPORARY_S)]
    try:
        ready = _start(state, name, profile, life)
    except BaseException:
        shutil.rmtree(state)
        raise
    try:
        yield deployed(state, say)
    finally:
        if runs.unfinished(root, name):
            say(f"the lab stays up until it is put back (process {ready.pid}, state in {state})")
        else:
            _stop(ready.pid)
            shutil.rmtree(state)


def _start(state: Path, name: str, profile: str, life: list[str]) -> Ready:
    # The database's own user must get to its folder below.
    state.chmod(0o711)
    command = [sys.executable, "-m", "infra.lab.daemon", "--state", str(state.resolve())]
    command += ["--name", name, "--profile", profile, *life]
    log = str(state / LOG)
    # Not a Popen: the lab outlives whoever started it, and is found again by its process id.
    pid = os.posix_spawn(
        sys.executable,
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    until = time.monotonic() + _STARTS_S
    while not (state / told.FILE).exists():
        if not _runs(pid) or time.monotonic() > until:
            _stop(pid)
            raise DrillError(_why_not(state))
        time.sleep(0.02)
    ready = Ready.read(state)
    deploy_config.dump(_system(ready), state / SYSTEM)
    return ready


def _why_not(state: Path) -> str:
    lines = (state / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    reason = lines[-1].removeprefix("lab: ") if lines else f"it did not answer within {_STARTS_S:g} s"
    return f"the lab can't start: {reason}"


def _system(ready: Ready) -> DeployConfig:
    """Return what is deployed on a lab: small, unprotected, and drilled on its time scale."""
    primary, standby = ready.regions
    return DeployConfig(
        name=ready.name,
        primary_region=primary,
        standby_region=standby,
        domain=DOMAIN,
        http_port=ready.http_port,
        database_port=ready.database_port,
        acu_max=2,
        database_reader=True,
        table_min_capacity=_TABLE_CAPACITY,
        table_max_capacity=4 * _TABLE_CAPACITY,
        protect_data=False,
        endpoint_url=ready.endpoint_url,
        environment=Environment(kind="lab", profile=ready.profile),
        disposable=True,
        resolver=ready.resolver,
        name_servers=(ready.name_server,),
        timing=_TIMING[ready.profile],
        objectives=_OBJECTIVES[ready.profile],
    )


def _activate_tag(deployed: Target) -> None:
    """Have costs told apart by the tag that budgets count by: no stack can, so an operator must."""
    costs = Aws.of(deployed, as_operator=True).client("ce", "global")
    costs.update_cost_allocation_tags_status(
        CostAllocationTagsStatus=[{"TagKey": "project", "Status": "Active"}]
    )


def _await_healthy(deployed: Target) -> None:
    """Wait until both regions answer their health checks: only then can anything be drilled.

    Raises:
        DrillError: They do not.

    """
    aws = Aws.of(deployed, as_operator=True)
    check_ids = (deployed.primary.health_check_id, deployed.standby.health_check_id)
    healthy = Retrying(
        retry=retry_if_result(lambda all_are: not all_are),
        stop=stop_after_delay(_STARTS_S),
        wait=wait_fixed(0.1),
    )
    try:
        healthy(lambda: all(is_healthy(aws, check_id) for check_id in check_ids))
    except RetryError as problem:
        msg = (
            f"the system was deployed on the lab, but is not healthy after {_STARTS_S:g} s; try: drill lab up"
        )
        raise DrillError(msg) from problem


def _stop(pid: int) -> None:
    """End a lab by its process id, and wait until it is gone.

    Raises:
        DrillError: It does not end.

    """
    if not _runs(pid):
        return
    os.kill(pid, signal.SIGTERM)
    gone = Retrying(retry=retry_if_result(bool), stop=stop_after_delay(_STOPS_S), wait=wait_fixed(0.05))
    try:
        gone(lambda: _runs(pid))
    except RetryError:
        os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    """Say whether a process is there and no zombie; reap it if it is our own child."""
    with contextlib.suppress(ChildProcessError):  # not our child: somebody else reaps it
        os.waitpid(pid, os.WNOHANG)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def folder() -> Path:
    """Return a new folder for a lab's state that the database's own user can reach."""
    return Path(tempfile.mkdtemp(prefix="drill-lab-"))
