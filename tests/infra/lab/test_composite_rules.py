"""Rules of composite alarms."""

import pytest

from infra.lab.composite_rules import BadRule, parsed, state_of

STATES = {"a": "ALARM", "b": "OK", "c d": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ("ALARM(a)", "ALARM"),
        ('ALARM("b")', "OK"),
        ("OK('b')", "ALARM"),
        ('INSUFFICIENT_DATA("c d")', "ALARM"),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", "ALARM"),
        ("ALARM(a) AND ALARM(b)", "OK"),
        ("ALARM(a) OR ALARM(b)", "ALARM"),
        ("NOT ALARM(b)", "ALARM"),
        ("NOT NOT ALARM(b)", "OK"),
        ("alarm(b) or true and not false", "ALARM"),
        ("ALARM(b) AND (ALARM(b) OR TRUE)", "OK"),
        ("TRUE OR TRUE AND FALSE", "ALARM"),
        ("ALARM(unknown)", "OK"),
    ],
)
def test_rules(rule: str, state: str) -> None:
    """NOT binds more than AND, and that more than OR; an alarm that is not there is in no state."""
    assert state_of(rule, STATES) == state


@pytest.mark.parametrize("rule", ["", "ALARM()", "ALARM(a) AND", "(ALARM(a)", "ALARM(a) ALARM(b)", "a", ")"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    """A rule that can't be read whole is none."""
    with pytest.raises(BadRule):
        parsed(rule)
