"""What the probes have seen lately, in a word or two each."""

from drill.model import Goodness, History


def newest(history: History) -> dict[str, str]:
    """Return a word or two for each probe: what its last attempts showed."""
    words = {}
    for name, observations in history.observations.items():
        recent = observations[-20:]
        bad = sum(1 for one in recent if one.goodness is not Goodness.GOOD)
        by = next((one.answered_by for one in reversed(recent) if one.answered_by), "")
        state = "no answer yet" if not recent else "good" if not bad else f"{bad} of {len(recent)} not good"
        words[name] = f"{state} {by}".strip()
    return words
