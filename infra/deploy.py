"""Brings the drilled system up, on AWS and on the lab alike, and says what to drill.

The stacks go up in waves: within a wave they do not need one another. Everything is done
through change sets, so that what is deployed twice changes only where it differs, and what would
change is seen first.
"""

from collections.abc import Callable, Sequence

from drill.errors import UsageError
from drill.target import Target
from infra import artefacts, deploy_account, deploy_target, retained, stack_changes, stack_states
from infra.deploy_config import DeployConfig
from infra.deploy_preview import Later, Preview
from infra.deploy_stacks import Part, waves
from infra.deploy_system import NotYet, System
from infra.function_package import Package, application
from infra.side_by_side import side_by_side
from infra.stack_events import Watch
from infra.stack_model import Prepared, Stack, template_body
from infra.stack_states import ClientFactory

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
        approve: Asked before anything is touched, and again where a later stack would lose data.

    Raises:
        UsageError: The account or the regions can't be used; nothing was touched.
        DrillError: A stack failed; the text names the stack, the resource and the reason.

    """
    watch = watch or Watch()
    account = deploy_account.account_of(client_of, config)
    system = _system(config, account, package)
    _refuse_leftovers(client_of, config)
    shown = _look(client_of, system, watch)
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
    system = _system(config, deploy_account.account_of(client_of, config), package)
    _refuse_leftovers(client_of, config)
    shown = _look(client_of, system, watch or Watch())
    _discard(client_of, shown)
    return shown


def _system(config: DeployConfig, account: str, package: Package | None) -> System:
    return System(config, package or application(), artefacts.names(config.name, account, config.regions))


def _refuse_leftovers(client_of: ClientFactory, config: DeployConfig) -> None:
    """Refuse where a retained resource of an earlier system would make a stack fail half-way.

    Raises:
        UsageError: The text names what is in the way.

    """
    found = retained.in_the_way(client_of, config)
    if found:
        named = ", ".join(str(item) for item in found)
        msg = (
            f"an earlier system called {config.name} left its data behind ({named}); nothing was touched; "
            f"choose another name, or delete it for good: drill infra destroy --delete-data {config.name}"
        )
        raise UsageError(msg)


def _look(client_of: ClientFactory, system: System, watch: Watch) -> Preview:
    """Prepare every stack whose inputs are known, from what earlier deployments gave."""
    config = system.config
    missing = artefacts.missing(client_of, system.buckets)
    everything = [part for wave in waves(config) for part in wave]
    _read_outputs(client_of, system, everything)
    known: list[Stack] = []
    later: list[Later] = []
    for part in everything:
        try:
            known.append(part.stack(system))
        except NotYet as needed:
            waits_for = f"{config.name}-{needed.template} in {needed.region}"
            later.append(_later(client_of, config, part, waits_for))
    prepared = _prepare(client_of, known, watch)
    return Preview(tuple(prepared), tuple(later), missing)


def _read_outputs(client_of: ClientFactory, system: System, parts: Sequence[Part]) -> None:
    """Fill in what the stacks that are complete gave."""

    def read(part: Part) -> None:
        client = client_of("cloudformation", part.region)
        state = stack_states.state_of(client, part.stack_name(system.config.name))
        if state is not None and state.status in stack_states.USABLE:
            system.outputs[part.template, part.region] = state.outputs

    side_by_side(read, parts)


def _later(client_of: ClientFactory, config: DeployConfig, part: Part, waits_for: str) -> Later:
    """Describe a stack that can't be prepared; a template that CloudFormation can't read is refused."""
    client, name = client_of("cloudformation", part.region), part.stack_name(config.name)
    summary = client.get_template_summary(TemplateBody=template_body(f"{part.template}.yaml"))
    there = stack_states.state_of(client, name) is not None
    return Later(name, part.region, tuple(summary["ResourceTypes"]), waits_for, there)


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
            _approve_losses([ready[stack.name, stack.region] for stack in stacks], shown, approve)
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


def _approve_losses(todo: Sequence[Prepared], shown: Preview, approve: Approve) -> None:
    """Ask again before stacks lose data that could not be shown at first."""
    found = Preview(tuple(todo))
    if not set(found.losses) <= set(shown.losses):
        approve(found)
