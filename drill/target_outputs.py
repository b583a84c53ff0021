"""From the outputs of an infrastructure tool to a target; no clock, no network, no files.

An output is matched to a key of the target file by its name alone: ``PrimaryVpcId``,
``primary_vpc_id`` and ``primary: {vpcId: …}`` all mean ``primary.vpc_id``.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from drill import restraints
from drill.errors import TargetError
from drill.target import ALARMS, Objectives, Target

Outputs: TypeAlias = Mapping[str, Any]
Form: TypeAlias = Literal["cloudformation", "pulumi", "terraform"]

_SEPARATORS = re.compile(r"[^a-z0-9]")
# What people call the standby, and its name, besides.
_SAME = {
    "primaryregion": "primaryname",
    "standbyregion": "standbyname",
    "accountid": "account",
    "drillrolearn": "drillsrolearn",
    "schedulerrolearn": "drillsschedulerrolearn",
    "schedulegroup": "drillsschedulegroup",
    "leasetable": "drillsleasetable",
}
# An output may not say that a system is there to be broken: only who runs the command may.
_BY_HAND = {"disposable"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the target file.

    Attributes:
        path: Its place, for example ``("primary", "vpc_id")``.
        required: A target has it.
        many: It is a list.

    """

    path: tuple[str, ...]
    required: bool
    many: bool

    def __str__(self) -> str:
        """Return it as messages and ``--set`` write it."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Read:
    """What came of outputs.

    Attributes:
        target: The target.
        unused: Names of outputs that no key of the target file is called by, in order.

    """

    target: Target
    unused: tuple[str, ...]


def outputs_of(text: str, form: Form | None = None) -> Outputs:
    """Read what a tool printed.

    Args:
        text: ``pulumi stack output --json``, ``terraform output -json``, or what
            ``aws cloudformation describe-stacks`` printed.
        form: Which of these; None to see by itself.

    Raises:
        TargetError: It is none of these.

    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as problem:
        msg = f"the outputs are not JSON: {problem}; write them with: terraform output -json"
        raise TargetError(msg) from problem
    if not isinstance(document, dict):
        msg = f"the outputs must be a JSON object, not a {type(document).__name__}; see: drill target init -h"
        raise TargetError(msg)
    printed = form or _form_of(document)
    try:
        return _READERS[printed](document)
    except (KeyError, TypeError, AttributeError) as problem:
        msg = f"these are no outputs as {printed} prints them ({problem!r}); see: drill target init --help"
        raise TargetError(msg) from problem


def read(outputs: Outputs, chosen: Mapping[str, str]) -> Read:
    """Return the target that outputs describe.

    Args:
        outputs: Names and values; a value may hold more of them.
        chosen: Values by key (``primary.vpc_id``), which win over the outputs.

    Raises:
        TargetError: A key is missing, unknown, wrong or said twice; the text names all that are missing.

    """
    keys = {_plain("".join(key.path)): key for key in keys_of(Target)}
    by_hand = {}
    for name, text in chosen.items():
        key = keys.get(_plain(name))
        if key is None:
            msg = f"--set {name}: the target file has no such key; see: drill target schema"
            raise TargetError(msg)
        by_hand[key] = text
    found, unused = _matched(outputs, keys, by_hand)
    found |= by_hand
    _demand_all(keys.values(), found)
    document: dict[str, Any] = {}
    for key, value in found.items():
        _place(document, key, value)
    try:
        return Read(Target.model_validate(document), tuple(unused))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        msg = f"the outputs make no target: {where}: {first['msg']}; correct it with: --set {where}=VALUE"
        raise TargetError(msg) from problem


def keys_of(model: type[BaseModel], path: tuple[str, ...] = (), *, required: bool = True) -> Iterator[Key]:
    """Yield every key of the target file that outputs may give, in the order of the model."""
    for name, field in model.model_fields.items():
        here = (*path, field.alias or name)
        if here[0] in restraints.KEYS:
            continue  # what may be done to a system is no output of what deployed it
        needed = required and field.is_required()
        kind = _without_none(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from keys_of(kind, here, required=needed)
        elif here[-1] == "alarms":
            yield from (Key((*here, role), required=False, many=False) for role in ALARMS)
        elif here == ("objectives",):
            yield from keys_of(Objectives, (*here, "default"), required=False)
        elif here != ("schema",):
            yield Key(here, needed, many=get_origin(kind) is tuple)


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 (a type)
    origin = get_origin(annotation)
    if origin is Annotated:
        return _without_none(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return next(kind for kind in get_args(annotation) if kind is not NoneType)
    return annotation


def _form_of(document: Mapping[str, Any]) -> Form:
    if "Stacks" in document:
        return "cloudformation"
    values = list(document.values())
    if values and all(isinstance(value, dict) and {"value", "type"} <= value.keys() for value in values):
        return "terraform"
    return "pulumi"


def _cloudformation(document: Mapping[str, Any]) -> Outputs:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html."""
    return {
        output["OutputKey"]: output["OutputValue"]
        for stack in document["Stacks"]
        for output in stack.get("Outputs", [])
    }


def _terraform(document: Mapping[str, Any]) -> Outputs:
    """https://developer.hashicorp.com/terraform/cli/commands/output; sensitive ones are left out."""
    return {name: output["value"] for name, output in document.items() if not output.get("sensitive")}


def _pulumi(document: Mapping[str, Any]) -> Outputs:
    """https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_output/; secrets are masked there."""
    return document


_READERS = {"cloudformation": _cloudformation, "pulumi": _pulumi, "terraform": _terraform}


def _plain(name: str) -> str:
    plain = re.sub("^secondary", "standby", _SEPARATORS.sub("", name.lower()))
    return _SAME.get(plain, plain)


def _leaves(value: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for part, inner in value.items():
            yield from _leaves(inner, f"{name}.{part}" if name else str(part))
    elif value is not None and value != "":
        yield name, value


def _matched(
    outputs: Outputs, keys: Mapping[str, Key], settled: Container[Key]
) -> tuple[dict[Key, object], list[str]]:
    found: dict[Key, object] = {}
    unused: list[str] = []
    for name, value in _leaves(outputs, ""):
        key = keys.get(_plain(name))
        if key is None or str(key) in _BY_HAND:
            unused.append(name)
        elif key in found and found[key] != value and key not in settled:
            msg = f"two outputs give {key} different values; choose one with: --set {key}=VALUE"
            raise TargetError(msg)
        else:
            found[key] = value
    return found, unused


def _demand_all(keys: Iterable[Key], found: Mapping[Key, object]) -> None:
    missing = [str(key) for key in keys if key.required and key not in found]
    if missing:
        example = missing[0].replace(".", "_")
        msg = (
            f"the outputs lack {len(missing)} that a target must have: {', '.join(missing)}; "
            f"export them (for example as {example}) or give each with: --set {missing[0]}=VALUE"
        )
        raise TargetError(msg)


def _place(document: dict[str, Any], key: Key, value: object) -> None:
    inner = document
    for part in key.path[:-1]:
        inner = inner.setdefault(part, {})
    if key.many and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and key.path == ("account",):
        # A tool that takes the account for a number has lost its leading zeros.
        value = f"{value:012d}" if isinstance(value, int) else str(value)
    inner[key.path[-1]] = value
