"""Whether the service works here: ``ok``, or what is wrong, for each thing that it stands on."""

from collections.abc import Callable, Mapping

from infra.app.order import StoreUnavailable


def check(things: Mapping[str, Callable[[], None]]) -> tuple[bool, Mapping[str, str]]:
    """Ask every thing; return whether all are well, and what each said."""
    said = {"function": "ok", **{name: _ask(ping) for name, ping in things.items()}}
    return all(state == "ok" for state in said.values()), said


def _ask(ping: Callable[[], None]) -> str:
    try:
        ping()
    except StoreUnavailable as problem:
        return str(problem)
    return "ok"
