"""Reading a measure's options, so that a wrong one is told and never guessed around."""

from drill.model import MeasureSpec


def text(spec: MeasureSpec, key: str) -> str:
    """Return an option that must be there.

    Raises:
        ValueError: It is missing or is no text.

    """
    value = optional_text(spec, key)
    if value is None:
        msg = f"measure {spec.kind} needs the option {key!r}"
        raise ValueError(msg)
    return value


def optional_text(spec: MeasureSpec, key: str) -> str | None:
    """Return an option that may be left out or null.

    Raises:
        ValueError: It is there and is no text.

    """
    value = spec.options.get(key)
    if value is None or isinstance(value, str):
        return value
    msg = f"option {key!r} of measure {spec.kind} must be text, not {value!r}"
    raise ValueError(msg)


def texts(spec: MeasureSpec, key: str) -> tuple[str, ...]:
    """Return an option that is a list of texts; none when left out.

    Raises:
        ValueError: It is there and is something else.

    """
    value = spec.options.get(key, [])
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(str(one) for one in value)
    msg = f"option {key!r} of measure {spec.kind} must be a list of texts, not {value!r}"
    raise ValueError(msg)


def flag(spec: MeasureSpec, key: str) -> bool:
    """Return an option that is true or false; true when left out.

    Raises:
        ValueError: It is neither.

    """
    value = spec.options.get(key, True)
    if isinstance(value, bool):
        return value
    msg = f"option {key!r} of measure {spec.kind} must be true or false, not {value!r}"
    raise ValueError(msg)


def whole(spec: MeasureSpec, key: str, otherwise: int) -> int:
    """Return an option that is a whole number of at least 1.

    Raises:
        ValueError: It is not.

    """
    value = spec.options.get(key, otherwise)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    msg = f"option {key!r} of measure {spec.kind} must be a whole number of at least 1, not {value!r}"
    raise ValueError(msg)
