"""Kind ``resource``: the status that AWS shows of one resource.

Good is a status in which it is ready for use; bad is any other, also that there is none; unknown if
AWS did not tell.

Options:
    what: ``db-cluster``, ``db-instance``, ``db-cluster-snapshot``, ``table`` or
        ``vpc-peering-connection``.
    region: Where it is.
    id: Its identifier, as its Describe call takes it; ``{run}`` in it is replaced by the name of what
        the run makes (:func:`drill.faults.made.name_of`).
    ready: Statuses in which it is ready (default: ``available``, ``active``).

Detail: ``status`` (``absent`` if there is none), ``error``; of a snapshot ``percent``; of a cluster
``writer``, its writer's identifier, and ``members``, those of all its instances.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from drill.faults import made
from drill.faults.contract import Call
from drill.model import Goodness, Json, ProbeSpec
from drill.probes import options
from drill.probes.calls import call, clients
from drill.probes.contract import Context, Probe, Seen, told

ABSENT = "absent"
_READY = ("active", "available")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of resource is read.

    Attributes:
        service: boto3's name of the service.
        action: The call, as the API names it.
        arn: How its ARN goes on after the account; empty where IAM knows no resource for the call.
        request: The call's parameters for an identifier.
        absent: AWS's code for one that is not there.
        shown: The detail, with ``status``, of a whole answer; None if it shows none.

    """

    service: str
    action: str
    arn: str
    request: Callable[[str], Mapping[str, Any]]
    absent: str
    shown: Callable[[Mapping[str, Any]], dict[str, Json] | None]


def _first(found: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return found[0] if found else None


def _cluster(answer: Mapping[str, Any]) -> dict[str, Json] | None:
    one = _first(answer["DBClusters"])
    if one is None:
        return None
    members = one.get("DBClusterMembers", [])
    writers = [each["DBInstanceIdentifier"] for each in members if each["IsClusterWriter"]]
    return {
        "status": one["Status"],
        "writer": writers[0] if writers else None,
        "members": sorted(each["DBInstanceIdentifier"] for each in members),
    }


def _instance(answer: Mapping[str, Any]) -> dict[str, Json] | None:
    one = _first(answer["DBInstances"])
    return None if one is None else {"status": one["DBInstanceStatus"]}


def _snapshot(answer: Mapping[str, Any]) -> dict[str, Json] | None:
    one = _first(answer["DBClusterSnapshots"])
    return None if one is None else {"status": one["Status"], "percent": one.get("PercentProgress")}


def _table(answer: Mapping[str, Any]) -> dict[str, Json]:
    return {"status": answer["Table"]["TableStatus"]}


def _peering(answer: Mapping[str, Any]) -> dict[str, Json] | None:
    one = _first(answer["VpcPeeringConnections"])
    return None if one is None else {"status": one["Status"]["Code"]}


_KINDS: Mapping[str, _Kind] = {
    "db-cluster": _Kind(
        "rds",
        "DescribeDBClusters",
        "cluster:",
        lambda name: {"DBClusterIdentifier": name},
        "DBClusterNotFoundFault",
        _cluster,
    ),
    "db-instance": _Kind(
        "rds",
        "DescribeDBInstances",
        "db:",
        lambda name: {"DBInstanceIdentifier": name},
        "DBInstanceNotFound",
        _instance,
    ),
    "db-cluster-snapshot": _Kind(
        "rds",
        "DescribeDBClusterSnapshots",
        "cluster-snapshot:",
        lambda name: {"DBClusterSnapshotIdentifier": name},
        "DBClusterSnapshotNotFoundFault",
        _snapshot,
    ),
    "table": _Kind(
        "dynamodb",
        "DescribeTable",
        "table/",
        lambda name: {"TableName": name},
        "ResourceNotFoundException",
        _table,
    ),
    "vpc-peering-connection": _Kind(
        "ec2",
        "DescribeVpcPeeringConnections",
        "",
        lambda name: {"VpcPeeringConnectionIds": [name]},
        "InvalidVpcPeeringConnectionID.NotFound",
        _peering,
    ),
}


class ResourceProbe(Probe):
    """Describes the resource on each attempt."""

    kind: ClassVar[str] = "resource"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._what = _KINDS[options.one_of(spec, "what", _KINDS)]
        self._region = options.text(spec, "region")
        self._id = made.filled(options.text(spec, "id"), context.run_id)
        ready = options.texts(spec, "ready") or _READY
        self._ready = {status.lower() for status in ready}
        self._describe: Any = None

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:
        """Return one read of the resource."""
        what = _KINDS[options.one_of(spec, "what", _KINDS)]
        name = made.pattern(options.text(spec, "id"))
        where = f"arn:{{partition}}:{what.service}:{options.text(spec, 'region')}:{{account}}:"
        arn = where + what.arn + name if what.arn else "*"
        return (Call("capture", what.service, what.action, (arn,)),)

    async def open(self) -> None:
        """Make the client."""
        aws = clients(self.context.endpoint_url, self.spec.timeout_s, self.context.role)
        client = aws.client(self._what.service, self._region)
        methods = {action: name for name, action in client.meta.method_to_api_mapping.items()}
        self._describe = getattr(client, methods[self._what.action])

    async def attempt(self, number: int) -> Seen:
        """Describe it once."""
        reply = await call(self._describe, self.spec.timeout_s, **self._what.request(self._id))
        if reply.error and reply.error != self._what.absent:
            return Seen(Goodness.UNKNOWN, None, {"error": reply.error}, reply.done_ns)
        shown = None if reply.error else self._what.shown(reply.document)
        detail = told(**(shown or {"status": ABSENT}))
        ready = str(detail["status"]).lower() in self._ready
        return Seen(Goodness.GOOD if ready else Goodness.BAD, self._region, detail, reply.done_ns)
