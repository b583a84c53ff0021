"""Functions of a small handler, over a control plane that only holds them."""

import asyncio
import contextlib
import io
import json
import textwrap
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from infra.lab import functions, truth, world
from infra.lab.addresses import Addresses
from infra.lab.profile import FAST

HANDLER = """
import os, signal, socket, sys, time

CALLS = 0

def handle(event, context):
    global CALLS
    CALLS += 1
    match event.get("do"):
        case "sleep":
            time.sleep(event["seconds"])
        case "raise":
            raise ValueError("told to")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(7)
        case "resolve":
            return [entry[4][0] for entry in socket.getaddrinfo(event["name"], 80, type=socket.SOCK_STREAM)]
        case "environment":
            return dict(os.environ)
    left_ms = context.get_remaining_time_in_millis()
    return {"pid": os.getpid(), "calls": CALLS, "left_ms": left_ms, "arn": context.invoked_function_arn}
"""


def archive(code: str) -> bytes:
    """Return the zip archive of one module ``app.py``."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("app.py", textwrap.dedent(code))
    return file.getvalue()


def make_function(**changed: Any) -> world.Function:
    """Return a function of ``HANDLER``."""
    code = changed.pop("source", HANDLER)
    defaults: dict[str, Any] = {
        "name": "shop",
        "region": "us-east-1",
        "version": "$LATEST",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:shop",
        "handler": "app.handle",
        "runtime": "python3.11",
        "memory_mb": 128,
        "timeout_s": 5.0,
        "environment": {"GREETING": "hello"},
        "code_sha256": str(hash(code)) + "/+=",
        "code": archive(code),
        "subnet_ids": ("subnet-1",),
        "vpc_id": "vpc-1",
        "provisioned": 0,
    }
    return world.Function(**{**defaults, **changed})


class Control:
    """Holds a snapshot, and notes how many processes are said to be warm."""

    def __init__(self, snapshot: world.Snapshot) -> None:
        """Take the snapshot."""
        self.held = snapshot
        self.ready: list[int] = []

    def snapshot(self) -> world.Snapshot:
        """Return it."""
        return self.held

    def provisioned_ready(self, region: str, function: str, version: str, ready: int) -> None:
        """Note the number."""
        self.ready.append(ready)


def endpoints(region: str, *, inside: bool) -> dict[str, str]:
    """Return addresses of the AWS API that tell region and place apart."""
    return {"AWS_ENDPOINT_URL": f"http://{region}{'' if inside else '-outside'}"}


class Lab:
    """Functions in a loop of their own thread's making."""

    def __init__(self, state_dir: Path, snapshot: world.Snapshot, **changed: Any) -> None:
        """Make them in ``state_dir``."""
        self.control = Control(snapshot)
        self.truth = truth.TruthLog(state_dir / "truth.jsonl")
        self.state_dir = state_dir
        self.functions = functions.Functions(
            Addresses(16, ("us-east-1", "us-west-2")),
            FAST,
            self.truth,
            self.control,  # type: ignore[arg-type]  # functions ask for no more than this
            state_dir,
            **{"endpoints_for": endpoints, "dns_port": 53, **changed},
        )

    def starts(self) -> list[dict[str, object]]:
        """Return the starts that the truth log holds."""
        return truth.read(self.state_dir / "truth.jsonl")

    async def invoke(self, qualifier: str = "", **event: object) -> Any:
        """Invoke the function from another thread; return the answer, or the error with its kind."""
        payload = json.dumps(event).encode()
        got = await asyncio.to_thread(self.functions.invoke, "us-east-1", "shop", qualifier, payload)
        answer = json.loads(got.payload)
        return (got.error, answer) if got.error else answer


@contextlib.asynccontextmanager
async def running(state_dir: Path, *deployed: world.Function, **changed: Any) -> AsyncIterator[Lab]:
    """Give functions that are started, and close them."""
    aliases = changed.pop("aliases", ())
    lab = Lab(state_dir, world.Snapshot(functions=deployed, aliases=aliases), **changed)
    await lab.functions.start()
    try:
        lab.functions.reconcile(lab.control.held)
        yield lab
    finally:
        await lab.functions.close()
        lab.truth.close()
