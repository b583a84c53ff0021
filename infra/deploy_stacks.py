"""The system's stacks, and in which order they go up."""

from dataclasses import dataclass
from typing import Literal

from infra.deploy_config import DeployConfig
from infra.deploy_parameters import PARAMETERS
from infra.deploy_system import System
from infra.stack_model import Stack


@dataclass(frozen=True, slots=True)
class Part:
    """One stack of the system.

    Attributes:
        template: Name of its template, without the ending.
        region: Where it is.

    """

    template: str
    region: str

    def stack_name(self, project: str) -> str:
        """Return its name in CloudFormation."""
        return f"{project}-{self.template}"

    def stack(self, system: System) -> Stack:
        """Return it as it should be.

        Raises:
            NotYet: It takes what another stack gives that is not there yet.

        """
        config = system.config
        parameters = PARAMETERS[self.template](system, self.region)
        if self.template != "peering-routes":
            parameters["Project"] = config.name
        name = self.stack_name(config.name)
        return Stack(name, self.region, f"{self.template}.yaml", parameters, config.tags)


Place = Literal["primary", "standby"]
_BOTH: tuple[Place, ...] = ("primary", "standby")
_PRIMARY: tuple[Place, ...] = ("primary",)
_STANDBY: tuple[Place, ...] = ("standby",)

# Within a wave the stacks do not need one another.
_WAVES: tuple[tuple[tuple[str, tuple[Place, ...]], ...], ...] = (
    (("keys", _BOTH), ("network", _BOTH)),
    (
        ("alerts", _BOTH),
        ("backup-vault", _BOTH),
        ("peering", _PRIMARY),
        ("table", _PRIMARY),
        ("data", _PRIMARY),
    ),
    (
        ("peering-routes", _STANDBY),
        ("data", _STANDBY),
        ("backup", _PRIMARY),
        ("rotation", _PRIMARY),
        ("governance", _PRIMARY),
    ),
    (("app", _BOTH),),
    (("observability", _BOTH),),
    (("dns", _PRIMARY),),
    (("dashboard", _PRIMARY), ("drills", _BOTH)),
)


def waves(config: DeployConfig) -> tuple[tuple[Part, ...], ...]:
    """Return the system's stacks in the order in which they go up; within a wave, side by side."""
    region = {"primary": config.primary_region, "standby": config.standby_region}
    return tuple(
        tuple(Part(template, region[place]) for template, places in wave for place in places)
        for wave in _WAVES
    )
