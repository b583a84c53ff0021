"""What AWS Backup keeps beyond moto's vaults and plans: selections, jobs and recovery points.

Everything here is read and changed with :data:`STORE` ``.lock`` held. The lock of the
databases is never asked for while it is held.
"""

import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.backup.exceptions import ResourceNotFoundException
from moto.backup.models import Plan, Vault, backup_backends

from infra.lab.control_plane.mending import ACCOUNT

_DAY_S = 86400.0
_PAGE = 1000


@dataclass(slots=True)
class Job:
    """A backup, copy or restore job.

    Attributes:
        kind: ``backup``, ``copy`` or ``restore``.
        shown: As its Describe call shows it.
        token: The request's idempotency token; empty if it had none.

    """

    id: str
    kind: str
    region: str
    shown: dict[str, Any]
    token: str = ""


@dataclass(slots=True)
class Point:
    """A recovery point.

    Attributes:
        vault: Name of its vault.
        shown: As DescribeRecoveryPoint shows it.
        metadata: As GetRecoveryPointRestoreMetadata shows it.

    """

    arn: str
    region: str
    vault: str
    shown: dict[str, Any]
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def delete_at(self) -> datetime | None:
        """When its lifecycle ends; None if it has no end."""
        found: datetime | None = self.shown.get("CalculatedLifecycle", {}).get("DeleteAt")
        return found


@dataclass(slots=True)
class Selection:
    """What a plan backs up; ``asked`` is the request's document."""

    id: str
    plan: str
    region: str
    asked: Mapping[str, Any]
    made_at: datetime
    creator: str = ""


@dataclass
class Store:
    """All of it, of every region.

    Attributes:
        clock_scale: Real seconds that one second of a retention takes.
        points: By region and ARN.
        policies: Access policies by the vault's ARN.
        notifications: What PutBackupVaultNotifications asked for, by the vault's ARN.

    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    clock_scale: float = 1.0
    jobs: dict[str, Job] = field(default_factory=dict)
    points: dict[tuple[str, str], Point] = field(default_factory=dict)
    selections: dict[str, Selection] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    notifications: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def clear(self, clock_scale: float) -> None:
        """Begin anew."""
        self.clock_scale = clock_scale
        for kept in (self.jobs, self.points, self.selections, self.policies, self.notifications):
            kept.clear()

    def points_in(self, region: str, vault: str) -> list[Point]:
        """Return the recovery points of a vault, the newest first."""
        found = [item for item in self.points.values() if (item.region, item.vault) == (region, vault)]
        return sorted(found, key=lambda item: item.shown["CreationDate"], reverse=True)


STORE = Store()


def now() -> datetime:
    """Return the instant, as AWS Backup shows instants."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return an id that nothing else has."""
    return str(uuid.uuid4())


def vault_named(region: str, name: str) -> Vault:
    """Return a vault.

    Raises:
        ResourceNotFoundException: There is none of that name in the region.

    """
    found = backup_backends[ACCOUNT][region].vaults.get(name)
    if found is None:
        msg = f"Backup vault {name} not found"
        raise ResourceNotFoundException(msg)
    return found


def plan_named(region: str, plan_id: str) -> Plan:
    """Return a plan that is not deleted.

    Raises:
        ResourceNotFoundException: There is none.

    """
    found = backup_backends[ACCOUNT][region].plans.get(plan_id)
    if found is None or found.deletion_date is not None:
        msg = "Failed reading Backup plan with provided version"
        raise ResourceNotFoundException(msg)
    return found


def ends(lifecycle: Mapping[str, Any], begun: datetime) -> dict[str, datetime]:
    """Return when a lifecycle's steps come; its days pass on the lab's clock."""
    named = {"DeleteAt": "DeleteAfterDays", "MoveToColdStorageAt": "MoveToColdStorageAfterDays"}
    return {
        shown: begun + timedelta(seconds=lifecycle[days] * _DAY_S * STORE.clock_scale)
        for shown, days in named.items()
        if lifecycle.get(days, -1) >= 0
    }


def asked(response: Any) -> dict[str, Any]:
    """Return a request's parameters, each of the kind that the service's model gives it."""
    response.parse_parameters(response.normalized_request)
    return {**response.uri_match, **response.params}


def page(name: str, found: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return one page of a list under its name, with a token while there is more."""
    whole = list(found)
    begin = int(wanted.get("NextToken") or 0)
    end = begin + int(wanted.get("MaxResults") or _PAGE)
    return {name: whole[begin:end], **({"NextToken": str(end)} if end < len(whole) else {})}


def within(shown: Mapping[str, Any], wanted: Mapping[str, Any], equal: Mapping[str, str]) -> bool:
    """Say whether a document is what a list was asked for.

    Args:
        shown: The document.
        wanted: The request's parameters.
        equal: For each parameter that narrows the list, the field that must equal it.

    """
    for name, member in equal.items():
        if wanted.get(name) not in {None, shown.get(member)}:
            return False
    for stem, member in (("Created", "CreationDate"), ("Complete", "CompletionDate")):
        before, after = _utc(wanted.get(f"By{stem}Before")), _utc(wanted.get(f"By{stem}After"))
        at: datetime | None = shown.get(member)
        if before is not None and (at is None or at >= before):
            return False
        if after is not None and (at is None or at <= after):
            return False
    return True


def _utc(at: datetime | None) -> datetime | None:
    """Return an instant of a request, which moto reads without its zone."""
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
