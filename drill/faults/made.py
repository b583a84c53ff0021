"""What databases and snapshots are called that a drill makes: by its run's id, so that an undo finds them.

RDS takes letters, digits and single hyphens, begins with a letter, and lets a cluster's or an
instance's identifier have 63 characters:
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html#RDS_Limits.Constraints
"""

import hashlib
import re

PREFIX = "drill-"
ANY = f"{PREFIX}*"
"""What all of these names match, for policies."""
_LONGEST = 48  # room for what is appended
_DIGEST = 8


def name_of(run_id: str) -> str:
    """Return the name of what a run makes; the same for the same run, another one for another."""
    plain = re.sub("[^a-z0-9]+", "-", run_id.lower()).strip("-")
    if len(PREFIX) + len(plain) > _LONGEST:
        digest = hashlib.sha256(run_id.encode()).hexdigest()[:_DIGEST]
        plain = f"{plain[: _LONGEST - len(PREFIX) - _DIGEST - 1].rstrip('-')}-{digest}"
    return PREFIX + plain


def filled(text: str, run_id: str) -> str:
    """Return an identifier in which ``{run}`` stands for the name of what a run makes."""
    return text.replace("{run}", name_of(run_id))


def pattern(text: str) -> str:
    """Return such an identifier as a pattern that all runs' match."""
    return text.replace("{run}", ANY)
