"""Data points for CloudWatch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One data point that a service publishes to CloudWatch.

    Attributes:
        region: Where it is kept.
        namespace: For example ``AWS/Lambda``.
        name: For example ``Errors``.
        dimensions: Names and values; their order does not matter.
        value: The sample.
        unit: As CloudWatch names it: ``Count``, ``Milliseconds``, ``Percent``, ``None``.
        samples: How often the value occurred.

    """

    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: float
    unit: str = "Count"
    samples: int = 1
