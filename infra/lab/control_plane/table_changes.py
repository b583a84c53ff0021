"""What an UpdateTable request changes in each replica of a table; pure.

Capacity mode, write capacity, indexes and on-demand maxima of writes are the same in every
replica. Reads are too until one replica gets its own, and they are again when the reads of
another replica are changed. Table class, key and protection are each replica's own.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-CoreConcepts.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

READS, WRITES = "ReadCapacityUnits", "WriteCapacityUnits"
MOST_READS, MOST_WRITES = "MaxReadRequestUnits", "MaxWriteRequestUnits"
NO_MAXIMUM = -1
SETTINGS = (
    "ProvisionedThroughput",
    "BillingMode",
    "GlobalSecondaryIndexUpdates",
    "StreamSpecification",
    "SSESpecification",
    "ReplicaUpdates",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
)


@dataclass(frozen=True, slots=True)
class Change:
    """What changes in one replica; what is empty or None stays. Indexes by name, the table by an empty one.

    Attributes:
        mode: The capacity mode.
        reads: Provisioned reads.
        writes: Provisioned writes.
        maxima: On-demand maxima; -1 takes one away.
        own_reads: Whether the reads are set for this replica alone.
        created: New indexes, as the request describes them.
        deleted: Names of indexes that go.
        attributes: AttributeDefinitions.
        warm: WarmThroughput.
        stream: StreamSpecification.
        encryption: SSESpecification.
        table_class: TableClass.
        protected: DeletionProtectionEnabled.

    """

    mode: str = ""
    reads: Mapping[str, int] = field(default_factory=dict)
    writes: Mapping[str, int] = field(default_factory=dict)
    maxima: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    own_reads: bool = False
    created: tuple[Mapping[str, Any], ...] = ()
    deleted: tuple[str, ...] = ()
    attributes: tuple[Mapping[str, str], ...] = ()
    warm: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    stream: Mapping[str, Any] | None = None
    encryption: Mapping[str, Any] | None = None
    table_class: str = ""
    protected: bool | None = None

    @property
    def indexes(self) -> set[str]:
        """Names of the indexes that change and stay."""
        return {*self.reads, *self.writes, *self.maxima, *self.warm} - {""}


def local(request: Mapping[str, Any]) -> Change:
    """Return what a request changes in the region in which it is made."""
    updates = request.get("GlobalSecondaryIndexUpdates") or ()
    named = {action["IndexName"]: action for one in updates if (action := one.get("Update"))}
    parts = {"": request, **named}
    units = {
        name: part["ProvisionedThroughput"] for name, part in parts.items() if "ProvisionedThroughput" in part
    }
    return Change(
        mode=request.get("BillingMode") or "",
        reads={name: int(one[READS]) for name, one in units.items()},
        writes={name: int(one[WRITES]) for name, one in units.items()},
        maxima={
            name: dict(part["OnDemandThroughput"])
            for name, part in parts.items()
            if part.get("OnDemandThroughput")
        },
        created=tuple(one["Create"] for one in updates if "Create" in one),
        deleted=tuple(one["Delete"]["IndexName"] for one in updates if "Delete" in one),
        attributes=tuple(request.get("AttributeDefinitions") or ()),
        warm={name: part["WarmThroughput"] for name, part in parts.items() if part.get("WarmThroughput")},
        stream=request.get("StreamSpecification"),
        encryption=request.get("SSESpecification"),
        table_class=request.get("TableClass") or "",
        protected=request.get("DeletionProtectionEnabled"),
    )


def elsewhere(change: Change, reads_now: Mapping[str, int]) -> Change:
    """Return what a local change changes in the other replicas.

    Args:
        change: The local one.
        reads_now: The provisioned reads in the region of the request: only those that change
            there change elsewhere.

    """
    changed = {name: units for name, units in change.reads.items() if units != reads_now.get(name)}
    # A key of its own is no change of whether, and with which kind of key, the others are encrypted.
    encryption = None if "KMSMasterKeyId" in (change.encryption or {}) else change.encryption
    return replace(change, reads=changed, encryption=encryption, table_class="", protected=None)


def override(action: Mapping[str, Any]) -> Change:
    """Return what the Update action of ReplicaUpdates changes in the replica that it names."""
    parts = {"": action, **{one["IndexName"]: one for one in action.get("GlobalSecondaryIndexes") or ()}}
    return Change(
        reads={
            name: int(part["ProvisionedThroughputOverride"][READS])
            for name, part in parts.items()
            if part.get("ProvisionedThroughputOverride")
        },
        maxima={
            name: {MOST_READS: int(part["OnDemandThroughputOverride"][MOST_READS])}
            for name, part in parts.items()
            if part.get("OnDemandThroughputOverride")
        },
        own_reads=True,
        encryption={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": action["KMSMasterKeyId"]}
        if action.get("KMSMasterKeyId")
        else None,
        table_class=action.get("TableClassOverride") or "",
    )
