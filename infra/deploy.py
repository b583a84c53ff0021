"""Brings the drilled system up, on AWS and on the lab alike, and says what to drill.

The stacks go up in waves: within a wave they do not need one another. Everything is done
through change sets, so that what is deployed twice changes only where it differs, and what would
change is seen first.
"""

from collections.abc import Callable, Sequence

from drill.target import Target
from infra import artefacts, deploy_account, deploy_checks, deploy_target, stack_changes, stack_states
from infra.deploy_checks import States
from infra.deploy_config import DeployConfig
from infra.deploy_preview import Later, Place, Preview
from infra.deploy_stacks import Part, waves
from infra.deploy_system import NotYet, System
from infra.function_package import Package, application
from infra.side_by_side import side_by_side
from infra.stack_events import Watch
from infra.stack_model import Prepared, Stack, template_body
from infra.stack_states import ClientFactory, StackState

__all__ = ["DeployConfig", "deploy", "preview"]

Approve = Callable[[Preview], object]
"""Sees what would be done and raises if it is not to be done."""


def deploy(
    client_of: ClientFactory,
    config: DeployConfig,
    package: Package | None = None,
    watch: Watch | None = None,
    approve: Approve = lambda _preview: None,
) -> Target:
    """Create or update everything, wait for it, and return what to drill.

    Args:
        client_of: Returns a boto3 client of a service in a region; called from several threads.
        config: What to deploy.
        package: The functions' code; the application if left away.
        watch: Hears what happens.
        approve: Asked before anything is touched, and again where a later stack would lose data;
            ``begun`` of what it sees tells the two apart.

    Raises:
        UsageError: The account or the regions can't be used; nothing was touched.
        DrillError: A stack failed; the text names the stack, the resource and the reason.

    """
    watch = watch or Watch()
    account = deploy_account.account_of(client_of, config)
    system = _system(config, account, package)
    shown = _look(client_of, system, account, watch)
    try:
        approve(shown)
    except BaseException:
        _discard(client_of, shown)
        raise
    if not shown.empty:
        artefacts.upload(client_of, system.buckets, system.package, config.tags)
        _put(client_of, system, shown, watch, approve)
    return deploy_target.target_of(system, account)


def preview(
    client_of: ClientFactory, config: DeployConfig, package: Package | None = None, watch: Watch | None = None
) -> Preview:
    """Return what :func:`deploy` would do, and leave nothing behind.

    Raises:
        UsageError: The account or the regions can't be used.
        DrillError: CloudFormation refuses a stack.

    """
    account = deploy_account.account_of(client_of, config)
    shown = _look(client_of, _system(config, account, package), account, watch or Watch())
    _discard(client_of, shown)
    return shown


def _system(config: DeployConfig, account: str, package: Package | None) -> System:
    return System(config, package or application(), artefacts.names(config.name, account, config.regions))


def _look(client_of: ClientFactory, system: System, account: str, watch: Watch) -> Preview:
    """Prepare every stack whose inputs are known, from what earlier deployments gave."""
    config = system.config
    missing = artefacts.missing(client_of, system.buckets)
    states = _states(client_of, config)
    deploy_checks.refuse(client_of, config, states, watch)
    for part, state in states.items():
        if state is not None and state.status in stack_states.USABLE:
            system.outputs[part.template, part.region] = state.outputs
    known: list[Stack] = []
    later: list[Later] = []
    for part, state in states.items():
        try:
            known.append(part.stack(system))
        except NotYet as needed:
            waits_for = f"{config.name}-{needed.template} in {needed.region}"
            types = _resource_types(client_of, part)
            name = part.stack_name(config.name)
            later.append(Later(name, part.region, types, waits_for, there=state is not None))
    prepared = _prepare(client_of, known, watch)
    return Preview(tuple(prepared), tuple(later), missing, Place(account, config.regions))


def _states(client_of: ClientFactory, config: DeployConfig) -> States:
    """Return what every stack is at, in the order in which they go up."""

    def read(part: Part) -> StackState | None:
        client = client_of("cloudformation", part.region)
        return stack_states.state_of(client, part.stack_name(config.name))

    parts = [part for wave in waves(config) for part in wave]
    return dict(zip(parts, side_by_side(read, parts), strict=True))


def _resource_types(client_of: ClientFactory, part: Part) -> tuple[str, ...]:
    """Return what is in a template; one that CloudFormation can't read is refused."""
    client = client_of("cloudformation", part.region)
    summary = client.get_template_summary(TemplateBody=template_body(f"{part.template}.yaml"))
    return tuple(summary["ResourceTypes"])


def _prepare(client_of: ClientFactory, stacks: Sequence[Stack], watch: Watch) -> list[Prepared]:
    """Prepare stacks side by side; if one is refused, nothing is left of the others' preparation."""
    made: list[Prepared] = []
    try:
        return side_by_side(
            lambda stack: _kept(made, stack_changes.prepare(client_of, stack, watch)), stacks, watch
        )
    except BaseException:
        for each in made:
            stack_changes.discard(client_of, each)
        raise


def _kept(made: list[Prepared], each: Prepared) -> Prepared:
    made.append(each)
    return each


def _discard(client_of: ClientFactory, shown: Preview) -> None:
    side_by_side(lambda each: stack_changes.discard(client_of, each), shown.prepared)


def _put(client_of: ClientFactory, system: System, shown: Preview, watch: Watch, approve: Approve) -> None:
    """Bring every wave up; what was prepared is used where the stack is still wanted so."""
    ready = {(each.stack.name, each.stack.region): each for each in shown.prepared}
    try:
        for wave in waves(system.config):
            stacks = [part.stack(system) for part in wave]
            side_by_side(lambda stack: _make_ready(client_of, stack, ready, watch), stacks, watch)
            _tell([ready[stack.name, stack.region] for stack in stacks], shown, watch, approve)
            todo = [ready.pop((stack.name, stack.region)) for stack in stacks]
            outputs = side_by_side(lambda each: stack_changes.apply(client_of, each, watch), todo, watch)
            for part, given in zip(wave, outputs, strict=True):
                system.outputs[part.template, part.region] = given
    finally:
        side_by_side(lambda each: stack_changes.discard(client_of, each), ready.values())


def _make_ready(
    client_of: ClientFactory, stack: Stack, ready: dict[tuple[str, str], Prepared], watch: Watch
) -> None:
    """Prepare a stack, unless it was prepared already and for the same."""
    key = stack.name, stack.region
    if key in ready and ready[key].stack == stack:
        return
    if key in ready:
        stack_changes.discard(client_of, ready.pop(key))
    ready[key] = stack_changes.prepare(client_of, stack, watch)


def _tell(todo: Sequence[Prepared], shown: Preview, watch: Watch, approve: Approve) -> None:
    """Show what could not be shown at first, and ask again before data is lost that was not shown."""
    unseen = Preview(tuple(each for each in todo if each not in shown.prepared), begun=True)
    if not set(unseen.losses) <= set(shown.losses):
        approve(unseen)
    elif not unseen.empty:
        for line in unseen.lines():
            watch.say(line)
