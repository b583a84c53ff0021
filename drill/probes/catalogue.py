"""The kinds of probes; a new one is a file and a line here."""

from collections.abc import Iterable

from drill.errors import UsageError
from drill.model import ProbeSpec
from drill.probes.alarm import AlarmProbe
from drill.probes.contract import Context, Probe
from drill.probes.dns import DnsProbe
from drill.probes.health_check import HealthCheckProbe
from drill.probes.http import HttpProbe
from drill.probes.metric import MetricProbe
from drill.probes.queue import QueueProbe
from drill.probes.replication import ReplicationProbe
from drill.probes.resource import ResourceProbe
from drill.probes.table import TableProbe
from drill.probes.writer import WriterProbe

KINDS: dict[str, type[Probe]] = {
    probe.kind: probe
    for probe in (
        AlarmProbe,
        DnsProbe,
        HealthCheckProbe,
        HttpProbe,
        QueueProbe,
        MetricProbe,
        ReplicationProbe,
        ResourceProbe,
        TableProbe,
        WriterProbe,
    )
}


def probes(specs: Iterable[ProbeSpec], context: Context) -> list[Probe]:
    """Make the probes of a drill; nothing is asked yet.

    Raises:
        UsageError: A kind is unknown, a name is there twice, or an option is missing or wrong.

    """
    made: dict[str, Probe] = {}
    for spec in specs:
        if spec.kind not in KINDS:
            msg = f"probe {spec.name!r}: no kind {spec.kind!r}; it is one of {', '.join(KINDS)}"
            raise UsageError(msg)
        if spec.name in made:
            msg = f"two probes are named {spec.name!r}: each needs its own name"
            raise UsageError(msg)
        if spec.interval_s <= 0 or spec.timeout_s <= 0:
            msg = f"probe {spec.name!r}: interval and time-out must be above zero"
            raise UsageError(msg)
        made[spec.name] = KINDS[spec.kind](spec, context)
    return list(made.values())
