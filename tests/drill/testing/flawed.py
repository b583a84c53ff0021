"""A fault and a scenario that are right but for one flaw, for the tests of the conformance suite."""

import itertools
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from pydantic import Field

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import ApiCall, Call, DeadMan, Fault, Intent, Resource
from drill.model import Goodness, GuardSpec, History, Json, MeasureSpec, Objective, ProbeSpec
from drill.scenario import Params, Scenario, Step
from drill.target import Target

REGION = "us-east-1"
_COUNT = itertools.count()


@dataclass(frozen=True, slots=True)
class Flawed(Fault):
    """Makes two queues, one after the other.

    Attributes:
        flaw: What is wrong with it; nothing if empty.

    """

    flaw: str = ""

    kind = "flawed"
    plain_undo = True

    @property
    def calls(self) -> tuple[Call, ...]:
        """On queues of this region whose name begins as theirs do."""
        name = "other" if self.flaw == "wrong resource" else "conformance-*"
        region = "us-west-2" if self.flaw == "wrong region" else REGION
        on = (f"arn:{{partition}}:sqs:{region}:{{account}}:{name}",)
        actions = ["CreateQueue", "GetQueueUrl", "DeleteQueue", "TagQueue"]
        if self.flaw == "undeclared call":
            actions.remove("DeleteQueue")
        if self.flaw == "no such call":
            actions.append("BreakQueue")
        return tuple(Call("inject", "sqs", action, on) for action in actions)

    @property
    def dead_man_note(self) -> str:
        """Say what it does."""
        return "the first queue is deleted"

    def describe(self) -> str:
        """Say what is made."""
        return "two queues are made." if self.flaw == "full stop" else "two queues are made"

    def touches(self) -> tuple[Resource, ...]:
        """Nothing that is there."""
        return ()

    def capture(self, aws: Aws) -> Mapping[str, Json]:
        """There is nothing before."""
        if self.flaw == "capture writes":
            aws.client("sqs", REGION).create_queue(QueueName="conformance-captured")
        return {}

    def inject(self, aws: Aws, before: Mapping[str, Json], intent: Intent) -> None:
        """Make them."""
        for number in () if self.flaw == "makes nothing" else (1, 2):
            aws.client("sqs", REGION).create_queue(QueueName=f"{intent.run_id}-{number}")

    def undo(self, aws: Aws, before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Delete them."""
        there = self._there(aws, run_id)
        if self.flaw in {"undoes nothing", "makes nothing"} or (
            self.flaw == "undoes the whole only" and len(there) < 2
        ):
            return ()
        if self.flaw == "not twice" and not there:
            msg = "there is nothing to delete"
            raise DrillError(msg)
        for url in there:
            aws.client("sqs", REGION).delete_queue(QueueUrl=url)
        return ("somebody changed something",) if self.flaw == "drifts" else ()

    def undone(self, aws: Aws, before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether they are gone."""
        believes = ("undoes nothing", "undoes the whole only", "undone lies", "makes nothing")
        return self.flaw in believes or not self._there(aws, run_id)

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return a call on the first."""
        if self.flaw == "no dead man":
            return DeadMan((), self.dead_man_note)
        key = "Queue" if self.flaw == "wrong request" else "QueueUrl"
        return DeadMan((ApiCall("sqs", REGION, "DeleteQueue", {key: f"{run_id}-1"}),), self.dead_man_note)

    @staticmethod
    def _there(aws: Aws, run_id: str) -> list[str]:
        found = []
        for number in (1, 2):
            try:
                found.append(
                    aws.client("sqs", REGION).get_queue_url(QueueName=f"{run_id}-{number}")["QueueUrl"]
                )
            except ClientError as problem:
                if not problem.response["Error"]["Code"].endswith(("NonExistentQueue", "QueueDoesNotExist")):
                    raise
        return found


@dataclass(frozen=True, slots=True)
class Forgetful(Flawed):
    """It has an argument that becomes another one in a journal."""

    pairs: tuple[tuple[str, str], ...] = (("a", "b"),)

    kind = "forgetful"


class FlawedParams(Params):
    """What can be chosen."""

    switch: bool = Field(default=False, description="A switch.")


class Bare(FlawedParams):
    """A parameter that nobody knows anything of."""

    what: int


class Sound(Scenario[Any]):
    """A scenario without a flaw."""

    name = "sound"
    title = "Two queues appear"
    hypothesis = "Nobody minds."
    covers = ("nothing",)
    parameters: type[Params] = FlawedParams
    awaited = "the queues"

    def guards(self, target: Target, params: Params) -> tuple[GuardSpec, ...]:
        """None."""
        return ()

    def steps(self, target: Target, params: Params) -> tuple[Step, ...]:
        """One."""
        return (Step("make", Flawed()),)

    def probes(self, target: Target, params: Params) -> tuple[ProbeSpec, ...]:
        """Watch the clients."""
        return (ProbeSpec("clients", "http", 1, 1),)

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Say whether anybody was served."""
        return any(one.goodness is Goodness.GOOD for one in history.observations["clients"])

    def took_effect(self, target: Target, params: Params, history: History) -> bool:
        """Say whether anybody was not served."""
        return any(one.goodness is Goodness.BAD for one in history.observations["clients"])

    def ended(self, target: Target, params: Params, history: History) -> bool:
        """Say whether anybody was served."""
        return self.steady(target, history, 0, 0)

    def measures(self, target: Target, params: Params) -> tuple[MeasureSpec, ...]:
        """One."""
        return (MeasureSpec("client_outage", "clients"),)

    def objectives(self, target: Target, params: Params) -> tuple[Objective, ...]:
        """None."""
        return ()


class Undocumented(Sound):
    """Its parameter has neither a text nor a default."""

    parameters = Bare


class Wordy(Sound):
    """Its texts are no parts of sentences."""

    title = "Two queues appear."
    hypothesis = "Nobody minds"
    awaited = "the\nqueues"


class Credulous(Sound):
    """It takes it for granted that its fault bites."""

    def took_effect(self, target: Target, params: Params, history: History) -> bool:
        """Say yes once it was injected."""
        return history.marks.injected is not None


class Misled(Sound):
    """It asks for what there is not."""

    def measures(self, target: Target, params: Params) -> tuple[MeasureSpec, ...]:
        """Two that can't be."""
        return (MeasureSpec("luck", "clients"), MeasureSpec("client_outage", "nobody"))


class Blind(Sound):
    """It asks for a probe that there is not."""

    def probes(self, target: Target, params: Params) -> tuple[ProbeSpec, ...]:
        """One that can't be."""
        return (ProbeSpec("clients", "crystal-ball", 1, 1),)


class Fickle(Sound):
    """It plans something else each time."""

    def steps(self, target: Target, params: Params) -> tuple[Step, ...]:
        """Another name each time."""
        return (Step(f"make-{next(_COUNT)}", Flawed()),)


class Talkative(Sound):
    """It asks somebody while it plans."""

    def steps(self, target: Target, params: Params) -> tuple[Step, ...]:
        """Ask."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect(("127.0.0.1", 9))
        return super().steps(target, params)


class Lossy(Sound):
    """Its fault does not survive a journal."""

    def steps(self, target: Target, params: Params) -> tuple[Step, ...]:
        """One."""
        return (Step("make", Forgetful()),)


SCENARIOS = (Sound, Undocumented, Wordy, Credulous, Misled, Blind, Fickle, Talkative, Lossy)


def install(folder: Path) -> None:
    """Write what ``pip`` would write of a package with these plugins."""
    written = folder / "drill_conformance_tests-1.dist-info"
    written.mkdir(parents=True)
    (written / "METADATA").write_text("Metadata-Version: 2.1\nName: drill-conformance-tests\nVersion: 1\n")
    (written / "entry_points.txt").write_text(
        f"[drill.scenarios]\n{Sound.name} = {__name__}:Sound\n"
        f"[drill.faults]\n{Flawed.kind} = {__name__}:Flawed\n{Forgetful.kind} = {__name__}:Forgetful\n"
    )
