"""Make any string safe to read: what can't be printed is shown, never obeyed.

Escaping for HTML is Jinja's part. This is about characters that HTML forbids or that would
deceive a reader: terminal escapes, NUL, reversed writing direction, lone surrogates.
"""

import json
import unicodedata

from drill.model import Json

_KEPT = frozenset("\n\t")
_PICTURES = 0x2400
_DELETE = 0x7F


def clean(text: str) -> str:
    r"""Return the text with every control and format character shown as a visible sign.

    ``ESC`` becomes U+241B (the picture of an escape), and so on; characters that have no
    picture become ``\u202e`` and the like.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def as_text(value: Json) -> str:
    """Return a parameter as a reader would type it: strings bare, everything else as JSON."""
    return clean(value) if isinstance(value, str) else clean(json.dumps(value, ensure_ascii=False))


def _visible(character: str) -> str:
    code = ord(character)
    if character in _KEPT:
        return character
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == _DELETE:
        return "\u2421"
    # Cc controls, Cf invisible formatting, Cs lone surrogates, Cn what Unicode does not define.
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}:
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return character
