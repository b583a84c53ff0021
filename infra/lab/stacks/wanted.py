"""What somebody wants of a stack, and whether that would change anything."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass

from moto.cloudformation.models import Stack

from infra.lab.stacks import template as templates
from infra.lab.stacks.difference import Change, changes
from infra.lab.stacks.reading import FINISHED, outputs_of, scope_of
from infra.lab.stacks.scope import NotYetKnown, Scope


@dataclass(frozen=True, slots=True)
class Wanted:
    """A template with its parameters, and the stack's tags.

    Attributes:
        template: The template's text.
        parameters: Values by name, as text; the others have their defaults.
        tags: The stack's own tags.

    """

    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    def scope(self, stack: Stack) -> Scope:
        """Return the scope that a stack would have.

        Raises:
            ValidationError: CloudFormation would refuse the template or the parameters.

        """
        other = copy(stack)
        other.template_dict = templates.parse(self.template)
        other.parameters = dict(self.parameters)
        return scope_of(other)


def changes_to(stack: Stack, wanted: Wanted) -> tuple[list[Change], bool]:
    """Return what would change in a stack, and whether anything would, its outputs and tags included.

    Raises:
        ValidationError: CloudFormation would refuse it.

    """
    scope = wanted.scope(stack)
    found = changes(stack, scope, wanted.tags)
    if found or dict(wanted.tags) != dict(stack.tags) or stack.status not in FINISHED:
        return found, True
    return found, _outputs_differ(stack, scope)


def _outputs_differ(stack: Stack, scope: Scope) -> bool:
    try:
        return _seen(scope) != _seen(stack.resource_map)
    except NotYetKnown:
        return True


def _seen(scope: Scope) -> object:
    outputs, exported = outputs_of(scope)
    return [(item.key, item.value, item.description) for item in outputs], exported
