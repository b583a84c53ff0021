"""The words of a report and what they mean; shown where a pointer rests on one, and as a list."""

from collections.abc import Mapping

from markupsafe import Markup

from reports.text import clean

GLOSSARY: Mapping[str, str] = {
    "recovery time": "How long after the fault clients were served again, and went on being served.",
    "recovery point": "What was acknowledged so long before the loss, or since, is gone.",
    "lost writes": "Writes that the system acknowledged and that a store did not have when it was read.",
    "client outage": "From the first failed request of clients until they were served again.",
    "failback": "How long after the fault was undone the first region served clients again.",
    "objective": "What is wanted: at most so long, or so many writes.",
    "met": "The whole interval is within the objective.",
    "breached": "The whole interval is beyond the objective.",
    "inconclusive": "The interval holds the objective, or the drill proves nothing.",
    "interval": "What the samples prove: the true value lies between its two ends.",
    "acknowledged": "The writer was told that the write is done.",
    "unknown": "Nobody saw the answer: it timed out, or was never sent. It is never counted as good.",
    "refused": "The server said no before it did anything.",
    "corrupt": "The write is there with another content.",
    "twice": "The write is there more than once.",
    "at cutover": "Right after the recovery, before anything was put back.",
    "replication lag": "How long after its write something can be read in the other region.",
    "detection": "Until the health checkers see that the region fails.",
    "propagation": "Until the resolvers\u2019 caches let go of the old answer.",
    "fault": "What the drill broke on purpose.",
    "probe": "Something that asks the system on a fixed schedule, whatever the answers are.",
    "schedule": "A probe that could not keep its schedule proves little.",
    "journal": "The undo log, on disk before each change; every line holds the hash of the one before.",
    "lab": "A cloud on one machine that stands for AWS; its durations are its own.",
    "hypothesis": "What the scenario says should happen.",
    "finding": "What a reader must know besides the numbers.",
}


def explained(words: str) -> str | Markup:
    """Return a word with its meaning for a pointer that rests on it; others as they are."""
    meaning = GLOSSARY.get(words.lower())
    if meaning is None:
        return words
    return Markup('<abbr title="{}">{}</abbr>').format(meaning, clean(words))
