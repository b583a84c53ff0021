"""What a fault is: capture, inject, undo, undone?

A fault is a frozen dataclass whose fields are its JSON-able arguments, so that any later
process can build it again from a journal and undo it. ``inject`` demands an
:class:`Intent`, which only :meth:`drill.journal.Journal.intend` makes, after the undo has
been written and fsynced: nothing can be broken without a recorded undo.

Undo must be idempotent, and right whether the injection happened, half happened or never
did. It looks volatile ids up when it runs, and finds what the fault made by the tag
``drill:run-id``. It compares before it puts back: what somebody else changed meanwhile stays
as they made it and is told of.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from drill.model import CostItem, Finding, Json

if TYPE_CHECKING:
    from drill.aws import Aws

RUN_TAG = "drill:run-id"
"""The tag on all that a fault makes; its value is the run's id."""


@dataclass(frozen=True, slots=True)
class Call:
    """An AWS call that is made, for the plan and for the least-privilege policy.

    A call that needs several permissions, or one on several kinds of resources under different
    conditions, is listed once for each: one ``Call`` is one statement of the policy.

    Attributes:
        when: Which method makes it; ``arm`` for the dead-man's undo.
        service: boto3's name of the service, for example ``route53``.
        action: The call, for example ``UpdateHealthCheck``.
        resources: ARNs that it is made on, ``*`` where IAM knows none; ``{partition}`` and
            ``{account}`` stand for the target's.
        conditions: An IAM condition block; ``{partition}``, ``{account}``, ``{opt_in_key}`` and
            ``{opt_in_value}`` stand for the target's.
        grants: The permissions that this entry is about, for example ``iam:PassRole``; empty where
            it is the one with the call's own name.

    """

    when: Literal["capture", "arm", "inject", "undo", "undone"]
    service: str
    action: str
    resources: tuple[str, ...] = ("*",)
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    grants: tuple[str, ...] = ()


OPTED_IN: Mapping[str, Mapping[str, str]] = {
    "StringEquals": {"aws:ResourceTag/{opt_in_key}": "{opt_in_value}"}
}
"""The condition that a resource carries the target's opt-in tag."""
MADE_BY_A_DRILL: Mapping[str, Mapping[str, str]] = {"StringLike": {f"aws:ResourceTag/{RUN_TAG}": "*"}}
"""The condition that a resource was made by a drill."""
TAGGED_AS_MADE: Mapping[str, Mapping[str, str]] = {"StringLike": {f"aws:RequestTag/{RUN_TAG}": "*"}}
"""The condition that what is being made gets the tag of a drill."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Something in AWS that a fault changes.

    Attributes:
        kind: For example ``health check``.
        service: boto3's name of the service that tags it.
        region: Where it is; ``global`` where it has none.
        id: Its id, name or ARN, as the service's tag call wants it.

    """

    kind: str
    service: str
    region: str
    id: str


@dataclass(frozen=True, slots=True)
class Intent:
    """Proof that the undo of one step is on disk; made by ``Journal.intend`` alone.

    Attributes:
        run_id: The drill, for the tag on what the fault makes.
        step: The step's name.

    """

    run_id: str
    step: str


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of the AWS API, complete.

    Attributes:
        service: boto3's name of the service.
        region: Where it is made; ``global`` where the service has no regions.
        action: As the API names it, for example ``UpdateHealthCheck``.
        request: Its parameters, as the API names them.

    """

    service: str
    region: str
    action: str
    request: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class DeadMan:
    """What undoes a fault when nobody is left to do it.

    Attributes:
        calls: The calls, in any order; each must be right without the others. Empty where the undo is
            not plain calls that are known before the injection.
        note: One line for the plan: what they do, or why there are none.

    """

    calls: tuple[ApiCall, ...]
    note: str


class Fault(ABC):
    """One way to break one thing, and the way back. Subclasses are frozen dataclasses.

    A step of a recovery procedure (restore a snapshot, point the application at it) is one too: it
    changes the system, and what it made is undone like everything else.

    Attributes:
        kind: Its name in the registry, in journals and plans.
        plain_undo: Whether its undo is plain calls that are known before the injection, so that
            :meth:`dead_man` has some.

    """

    kind: ClassVar[str]
    plain_undo: ClassVar[bool] = False

    @property
    @abstractmethod
    def calls(self) -> tuple[Call, ...]:
        """Every AWS call that it may make, on which resources."""

    @property
    def undo_within_s(self) -> float:
        """How long its undo may take to show, in seconds; at least it gets the target's ``effect_s``.

        Deleting a database takes minutes, whatever was injected.
        """
        return 0.0

    @property
    def costs(self) -> tuple[CostItem, ...]:
        """What AWS bills because of it; most changes are free."""
        return ()

    @property
    @abstractmethod
    def dead_man_note(self) -> str:
        """What :meth:`dead_man` says in its note; the plan shows it before anything is captured."""

    @abstractmethod
    def describe(self) -> str:
        """Return one line for the plan: what is changed and what that does."""

    @abstractmethod
    def touches(self) -> tuple[Resource, ...]:
        """Return every existing resource that it changes."""

    @abstractmethod
    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Read the state before, and only read. What it returns goes to the journal.

        Raises:
            DrillError: The fault can't be injected, or not so that it could be undone.

        """

    @abstractmethod
    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Break it, and return when AWS's API shows the change."""

    def ready(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether a step of a recovery procedure is complete: the drill goes on, and times it, then.

        A call that starts something long (a restore) returns from :meth:`inject` as soon as AWS has
        taken it; here its state is read, again and again, until it is done. Faults are ready at once.

        Raises:
            DrillError: It can never become ready: it failed.

        """
        return True

    def told(self, before: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return what measures and the report must know of what was captured; most need nothing."""
        return {}

    @abstractmethod
    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Put back what is the fault's own; safe to repeat and safe if nothing was injected.

        Returns:
            One line for each thing that somebody else changed meanwhile and that was left as they
            made it, with the command that shows it.

        Raises:
            DrillError: Because of such a change its own part could not be put back.

        """

    @abstractmethod
    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Read the state again: is nothing of this fault left? What others changed does not count."""

    def remains(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[Finding, ...]:
        """Return what the undo could not make as it was although it is complete, with what mends it.

        Asked once the undo is checked. Few faults leave anything: a peering that was deleted has
        another id for good.
        """
        return ()

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return the calls that undo it without a process of ours; calls nothing itself. By default none."""
        return DeadMan((), self.dead_man_note)
