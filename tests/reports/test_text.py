import pytest

from reports.text import as_text, clean


@pytest.mark.parametrize("plain", ["", "orders-lab", "Zürich → 東京", "two\nlines\tand a tab", "1\u00a0s"])
def test_printable_text_is_kept(plain: str) -> None:
    """What a reader can see is not changed."""
    assert clean(plain) == plain


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("\x00", "\\x00"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\r", "\\x0d"),
        ("\x7f", "\\x7f"),
        ("\x9b", "\\x9b"),
        ("\u202e", "\\u202e"),
        ("\u200b", "\\u200b"),
        ("\u00ad", "\\xad"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
        ("\uffff", "\\uffff"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_cannot_be_printed_is_shown(hidden: str, shown: str) -> None:
    """Controls, format characters, lone surrogates and noncharacters become visible signs."""
    assert clean(f"a{hidden}b") == f"a{shown}b"


def test_parameters_read_as_they_are_typed() -> None:
    """Strings are bare, everything else is JSON, and controls are shown in both."""
    assert [as_text("x\x1b"), as_text(True), as_text({"a": ["é", None]})] == [
        "x\\x1b",
        "true",
        '{"a": ["é", null]}',
    ]
