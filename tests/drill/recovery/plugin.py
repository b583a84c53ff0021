"""A scenario and a fault of the tests' own: every step makes a queue, ready and gone after known times."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from pydantic import Field

from drill import clock
from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import RUN_TAG, Call, DeadMan, Fault, Intent, Resource
from drill.model import GuardSpec, History, Json, MeasureSpec, Objective, ProbeSpec
from drill.scenario import Params, Scenario, Step
from drill.target import Target

MADE, LEAVING = "made-ns", "leaving-ns"
NEVER_S = 1e6
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
REFUSED_NAME = "not a name that SQS takes"


@dataclass(frozen=True, slots=True)
class MadeQueue(Fault):
    """Makes a queue that is ready after a while, and that takes a while to go.

    Attributes:
        name: What its name begins with; the run's id follows.
        ready_after_s: How long after it was made it is ready.
        fails: It turns out that it can never be ready.
        gone_after_s: How long after its undo was first called it is deleted.
        undo_may_take_s: What it says of that.
        region: Where it is.

    """

    name: str
    ready_after_s: float = 0.0
    fails: bool = False
    gone_after_s: float = 0.0
    undo_may_take_s: float = 0.0
    region: str = "us-west-2"

    kind = "made-queue"

    @property
    def calls(self) -> tuple[Call, ...]:
        """All on queues of this region."""
        on = (f"arn:{{partition}}:sqs:{self.region}:{{account}}:*",)
        return (
            Call("inject", "sqs", "CreateQueue", on),
            Call("inject", "sqs", "TagQueue", on),
            Call("undo", "sqs", "GetQueueUrl", on),
            Call("undo", "sqs", "ListQueueTags", on),
            Call("undo", "sqs", "TagQueue", on),
            Call("undo", "sqs", "DeleteQueue", on),
            Call("undone", "sqs", "GetQueueUrl", on),
        )

    @property
    def undo_within_s(self) -> float:
        """As told."""
        return self.undo_may_take_s

    @property
    def dead_man_note(self) -> str:
        """Say that there is none."""
        return "none: it is a test's"

    def describe(self) -> str:
        """Say what is made."""
        return f"queue {self.name} is made"

    def touches(self) -> tuple[Resource, ...]:
        """Nothing that is there."""
        return ()

    def capture(self, aws: Aws) -> Mapping[str, Json]:
        """There is nothing before."""
        return {}

    def inject(self, aws: Aws, before: Mapping[str, Json], intent: Intent) -> None:
        """Make it."""
        name = self.name if self.name == REFUSED_NAME else self._name(intent.run_id)
        made: dict[str, Any] = {RUN_TAG: intent.run_id, MADE: str(clock.monotonic_ns())}
        aws.client("sqs", self.region).create_queue(QueueName=name, tags=made)

    def ready(self, aws: Aws, before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether its time has come."""
        if self.fails:
            msg = f"queue {self.name} is broken; make another one"
            raise DrillError(msg)
        tags = self._tags(aws, run_id)
        return tags is not None and self._passed_s(tags[MADE]) >= self.ready_after_s

    def undo(self, aws: Aws, before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Delete it, once its time has come."""
        tags = self._tags(aws, run_id)
        if tags is None:
            return ()
        client, url = aws.client("sqs", self.region), self._url(aws, run_id)
        if LEAVING not in tags:
            tags[LEAVING] = str(clock.monotonic_ns())
            client.tag_queue(QueueUrl=url, Tags={LEAVING: tags[LEAVING]})
        if self._passed_s(tags[LEAVING]) >= self.gone_after_s:
            client.delete_queue(QueueUrl=url)
        return ()

    def undone(self, aws: Aws, before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether it is gone."""
        return self._url(aws, run_id) is None

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return none."""
        return DeadMan((), self.dead_man_note)

    def _name(self, run_id: str) -> str:
        return f"{self.name}-{run_id}"

    def _url(self, aws: Aws, run_id: str) -> str | None:
        if self.name == REFUSED_NAME:
            return None
        try:
            found = aws.client("sqs", self.region).get_queue_url(QueueName=self._name(run_id))
        except ClientError as problem:
            if not problem.response["Error"]["Code"].endswith(("NonExistentQueue", "QueueDoesNotExist")):
                raise
            return None
        return str(found["QueueUrl"])

    def _tags(self, aws: Aws, run_id: str) -> dict[str, str] | None:
        url = self._url(aws, run_id)
        if url is None:
            return None
        return dict(aws.client("sqs", self.region).list_queue_tags(QueueUrl=url)["Tags"])

    @staticmethod
    def _passed_s(since: str) -> float:
        return (clock.monotonic_ns() - int(since)) / 1e9


class RecoveringParams(Params):
    """What can be chosen.

    Attributes:
        pause_s: How long the drill stays between the two steps of the procedure.

    """

    pause_s: float = Field(0.0, ge=0, description="Seconds between the two steps of the procedure.")


class Recovering(Scenario[RecoveringParams]):
    """Breaks one thing, and follows a procedure of two steps."""

    name = "recovering"
    title = "Something is recovered"
    hypothesis = "It is."
    covers = ("nothing",)
    parameters = RecoveringParams
    awaited = "the second queue"

    def steps(self, target: Target, params: RecoveringParams) -> tuple[Step, ...]:
        """One."""
        return (Step("break", MadeQueue("broken")),)

    def recovery(self, target: Target, params: RecoveringParams) -> tuple[Step, ...]:
        """Two, the second of which needs the first."""
        return (
            Step("first", MadeQueue("first"), then_wait_s=params.pause_s),
            Step("second", MadeQueue("second"), needs=("first",)),
        )

    def guards(self, target: Target, params: RecoveringParams) -> tuple[GuardSpec, ...]:
        """None."""
        return ()

    def probes(self, target: Target, params: RecoveringParams) -> tuple[ProbeSpec, ...]:
        """None: the engine's own instants are what the tests are about."""
        return ()

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Say yes."""
        return True

    def took_effect(self, target: Target, params: RecoveringParams, history: History) -> bool:
        """Say whether anything was injected, or was declared to be."""
        return history.marks.injected is not None

    def ended(self, target: Target, params: RecoveringParams, history: History) -> bool:
        """Say whether every step of the procedure is complete."""
        ready = {one.step for one in history.marks.steps if one.ready is not None}
        return ready >= {step.name for step in self.recovery(target, params)}

    def measures(self, target: Target, params: RecoveringParams) -> tuple[MeasureSpec, ...]:
        """None."""
        return ()

    def objectives(self, target: Target, params: RecoveringParams) -> tuple[Objective, ...]:
        """None."""
        return ()


def install(folder: Path) -> None:
    """Write what ``pip`` would write of a package with these plugins; importlib finds it on the path.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    written = folder / "drill_recovery_tests-1.dist-info"
    written.mkdir(parents=True)
    (written / "METADATA").write_text("Metadata-Version: 2.1\nName: drill-recovery-tests\nVersion: 1\n")
    (written / "entry_points.txt").write_text(
        f"[drill.scenarios]\n{Recovering.name} = {__name__}:Recovering\n"
        f"[drill.faults]\n{MadeQueue.kind} = {__name__}:MadeQueue\n"
    )
