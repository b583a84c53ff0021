"""What is deployed of a system: every stack with its state, and what each gave."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra import stack_states
from infra.deploy_config import DeployConfig
from infra.deploy_stacks import Part, waves
from infra.side_by_side import side_by_side
from infra.stack_states import ClientFactory, StackState


@dataclass(frozen=True, slots=True)
class StackStatus:
    """One stack of the system.

    Attributes:
        name: Its name.
        region: Where it is, or should be.
        state: What it is at; None if it is missing.

    """

    name: str
    region: str
    state: StackState | None

    @property
    def complete(self) -> bool:
        """Say whether it is as the template wants that it has; a change that was rolled back is none."""
        return self.state is not None and self.state.status in stack_states.USABLE

    @property
    def rolled_back(self) -> bool:
        """Say whether its last change was undone, so that it is as it was before."""
        return self.complete and self.state is not None and self.state.status not in stack_states.COMPLETE


def statuses(client_of: ClientFactory, config: DeployConfig) -> tuple[StackStatus, ...]:
    """Return every stack of the system in the order in which they go up."""

    def read(part: Part) -> StackStatus:
        name = part.stack_name(config.name)
        state = stack_states.state_of(client_of("cloudformation", part.region), name)
        return StackStatus(name, part.region, state)

    return tuple(side_by_side(read, [part for wave in waves(config) for part in wave]))


def outputs(found: tuple[StackStatus, ...]) -> dict[str, dict[str, Mapping[str, str]]]:
    """Return what the stacks that are there gave, by region and stack."""
    given: dict[str, dict[str, Mapping[str, str]]] = {}
    for each in found:
        if each.state is not None and each.state.outputs:
            given.setdefault(each.region, {})[each.name] = dict(each.state.outputs)
    return given
