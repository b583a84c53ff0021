"""Reading a probe's options: each has a type, and a wrong one names itself."""

from collections.abc import Collection, Mapping

from drill.errors import UsageError
from drill.model import Json, ProbeSpec


def text(spec: ProbeSpec, name: str, default: str | None = None) -> str:
    """Return a string option; without a default it must be there."""
    value = spec.options.get(name, default)
    if not isinstance(value, str) or not value:
        raise _wrong(spec, name, "a text")
    return value


def one_of(spec: ProbeSpec, name: str, known: Collection[str]) -> str:
    """Return a string option that must be one of those that are known."""
    value = spec.options.get(name)
    if not isinstance(value, str) or value not in known:
        raise _wrong(spec, name, f"one of {', '.join(known)}")
    return value


def number(spec: ProbeSpec, name: str, default: float) -> float:
    """Return a number option above zero."""
    value = spec.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise _wrong(spec, name, "a number above zero")
    return value


def flag(spec: ProbeSpec, name: str) -> bool:
    """Return a yes-or-no option; no unless it is there."""
    value = spec.options.get(name, False)
    if not isinstance(value, bool):
        raise _wrong(spec, name, "true or false")
    return value


def texts(spec: ProbeSpec, name: str) -> tuple[str, ...]:
    """Return an option that is a list of strings; empty unless it is there."""
    value = spec.options.get(name, ())
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise _wrong(spec, name, "a list of texts")
    return tuple(str(each) for each in value)


def mapping(spec: ProbeSpec, name: str) -> Mapping[str, Json]:
    """Return an option that maps names to values; empty unless it is there."""
    value = spec.options.get(name, {})
    if not isinstance(value, Mapping):
        raise _wrong(spec, name, "a mapping")
    return value


def _wrong(spec: ProbeSpec, name: str, wanted: str) -> UsageError:
    return UsageError(
        f"probe {spec.name!r} ({spec.kind}): option {name!r} must be {wanted}, "
        f"not {spec.options.get(name)!r}; see: drill scenarios"
    )
