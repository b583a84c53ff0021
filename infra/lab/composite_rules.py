"""Rules of composite alarms: ``ALARM("a") AND NOT (OK("b") OR FALSE)``, pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Callable, Iterator, Mapping

from infra.lab.alarm_rules import ALARM, OK

Holds = Callable[[Mapping[str, str]], bool]
"""Says whether a rule holds, given the states of the alarms by name."""

_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?P<name>\"[^\"]+\"|'[^']+'|[^\s()]+)\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))",
    re.IGNORECASE,
)


class BadRule(ValueError):
    """A rule can't be read; the text is the part that is wrong."""


def state_of(rule: str, states: Mapping[str, str]) -> str:
    """Return the state of a composite alarm: ``ALARM`` while its rule holds, else ``OK``."""
    return ALARM if parsed(rule)(states) else OK


def parsed(rule: str) -> Holds:
    """Read a rule.

    Raises:
        BadRule: It is none.

    """
    tokens = list(_tokens(rule))
    holds, rest = _either(tokens)
    if rest:
        raise BadRule(_text(rest[0]))
    return holds


def _tokens(rule: str) -> Iterator[tuple[str, str]]:
    place, text = 0, rule.strip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise BadRule(text[place:].strip())
        place = found.end()
        if found["word"]:
            yield found["word"].upper(), ""
        else:
            yield found["state"].upper(), _alarm_name(found["name"])


def _alarm_name(given: str) -> str:
    return given.strip("\"'").rpartition(":alarm:")[2]


def _text(token: tuple[str, str]) -> str:
    return f"{token[0]}({token[1]})" if token[1] else token[0]


def _either(tokens: list[tuple[str, str]]) -> tuple[Holds, list[tuple[str, str]]]:
    one, rest = _both(tokens)
    while rest and rest[0][0] == "OR":
        other, rest = _both(rest[1:])
        one = _join(one, other, any)
    return one, rest


def _both(tokens: list[tuple[str, str]]) -> tuple[Holds, list[tuple[str, str]]]:
    one, rest = _single(tokens)
    while rest and rest[0][0] == "AND":
        other, rest = _single(rest[1:])
        one = _join(one, other, all)
    return one, rest


def _join(one: Holds, other: Holds, how: Callable[[list[bool]], bool]) -> Holds:
    return lambda states: how([one(states), other(states)])


def _single(tokens: list[tuple[str, str]]) -> tuple[Holds, list[tuple[str, str]]]:
    if not tokens:
        ended = "its end"
        raise BadRule(ended)
    (word, name), rest = tokens[0], tokens[1:]
    if name:
        return (lambda states: states.get(name) == word), rest
    if word == "NOT":
        inner, rest = _single(rest)
        return (lambda states: not inner(states)), rest
    if word in {"TRUE", "FALSE"}:
        return (lambda _: word == "TRUE"), rest
    if word == "(":
        inner, rest = _either(rest)
        if rest[:1] == [(")", "")]:
            return inner, rest[1:]
    raise BadRule(_text(tokens[0]))
