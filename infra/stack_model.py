"""A stack as it should be, and what is to be done to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from drill.errors import DrillError
from infra import stack_states

# Types whose instances hold what can't be made again: orders, backups, keys, logins, objects.
KEEPS_DATA = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::KMS::Key",
        "AWS::RDS::DBCluster",
        "AWS::RDS::GlobalCluster",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }
)


def template_body(template: str) -> str:
    """Return the text of a template of ``infra/stacks``, by its file name."""
    return (files("infra") / "stacks" / template).read_text(encoding="utf-8")


class StackFailed(DrillError):
    """A stack did not become what was asked for.

    Attributes:
        what: How messages name the stack.

    """

    def __init__(self, what: str, text: str) -> None:
        """Take the stack and the whole message."""
        super().__init__(text)
        self.what = what


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it should be.

    Attributes:
        name: Its name.
        region: Where it is.
        template: File name in ``infra/stacks``.
        parameters: By name.
        tags: On every resource that takes a stack's tags.

    """

    name: str
    region: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    def __str__(self) -> str:
        """Return how messages name it."""
        return stack_states.named(self.name, self.region)

    @property
    def body(self) -> str:
        """Its template's text."""
        return template_body(self.template)


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a change set does to one resource.

    Attributes:
        action: ``Add``, ``Modify``, ``Remove``, ``Import`` or ``Dynamic``.
        logical_id: Its name in the template.
        resource_type: For example ``AWS::EC2::VPC``.
        replacement: Of a ``Modify``: ``True``, ``Conditional`` or ``False``; see
            https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html

    """

    action: str
    logical_id: str
    resource_type: str
    replacement: str = ""

    @property
    def replaces(self) -> bool:
        """Say whether another resource may take its place."""
        return self.action == "Modify" and self.replacement in {"True", "Conditional"}

    @property
    def loses_data(self) -> bool:
        """Say whether the system may go on without what this resource keeps."""
        return self.resource_type in KEEPS_DATA and (self.action == "Remove" or self.replaces)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A stack with what is to be done to it.

    Attributes:
        stack: As it should be.
        action: ``create``, ``change``; ``none`` where it is so already; ``again`` where what is
            left of an earlier attempt must be deleted first.
        changes: What the change set does; empty for ``none`` and ``again``.
        change_set: Its ARN; empty for ``none`` and ``again``.
        stack_id: The stack's ARN; empty for ``again``.
        status: What the stack is at; empty where there is none.

    """

    stack: Stack
    action: Literal["create", "change", "none", "again"]
    changes: tuple[ResourceChange, ...] = ()
    change_set: str = ""
    stack_id: str = ""
    status: str = ""
