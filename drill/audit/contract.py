"""What a check of the audit is: it looks at a deployed system and tells what is wrong.

One class a file; found through the entry points ``drill.audits``. All that a reader must know of a
check is in its class attributes, from which ``docs/audit.md`` is made.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from drill.audit.system import System
from drill.model import AuditFinding, Severity


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is wrong, as a check tells it.

    Attributes:
        where: The resource, and where it is.
        what: What is wrong with it, in one line.
        mend: The command or the template's lines that mend just this; the check's own if empty.
        caused_by: Checks whose findings would explain this one; None for the check's own list.
        explains: Measures of a drill whose bad values it explains; None for the check's own list.

    """

    where: str
    what: str
    mend: str = ""
    caused_by: tuple[str, ...] | None = None
    explains: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What a check looks at by itself: one that can't be read keeps no other from being told.

    Attributes:
        where: What is looked at, for the list of what could not be.
        look: Reads, and tells what is wrong; AWS's errors may pass.

    """

    where: str
    look: Callable[[], Iterable[Found]]


class Check(ABC):
    """One check of the audit.

    Attributes:
        id: What is typed: ``DR05``. ``DR`` and the number are the seed's; ``DX`` is beyond it.
        title: What is wrong when it finds something, in one line.
        why: What that does to the system on the day it matters.
        severity: How much it matters.
        mend: How to mend it: template lines or a command.
        source: Addresses of the pages that say so.
        calls: What it asks of AWS, as boto3's service and operation: ``ec2:DescribeVpcs``.
        seed: The numbers of the failures in the seed's analysis; none for what is beyond it.
        caused_by: Checks whose findings explain the findings of this one.
        explains: Measures of a drill whose bad values its findings explain.
        drill: The command line of a drill that has shown what it leads to, as ``docs/defects.md`` has it;
            empty for none.
        active: It has more parts, which write and read back, and so run only when asked to (``writing``).

    """

    id: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    severity: ClassVar[Severity]
    mend: ClassVar[str]
    source: ClassVar[tuple[str, ...]]
    calls: ClassVar[tuple[str, ...]]
    seed: ClassVar[tuple[int, ...]] = ()
    caused_by: ClassVar[tuple[str, ...]] = ()
    explains: ClassVar[tuple[str, ...]] = ()
    drill: ClassVar[str] = ""
    active: ClassVar[bool] = False

    @abstractmethod
    def parts(self, system: System) -> Iterator[Part]:
        """Yield what is to be looked at; nothing is asked yet, and nothing is changed by looking."""

    def writing(self, system: System) -> Iterator[Part]:
        """Yield what writes and reads back; nothing, for most of them."""
        yield from ()

    def conclude(self, findings: Sequence[AuditFinding]) -> Iterator[Found]:
        """Yield what follows from what all checks found; nothing, for most of them."""
        yield from ()
