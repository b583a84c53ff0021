"""What a person answers a day that waits: yes or no to one of its drills, or a veto of all of it.

The terminal and the review application both make their answers here, so the same is refused in both.
"""

from dataclasses import dataclass

from drill.errors import UsageError
from drill.gameday.folder import OVER, Held


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that a day can still be given.

    Attributes:
        day: The day's id.
        number: Which drill of it, from 0; None for the whole day.
        agreed: Whether it may begin.

    """

    day: str
    number: int | None
    agreed: bool

    @property
    def words(self) -> str:
        """What was answered, in words."""
        if self.number is None:
            return f"vetoed: {self.day}"
        return f"{'approved' if self.agreed else 'refused'}: drill {self.number + 1} of {self.day}"


def approval(held: Held, number: int | None, *, agreed: bool) -> Answer:
    """Answer a drill of a day.

    Args:
        held: The day.
        number: Which drill, from 0, which need not wait yet; None for the one that waits.
        agreed: Whether it may begin.

    Raises:
        UsageError: It is too late, or nobody is asked.

    """
    _refuse_over(held)
    if number is None:
        number = held.waits_for
        if number is None:
            msg = f"no drill of {held.id} waits now; to answer beforehand name it, as: --drill 2"
            raise UsageError(msg)
    if not 0 <= number < len(held.day.drills):
        msg = f"{held.id} has {len(held.day.drills)} drills; see: drill gameday history"
        raise UsageError(msg)
    if number in held.answered or number < len(held.drills):
        msg = f"drill {number + 1} of {held.id} was answered or has begun; see: drill gameday history"
        raise UsageError(msg)
    if held.day.drills[number].gate == "none":
        msg = f"drill {number + 1} of {held.id} asks nobody: it has no gate; see: drill gameday schema"
        raise UsageError(msg)
    return Answer(held.id, number, agreed)


def veto(held: Held) -> Answer:
    """Veto a day.

    Raises:
        UsageError: It has begun, or is over.

    """
    _refuse_over(held)
    if held.state != "planned":
        msg = f"{held.id} has begun; say no to its next drill, or stop this one with: drill abort"
        raise UsageError(msg)
    return Answer(held.id, None, agreed=False)


def _refuse_over(held: Held) -> None:
    if held.state in OVER:
        msg = f"{held.id} is over, so it waits for nobody; see: drill gameday history"
        raise UsageError(msg)
