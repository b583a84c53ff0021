"""Pauses the replication of a DynamoDB global table, by AWS's own fault injection service.

While the experiment runs, the table in its region exchanges nothing with its replicas;
writes are accepted and wait. AWS may still replicate for some minutes after it has begun.
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill import clock
from drill.errors import DrillError
from drill.faults.contract import (
    MADE_BY_A_DRILL,
    RUN_TAG,
    TAGGED_AS_MADE,
    Call,
    Fault,
    Intent,
    Resource,
)
from drill.faults.reads import READS, all_agree
from drill.model import CostItem, Json

if TYPE_CHECKING:
    from drill.aws import Aws

ACTION = "aws:dynamodb:global-table-pause-replication"
FINISHED = frozenset({"completed", "stopped", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class ReplicationPause(Fault):
    """Runs an AWS FIS experiment on one table.

    Attributes:
        region: The region whose table stops exchanging writes.
        table_arn: That table.
        role_arn: The role under which AWS FIS acts.
        duration_s: When the experiment ends by itself; rounded up to whole minutes, at least one
            and at most twelve hours.
        wait_s: How long the experiment may take to start, and to stop.
        poll_s: How often it is looked at meanwhile.

    """

    region: str
    table_arn: str
    role_arn: str
    duration_s: int
    wait_s: float = 120.0
    poll_s: float = 0.5

    kind = "replication-pause"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of all experiments, and writes of those that carry a drill's tag."""
        fis = f"arn:{{partition}}:fis:{self.region}:{{account}}"
        template, experiment = (f"{fis}:experiment-template/*",), (f"{fis}:experiment/*",)
        # AWS's own actions belong to no account.
        action = (f"arn:{{partition}}:fis:{self.region}:*:action/{ACTION}",)
        to_fis = {"StringEquals": {"iam:PassedToService": "fis.amazonaws.com"}}
        create, start, tag = "CreateExperimentTemplate", "StartExperiment", ("fis:TagResource",)
        return (
            Call("capture", "fis", "ListExperiments"),
            Call("capture", "fis", "GetExperiment", experiment),
            Call("inject", "fis", create, template, TAGGED_AS_MADE),
            Call("inject", "fis", create, action),
            Call("inject", "fis", create, template, TAGGED_AS_MADE, tag),
            Call("inject", "fis", create, (self.role_arn,), to_fis, ("iam:PassRole",)),
            Call("inject", "fis", start, template, MADE_BY_A_DRILL),
            Call("inject", "fis", start, experiment, TAGGED_AS_MADE),
            Call("inject", "fis", start, experiment, TAGGED_AS_MADE, tag),
            Call("inject", "fis", "GetExperiment", experiment),
            Call("undo", "fis", "ListExperiments"),
            Call("undo", "fis", "StopExperiment", experiment, MADE_BY_A_DRILL),
            Call("undo", "fis", "GetExperiment", experiment),
            Call("undo", "fis", "ListExperimentTemplates"),
            Call("undo", "fis", "DeleteExperimentTemplate", template, MADE_BY_A_DRILL),
            Call("undone", "fis", "ListExperiments"),
            Call("undone", "fis", "ListExperimentTemplates"),
        )

    @property
    def costs(self) -> tuple[CostItem, ...]:
        """AWS FIS bills the minutes of its actions, until it is stopped."""
        return (CostItem("AWS FIS's experiment", "experiment_action_minute", 1, _minutes(self.duration_s)),)

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            f"none is needed: AWS FIS ends the experiment by itself after {_minutes(self.duration_s)} min; "
            "its id, which a call to stop it sooner would need, is not known before it starts"
        )

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"replication of {self._table()} between {self.region} and its other regions is paused "
            f"for at most {_minutes(self.duration_s)} min by an AWS FIS experiment"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the table."""
        return (Resource("table", "dynamodb", self.region, self.table_arn),)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Make sure that no experiment is on this table; there is no other state to put back.

        Raises:
            DrillError: An experiment is.

        """
        client = aws.client("fis", self.region)
        for one in _pages(client.list_experiments, "experiments"):
            if one["state"]["status"] in FINISHED:
                continue
            targets = client.get_experiment(id=one["id"])["experiment"].get("targets") or {}
            if any(self.table_arn in (target.get("resourceArns") or ()) for target in targets.values()):
                msg = (
                    f"experiment {one['id']} is on {self._table()} already; wait for its end or stop it: "
                    f"aws fis stop-experiment --region {self.region} --id {one['id']}"
                )
                raise DrillError(msg)
        return {"experiments": []}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Start the experiment, and return when it runs.

        Raises:
            DrillError: It ended, or had not begun in time.

        """
        client = aws.client("fis", self.region)
        tags = self._tags(intent.run_id)
        template = client.create_experiment_template(
            clientToken=self._token("template", intent), roleArn=self.role_arn, tags=tags, **self._template()
        )["experimentTemplate"]
        experiment = client.start_experiment(
            clientToken=self._token("experiment", intent), experimentTemplateId=template["id"], tags=tags
        )["experiment"]
        state = self._await(aws, experiment["id"], lambda status: status in FINISHED | {"running"})
        if state["status"] != "running":
            msg = (
                f"experiment {experiment['id']} on {self._table()} is {state['status']} "
                f"({state.get('reason', 'no reason given')}); undo it with: drill recover {intent.run_id}"
            )
            raise DrillError(msg)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Stop this run's experiments, wait for their end, and delete its templates.

        They are found by their tags, in a list; what one list lacks, another may have.

        Raises:
            DrillError: One had not ended in time.

        """
        for _ in range(READS):
            for experiment_id in self._unfinished(aws, run_id):
                self._stop(aws, experiment_id)
            for template_id in self._templates(aws, run_id):
                self._delete(aws, template_id)
        return ()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether nothing of this run goes on or is left."""
        return all_agree(lambda: not self._unfinished(aws, run_id) and not self._templates(aws, run_id))

    def _table(self) -> str:
        return self.table_arn.rpartition("/")[2]

    def _template(self) -> dict[str, Any]:
        target = {
            "resourceType": "aws:dynamodb:global-table",
            "resourceArns": [self.table_arn],
            "selectionMode": "ALL",
        }
        action = {
            "actionId": ACTION,
            "parameters": {"duration": f"PT{_minutes(self.duration_s)}M"},
            "targets": {"Tables": "table"},
        }
        return {
            "description": f"drill: pause the replication of {self._table()}",
            "stopConditions": [{"source": "none"}],
            "targets": {"table": target},
            "actions": {"pause": action},
        }

    def _tags(self, run_id: str) -> dict[str, str]:
        return {RUN_TAG: run_id, "Name": f"drill-pause-{self._table()}"}

    def _token(self, of: str, intent: Intent) -> str:
        """Return a token by which AWS knows a repeated call as the same one."""
        named = f"{intent.run_id}/{intent.step}/{self.table_arn}/{of}"
        return hashlib.sha256(named.encode()).hexdigest()[:32]

    def _mine(self, tagged: Mapping[str, Any], run_id: str) -> bool:
        return self._tags(run_id).items() <= (tagged.get("tags") or {}).items()

    def _unfinished(self, aws: "Aws", run_id: str) -> list[str]:
        found = _pages(aws.client("fis", self.region).list_experiments, "experiments")
        return [
            one["id"] for one in found if self._mine(one, run_id) and one["state"]["status"] not in FINISHED
        ]

    def _templates(self, aws: "Aws", run_id: str) -> list[str]:
        found = _pages(aws.client("fis", self.region).list_experiment_templates, "experimentTemplates")
        return [one["id"] for one in found if self._mine(one, run_id)]

    def _stop(self, aws: "Aws", experiment_id: str) -> None:
        client = aws.client("fis", self.region)
        try:
            client.stop_experiment(id=experiment_id)
        except ClientError:
            # It may have ended by itself since it was listed; anything else is an error.
            if client.get_experiment(id=experiment_id)["experiment"]["state"]["status"] not in FINISHED:
                raise
        self._await(aws, experiment_id, lambda status: status in FINISHED)

    def _delete(self, aws: "Aws", template_id: str) -> None:
        try:
            aws.client("fis", self.region).delete_experiment_template(id=template_id)
        except ClientError as problem:
            # An old answer may still list what is gone.
            if problem.response["Error"]["Code"] != "ResourceNotFoundException":
                raise

    def _await(self, aws: "Aws", experiment_id: str, reached: Callable[[str], bool]) -> Mapping[str, Any]:
        client = aws.client("fis", self.region)
        ends_ns = clock.monotonic_ns() + int(self.wait_s * 1e9)
        while True:
            state: Mapping[str, Any] = client.get_experiment(id=experiment_id)["experiment"]["state"]
            if reached(state["status"]):
                return state
            if clock.monotonic_ns() >= ends_ns:
                msg = (
                    f"experiment {experiment_id} is still {state['status']} after {self.wait_s:g} s; "
                    f"see: aws fis get-experiment --region {self.region} --id {experiment_id}"
                )
                raise DrillError(msg)
            clock.sleep(self.poll_s)


def _minutes(seconds: int) -> int:
    """Return whole minutes, at least one and at most AWS FIS's twelve hours."""
    return min(max(-(-seconds // 60), 1), 720)


def _pages(call: Callable[..., Mapping[str, Any]], key: str) -> list[Mapping[str, Any]]:
    """Return what a list call has on all its pages."""
    found: list[Mapping[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = call(**more)
        found += page[key]
        if not page.get("nextToken"):
            return found
        more = {"nextToken": page["nextToken"]}
