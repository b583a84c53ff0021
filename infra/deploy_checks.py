"""What must hold before anything of a deployment is made: what would fail half-way is refused at once."""

from collections.abc import Mapping

from drill.errors import UsageError
from infra import leftovers, stack_changes, stack_states
from infra.deploy_config import DeployConfig
from infra.deploy_stacks import Part
from infra.stack_events import Watch
from infra.stack_states import ClientFactory, StackState

States = Mapping[Part, StackState | None]
"""What every stack of the system is at; None where there is none."""

# Lambda keeps so many for functions without a reservation, and no configuration may take of them; see
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
_UNRESERVED = 100


def refuse(client_of: ClientFactory, config: DeployConfig, states: States, watch: Watch) -> None:
    """Refuse a deployment that can't come to its end.

    Raises:
        UsageError: The text says why, and what to do instead; nothing was touched.

    """
    for part, state in states.items():
        if state is not None:
            name = part.stack_name(config.name)
            stack_changes.refuse_half_deleted(client_of, part.region, name, state, watch)
    _leftovers(client_of, config, watch)
    _from_global_to_backup(config, states)
    for region in config.regions:
        _concurrency(client_of, config, region, _given(states, Part("app", region), "ProvisionedConcurrency"))


def _given(states: States, part: Part, parameter: str) -> str:
    """Return the value with which a stack is there; empty if it is not."""
    state = states.get(part)
    usable = state is not None and state.status in stack_states.USABLE
    return state.parameters.get(parameter, "") if state is not None and usable else ""


def _leftovers(client_of: ClientFactory, config: DeployConfig, watch: Watch) -> None:
    found = leftovers.in_the_way(client_of, config)
    if not found:
        return
    named = ", ".join(str(item) for item in found)
    if any(item.foreign for item in found):
        msg = (
            f"the names that {config.name} needs are taken ({named}), and not by an earlier system of that "
            "name, as their tags say; nothing was touched; choose another name in the system file, then: "
            f"{watch.command('deploy')}"
        )
        raise UsageError(msg)
    msg = (
        f"an earlier system called {config.name} left its data behind ({named}); nothing was touched; choose "
        f"another name, or delete it for good: {watch.command('destroy', '--delete-data', config.name)}"
    )
    raise UsageError(msg)


def _from_global_to_backup(config: DeployConfig, states: States) -> None:
    """Refuse to take a cluster out of a global database and give its master user to RDS in one update.

    RDS does not manage the password of a member of a global database, and a global database with two
    members can't be deleted, see
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-deleting.html
    """
    before = _given(states, Part("data", config.primary_region), "Replication")
    if (before, config.replication) == ("global", "backup"):
        msg = (
            f"{config.name} has a global database, and one update can't make it one of backups: the "
            "standby's cluster would have to leave it first; nothing was touched; keep replication: global, "
            "or deploy another system with: drill infra init other.yaml"
        )
        raise UsageError(msg)


def _concurrency(client_of: ClientFactory, config: DeployConfig, region: str, had: str) -> None:
    """Refuse warm processes that the account's quota has no room for; a new account's is as low as 10."""
    more = config.provisioned_concurrency - int(had or 0)
    if more <= 0:
        return
    limit = client_of("lambda", region).get_account_settings()["AccountLimit"]
    free = limit["UnreservedConcurrentExecutions"]
    if free - more < _UNRESERVED:
        msg = (
            f"provisioned_concurrency {config.provisioned_concurrency} does not fit in {region}: of the "
            f"{limit['ConcurrentExecutions']} functions that may run there at once {free} are not reserved, "
            f"and Lambda keeps {_UNRESERVED} of them; nothing was touched; set it to 0 in the system file, "
            f"or ask for more: aws service-quotas request-service-quota-increase --region {region} "
            "--service-code lambda --quota-code L-B99A9384 --desired-value 1000"
        )
        raise UsageError(msg)
