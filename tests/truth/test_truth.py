"""A sample of the truth test for every run of the tests; the whole is ``make truth``."""

from tests.truth.truth import Asked, played_out
from tests.truth.verdicts import problems

# One drill of each method, and one of each kind of plant that changes what must be found.
SAMPLE = (0, 3, 4, 5, 8, 10)


def test_sample() -> None:
    """What is measured holds what was so, what was planted is found, and wrong measures are found out."""
    told: list[str] = []
    done = played_out(Asked(SAMPLE, longest_s=0.2), told.append)

    assert not problems(done.verdicts), "\n".join(told)
