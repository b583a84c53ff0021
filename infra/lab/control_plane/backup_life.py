"""The life of a job of AWS Backup: made, run in a thread of its own, completed or failed with its reason."""

import threading
from collections.abc import Callable
from typing import Any

import structlog

from infra.lab.control_plane.backup_store import STORE, Job, now
from infra.lab.control_plane.backup_work import WorkFailed

log = structlog.get_logger()

_STATE = {"backup": "State", "copy": "State", "restore": "Status"}


def begin(job: Job, work: Callable[[], None]) -> None:
    """Keep a job and have its work done."""
    with STORE.lock:
        STORE.jobs[job.id] = job
    threading.Thread(target=_run, args=(job, work), name=f"{job.kind} {job.id}", daemon=True).start()


def move(job: Job, state: str, **shown: Any) -> None:
    """Show a job in a state, with whatever else is to be shown from then on."""
    with STORE.lock:
        job.shown.update({_STATE[job.kind]: state, **shown})


def complete(job: Job, **shown: Any) -> None:
    """Show a job as done."""
    percent = {} if job.kind == "copy" else {"PercentDone": "100.0"}
    move(job, "COMPLETED", CompletionDate=now(), **percent, **shown)


def fail(job: Job, reason: str) -> None:
    """Show a job as failed, and why."""
    log.warning("a job of AWS Backup failed", kind=job.kind, job=job.id, region=job.region, reason=reason)
    move(job, "FAILED", CompletionDate=now(), StatusMessage=reason)


def jobs_in(region: str, kind: str) -> list[Job]:
    """Return the jobs of a kind, the newest first."""
    with STORE.lock:
        found = [job for job in STORE.jobs.values() if (job.region, job.kind) == (region, kind)]
    return sorted(found, key=lambda job: job.shown["CreationDate"], reverse=True)


def with_token(region: str, kind: str, token: str | None) -> Job | None:
    """Return the job that a request made before, if this one is the same again."""
    mine = [job for job in jobs_in(region, kind) if token and job.token == token]
    return mine[0] if mine else None


def _run(job: Job, work: Callable[[], None]) -> None:
    try:
        work()
    except WorkFailed as problem:
        fail(job, str(problem))
    except Exception as problem:
        log.exception("a job of AWS Backup broke", job=job.id)
        fail(job, f"Internal error: {problem!r}")
