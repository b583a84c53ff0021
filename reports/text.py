"""Make any string safe to read: what can't be printed is written out, never obeyed.

Escaping for HTML is Jinja's part. This is about characters that HTML forbids or that would
deceive a reader: terminal escapes, NUL, reversed writing direction, lone surrogates.
"""

import json
import unicodedata

from drill.model import Json

_KEPT = frozenset("\n\t")
_BYTE = 0xFF
_PLANE = 0xFFFF


def clean(text: str) -> str:
    r"""Return the text with every control and format character written out.

    Escape becomes ``\x1b``, a change of the writing direction ``\u202e``, and so on: signs that
    every font has, unlike pictures of controls.
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
    # Cc controls, Cf invisible formatting, Cs lone surrogates, Cn what Unicode does not define.
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}:
        if code <= _BYTE:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"
    return character
