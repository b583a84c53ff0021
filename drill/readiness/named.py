"""Looks at everything that a target file names, at AWS."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from drill.aws import Aws

# Calls at once: enough to be quick, few enough that no API throttles.
_AT_ONCE = 8

Client: TypeAlias = Any
"""A boto3 client, which has no static type."""

Ask: TypeAlias = Callable[[Client, str], str]
"""Looks at one thing by its name; returns what is wrong with it, or nothing. AWS's errors may pass."""

Row: TypeAlias = tuple[str, str, str | None, str, Ask]
"""Key in the target file, kind, name (None where the file names none), boto3's service, how to look."""

UNTAGGED = "it is there, but no drill may change it"
"""How the answer begins for what is there and has not agreed to be drilled."""

# Services whose things are in no region.
_GLOBAL = {"iam", "route53", "sts"}


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a target names, and where it should be."""

    row: Row
    region: str

    @property
    def place(self) -> str:
        """Where it is asked for: ``global`` for what has no region."""
        return "global" if self.row[3] in _GLOBAL else self.region


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found.

    Attributes:
        key: The thing's key in the target file.
        kind: What it should be.
        id: What the file says.
        region: Where it should be; ``global`` for what has no region.
        wrong: Empty if it is there and of the right kind, else why not, in one line.

    """

    key: str
    kind: str
    id: str
    region: str
    wrong: str


def questions(rows: Iterable[Row], region: str) -> Iterator[Question]:
    """Yield a question for each row that names something."""
    return (Question(row, region) for row in rows if row[2])


def answers(questions: Sequence[Question], aws: Aws) -> Iterator[Answer]:
    """Yield the answers in the order of the questions.

    What can't be looked at (a missing permission, no network) counts as wrong.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda question: _answer(question, aws), questions)


class _Absent(Exception):
    """AWS answered with an empty list."""


def only(found: Sequence[Any]) -> Any:  # noqa: ANN401 (a description of AWS's)
    """Return the one thing that was asked for; that there is none becomes the answer."""
    if not found:
        raise _Absent
    return found[0]


def look(question: Question, client: Client) -> str:
    """Look at one thing by a client of its service; returns what is wrong with it, or nothing.

    Raises:
        ClientError: AWS refused to tell, or says in its own words that there is no such thing.
        BotoCoreError: Nothing answered.

    """
    _, _, name, _, ask = question.row
    try:
        return ask(client, name or "")
    except _Absent:
        return "there is no such thing"


def _answer(question: Question, aws: Aws) -> Answer:
    key, kind, name, service, _ = question.row
    try:
        wrong = look(question, aws.client(service, question.place))
    except ClientError as problem:
        error = problem.response["Error"]
        wrong = f"{error['Code']}: {error['Message']}"
    except BotoCoreError as problem:
        wrong = f"it can't be asked for: {problem}"
    return Answer(key, kind, name or "", question.place, " ".join(wrong.split()))
