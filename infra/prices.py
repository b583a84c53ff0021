"""AWS's unit prices, each with AWS's page about it and the day on which it was looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

import yaml

FILE = "prices.yaml"


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of something costs; the unit is the last part of its name.

    Attributes:
        usd: In US dollars.
        source: AWS's page.
        read_on: When it was looked up.

    """

    usd: float
    source: str
    read_on: date


@dataclass(frozen=True, slots=True)
class Prices:
    """All unit prices.

    Attributes:
        regions: Where they hold.
        by_name: Each price.

    """

    regions: tuple[str, ...]
    by_name: Mapping[str, Price]

    def usd(self, name: str) -> float:
        """Return what one unit costs, in US dollars."""
        return self.by_name[name].usd

    @property
    def oldest(self) -> date:
        """The day on which the price was looked up that is the oldest."""
        return min(price.read_on for price in self.by_name.values())


@cache
def prices() -> Prices:
    """Read the prices."""
    document = yaml.safe_load((files("infra") / FILE).read_text(encoding="utf-8"))
    return Prices(
        regions=tuple(document["regions"]),
        by_name={name: Price(**values) for name, values in document["prices"].items()},
    )
