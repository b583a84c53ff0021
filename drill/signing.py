"""Whether a run was signed off, by what the review left in its folder.

The review's trail decides; these copies are for whoever has the folder alone. They are believed only
as far as they can be read: what nobody can read counts as not signed.
"""

import json
from pathlib import Path

SIGN_OFFS = "sign-offs.jsonl"
DISPUTES = "disputes.jsonl"


def signed_off(folder: Path) -> bool:
    """Say whether somebody signed a run off, and nobody has disputed it since."""
    try:
        return _last(folder / SIGN_OFFS) > _last(folder / DISPUTES)
    except (ValueError, LookupError, TypeError):
        return False


def _last(path: Path) -> int:
    """Return the number on the trail of the last line of a file; 0 without one."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return int(json.loads(json.loads(lines[-1])["body"])["seq"]) if lines else 0
