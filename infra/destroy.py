"""Brings the drilled system down, the last made first; what keeps data goes only when told by name."""

from botocore.exceptions import ClientError

from drill.errors import DrillError, UsageError
from infra import artefacts, data_removal, deploy_account, protection, retained, stack_changes
from infra.deploy_config import DeployConfig
from infra.deploy_stacks import waves
from infra.kept import there
from infra.side_by_side import side_by_side
from infra.stack_events import Watch
from infra.stack_states import ClientFactory


def destroy(
    client_of: ClientFactory, config: DeployConfig, delete_data: str | None = None, watch: Watch | None = None
) -> None:
    """Delete the stacks, and with ``delete_data`` for good what they retain.

    May be called again after a failure: what is gone already is left so.

    Args:
        client_of: Returns a boto3 client of a service in a region; called from several threads.
        config: What was deployed.
        delete_data: The system's name, typed by whoever wants its data gone too.
        watch: Hears what happens.

    Raises:
        UsageError: The data is protected and its name was not typed; nothing was touched.
        DrillError: Something could not be deleted; the text names it.

    """
    watch = watch or Watch()
    account = deploy_account.account_of(client_of, config)
    if delete_data not in {None, config.name}:
        msg = (
            f"--delete-data {delete_data} is not this system's name; nothing was touched; "
            f"type it as: {watch.command('destroy', '--delete-data', config.name)}"
        )
        raise UsageError(msg)
    _unprotect(client_of, config, delete_data is not None, watch)
    for wave in reversed(waves(config)):
        names = [(part.region, part.stack_name(config.name)) for part in wave]
        side_by_side(lambda where: _delete(client_of, *where, watch), names, watch)
    for region, bucket in artefacts.names(config.name, account, config.regions).items():
        if artefacts.remove(client_of, region, bucket):
            watch.say(f"deleted bucket {bucket} with the functions' code")
    _retained(client_of, config, delete_data is not None, watch)


def _delete(client_of: ClientFactory, region: str, name: str, watch: Watch) -> None:
    if stack_changes.delete(client_of, region, name, watch):
        watch.say(f"deleted stack {name} in {region}")


def _unprotect(client_of: ClientFactory, config: DeployConfig, forced: bool, watch: Watch) -> None:
    found = protection.protected(client_of, config)
    if found and not forced:
        named = ", ".join(str(each) for each in found)
        msg = (
            f"the data of {config.name} is protected ({named}); nothing was touched; "
            f"if it may go for good: {watch.command('destroy', '--delete-data', config.name)}"
        )
        raise UsageError(msg)
    for each in found:
        protection.take_off(client_of, each)
        watch.say(f"took the deletion protection off {each}")


def _retained(client_of: ClientFactory, config: DeployConfig, forced: bool, watch: Watch) -> None:
    """Delete what the stacks retained, or say that it stays."""
    failures = []
    for item in sorted(retained.left_behind(client_of, config), key=data_removal.order):
        if not forced:
            if there(client_of, config, item):
                watch.say(f"stays: {item}: {item.foreign or 'it keeps data'}")
            continue
        try:
            for line in data_removal.remove(client_of, config, item):
                watch.say(line)
        except ClientError as problem:
            reason = problem.response["Error"]["Message"]
            watch.say(f"stays: {item}: {reason}")
            failures.append(f"{item}: {reason}")
    if failures:
        msg = (
            f"{len(failures)} could not be deleted, the first is {failures[0]}; "
            f"try again with: {watch.command('destroy', '--delete-data', config.name)}"
        )
        raise DrillError(msg)
