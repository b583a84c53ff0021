"""What is due at a time: schedules, rotations, backups and the end of what they made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of Amazon EventBridge Scheduler.

    Attributes:
        expression: ``at(...)``, ``rate(...)`` or ``cron(...)``.
        timezone: IANA name of the zone in which the expression is meant.
        enabled: Whether it is due at all.
        target: What it invokes and how, as the API shows it: ``Arn``, ``RoleArn``, ``Input`` and so on.
        window_s: It is invoked at some moment within so long after its time; 0 at once.
        modified_s: When it was made or last changed, in seconds since 1970.
        start_s: It is not due before this instant.
        end_s: It is not due from this instant on.
        deleted_after: Whether it goes when it will never be due again.

    """

    arn: str
    name: str
    group: str
    region: str
    expression: str
    timezone: str
    enabled: bool
    target: Mapping[str, Any]
    window_s: float
    modified_s: float
    start_s: float | None = None
    end_s: float | None = None
    deleted_after: bool = False


@dataclass(frozen=True, slots=True)
class SecretRotation:
    """A secret that Secrets Manager is to rotate, on its schedule or because a rotation failed.

    Attributes:
        arn: The secret's.
        region: The secret's, and its rotation function's.
        due_at: When, in seconds of the Unix clock.

    """

    arn: str
    region: str
    due_at: float


@dataclass(frozen=True, slots=True)
class BackupRule:
    """A rule of a plan of AWS Backup that selects something.

    Attributes:
        rule_id: Another one after each change of the plan.
        expression: ``cron(...)``.
        timezone: IANA name of the zone in which it is meant.

    """

    region: str
    plan_id: str
    rule_id: str
    expression: str
    timezone: str


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """A recovery point of AWS Backup whose lifecycle ends, in seconds since 1970."""

    region: str
    arn: str
    delete_at_s: float
