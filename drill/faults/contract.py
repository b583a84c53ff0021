"""What a fault is: capture, inject, undo, undone?

A fault is a frozen dataclass whose fields are its JSON-able arguments, so that any later
process can build it again from a journal and undo it. ``inject`` demands an
:class:`Intent`, which only :meth:`drill.journal.Journal.intend` makes, after the undo has
been written and fsynced: nothing can be broken without a recorded undo.

Undo must be idempotent, and right whether the injection happened, half happened or never
did. It looks volatile ids up when it runs, and finds what the fault made by the tag
``drill:run-id``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

RUN_TAG = "drill:run-id"


@dataclass(frozen=True, slots=True)
class Call:
    """An AWS call that a fault makes, for the plan and for the least-privilege policy.

    Attributes:
        when: Which method makes it.
        service: boto3's name of the service, for example ``route53``.
        action: The call, for example ``UpdateHealthCheck``.

    """

    when: Literal["capture", "inject", "undo", "undone"]
    service: str
    action: str


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


class Fault(ABC):
    """One way to break one thing, and the way back. Subclasses are frozen dataclasses.

    Attributes:
        kind: Its name in the registry, in journals and plans.
        calls: Every AWS call that it may make.

    """

    kind: ClassVar[str]
    calls: ClassVar[tuple[Call, ...]]

    @abstractmethod
    def describe(self) -> str:
        """Return one line for the plan: what is changed and what that does."""

    @abstractmethod
    def touches(self) -> tuple[Resource, ...]:
        """Return every existing resource that it changes."""

    @abstractmethod
    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Read the state before, and only read. What it returns goes to the journal."""

    @abstractmethod
    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Break it, and return when AWS's API shows the change."""

    @abstractmethod
    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> None:
        """Put back what was captured; safe to repeat and safe if nothing was injected."""

    @abstractmethod
    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Read the state again: is it as captured?"""
