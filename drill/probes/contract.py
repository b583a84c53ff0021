"""What a probe is: one attempt at a time, told when; its schedule is not its own business.

The sampler stamps an attempt as sent when it calls :meth:`Probe.attempt` and as done when
that returns; a probe that knows better says so in what it returns. An attempt keeps its
spec's time-out by itself and never raises because the drilled system misbehaved: a drilled
system misbehaves.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import ClassVar, Self

from drill.faults.contract import Call
from drill.model import Goodness, Json, ProbeSpec
from drill.role import Role
from drill.target import Target

# More attempts of one probe than this are never in flight: each holds a socket and some 20 kB. It is
# enough for 1,000 a second that all hang for 5 s and more; a probe that may need more is refused.
MOST_SLOTS = 8000
SPARE_SLOTS = 8
# A time-out is told a little late, the more so where thousands come at once.
SPARE_S = 0.25


@dataclass(frozen=True, slots=True)
class Context:
    """What every probe of a drill is told of the place; it goes to the sampler as JSON, without secrets.

    Attributes:
        run_id: The drill.
        endpoint_url: Where AWS's API answers; None for AWS itself.
        regions: The two regions, the primary first.
        host: The name that fails over.
        port: Its TCP port.
        scheme: ``http`` or ``https``.
        resolver: ``address:port`` of the caching resolver; None for the machine's own.
        name_servers: ``address:port`` of the zone's authoritative servers; empty to look them up.
        health_path: What a client probe asks for.
        orders_path: Where orders are posted and listed.
        by_way_of: DNS name whose address is connected to instead of the service's; the request
            still names the service, so that certificates match.
        role_arn: The role in which AWS is asked; empty for the operator's own credentials.
        session: As whom the role is assumed.
        role_region: Where it is assumed.

    """

    run_id: str
    endpoint_url: str | None
    regions: tuple[str, ...]
    host: str
    port: int
    scheme: str = "http"
    resolver: str | None = None
    name_servers: tuple[str, ...] = ()
    health_path: str = "/health/regional"
    orders_path: str = "/orders"
    by_way_of: str | None = None
    role_arn: str = ""
    session: str = ""
    role_region: str = ""

    @property
    def role(self) -> Role | None:
        """The role in which AWS is asked."""
        return Role(self.role_arn, self.session, self.role_region) if self.role_arn else None

    @classmethod
    def of(cls, target: Target, run_id: str) -> Self:
        """Return the context of a drill of ``target``."""
        service, role = target.service, Role.of(target)
        return cls(
            run_id=run_id,
            endpoint_url=target.endpoint_url,
            regions=(target.primary.name, target.standby.name),
            host=service.host,
            port=service.port,
            scheme=service.scheme,
            resolver=service.resolver,
            name_servers=service.name_servers,
            health_path=service.health_path,
            orders_path=service.orders_path,
            role_arn=role.arn if role else "",
            session=role.session if role else "",
            role_region=role.region if role else "",
        )

    def document(self) -> dict[str, Json]:
        """Return it as JSON that :meth:`from_document` reads."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Json]) -> Self:
        """Read what :meth:`document` returned."""
        lists = {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}
        return cls(**lists)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one attempt showed.

    Attributes:
        goodness: What it showed.
        answered_by: The region that answered, where the answer tells.
        detail: What the kind saw besides; keys without a value are left out.
        done_ns: When the result was known, where that was before the attempt returned.

    """

    goodness: Goodness
    answered_by: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)
    done_ns: int | None = None


class Probe(ABC):
    """One probe of a drill; its attempts overlap.

    Attributes:
        kind: Its name in :data:`drill.probes.catalogue.KINDS`.

    """

    kind: ClassVar[str]

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options; nothing is asked yet.

        Raises:
            UsageError: An option is missing or wrong.

        """
        self.spec = spec
        self.context = context

    @property
    def slots(self) -> int:
        """How many attempts may be in flight: every one until its time-out, and a few to spare."""
        return math.ceil((self.spec.timeout_s + SPARE_S) / self.spec.interval_s) + SPARE_SLOTS

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:  # noqa: ARG003 (others read it)
        """Return the AWS calls that it makes, as a fault declares its own; most probes make none."""
        return ()

    async def open(self) -> None:  # noqa: B027 (most probes have nothing to open)
        """Make ready: sockets and clients, so that the first attempt is like the others."""

    @abstractmethod
    async def attempt(self, number: int) -> Seen:
        """Make the attempt ``number`` and say what it showed, within the spec's time-out."""

    async def close(self) -> None:  # noqa: B027 (most probes have nothing to close)
        """Let go of what :meth:`open` took."""


def told(**detail: Json) -> dict[str, Json]:
    """Return a detail without the keys that have no value."""
    return {key: value for key, value in detail.items() if value is not None and value != ""}
