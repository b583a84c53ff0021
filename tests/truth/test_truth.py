"""A sample of the truth test for every run of the tests; the whole is ``make truth``."""

import pytest

from tests.truth.truth import Asked, played_out
from tests.truth.verdicts import problems

# One drill of each method, and some of the plants; all in one cloud.
SAMPLE = (0, 3, 4, 5, 8, 10)
# The machine is shared here: attempts that come late make intervals wide, and none wrong.
NARROW_SHARE = 0.5


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a busy machine plays them again, in slow motion
def test_sample() -> None:
    """What is measured holds what was so, what was planted is found, and wrong measures are found out."""
    told: list[str] = []
    done = played_out(Asked(SAMPLE, longest_s=0.2), told.append)

    assert not problems(done.verdicts, NARROW_SHARE), "\n".join(told)
