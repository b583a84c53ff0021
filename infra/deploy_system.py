"""The system while it is deployed: what is wanted, and what is known of it so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.deploy_config import DeployConfig
from infra.function_package import Package

Outputs = Mapping[str, str]


class NotYet(Exception):
    """A stack takes what another one gives, which is not there yet.

    Attributes:
        template: Of the stack that is missing.
        region: Where it is missing.

    """

    def __init__(self, template: str, region: str) -> None:
        """Name the stack that is missing."""
        super().__init__(f"{template} in {region} is not there yet")
        self.template = template
        self.region = region


@dataclass(slots=True)
class System:
    """The system while it is deployed: what is wanted, and what is known of it so far.

    Attributes:
        config: What is wanted.
        package: The functions' code.
        buckets: The bucket of the functions' code, by region.
        outputs: What each stack gave, by template and region.

    """

    config: DeployConfig
    package: Package
    buckets: Mapping[str, str]
    outputs: dict[tuple[str, str], Outputs] = field(default_factory=dict)

    @property
    def primary(self) -> str:
        """The region that serves."""
        return self.config.primary_region

    @property
    def standby(self) -> str:
        """The region that takes over."""
        return self.config.standby_region

    def given(self, template: str, region: str) -> Outputs:
        """Return what a stack gave.

        Raises:
            NotYet: It is not there.

        """
        try:
            return self.outputs[template, region]
        except KeyError:
            raise NotYet(template, region) from None


def in_region(arn: str, region: str) -> str:
    """Return the ARN of a resource's replica, which differs in the region alone."""
    parts = arn.split(":")
    parts[3] = region
    return ":".join(parts)
