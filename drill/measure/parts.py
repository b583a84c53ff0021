"""Putting together what single measures found."""

from collections.abc import Iterable

from drill.model import Between, Finding, Measured, Measurement

NOTHING = Measured((), (), (), ())


def only(*measurements: Measurement) -> Measured:
    """Return measurements and nothing else."""
    return Measured(measurements, (), (), ())


def found(*findings: Finding) -> Measured:
    """Return findings and nothing else."""
    return Measured((), (), (), findings)


def together(every: Iterable[Measured]) -> Measured:
    """Return several measures' output as one, in their order."""
    listed = tuple(every)
    return Measured(
        measurements=tuple(one for each in listed for one in each.measurements),
        phases=tuple(one for each in listed for one in each.phases),
        ledgers=tuple(one for each in listed for one in each.ledgers),
        findings=tuple(one for each in listed for one in each.findings),
    )


def span(begin: Between, end: Between) -> Between:
    """Return the stretch from the end of one call to the beginning of another."""
    return Between(begin.latest_ns, end.earliest_ns)
