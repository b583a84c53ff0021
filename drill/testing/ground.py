"""Where faults are tried: a system that may be broken, and how to tell that it is as it was."""

from collections.abc import Callable
from dataclasses import dataclass

from drill.target import Target


@dataclass(frozen=True, slots=True)
class Ground:
    """A system that may be broken.

    Attributes:
        target: That system; its drills' role must be permitted what ``drill iam-policy`` prints.
        fingerprint: Returns a digest of everything that a fault may change; equal digests mean that
            nothing is left of it. On the lab: ``infra.lab.fingerprint.fingerprint``.

    """

    target: Target
    fingerprint: Callable[[], str]
