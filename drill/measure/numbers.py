"""Writing lists of numbers for people."""

from collections.abc import Iterable

MOST_RANGES = 40


def ranges(numbers: Iterable[int]) -> str:
    """Return numbers as ascending ranges, for example ``3, 7 to 9``; a very long list is cut and says so."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    texts = [str(low) if low == high else f"{low} to {high}" for low, high in found]
    if len(texts) > MOST_RANGES:
        left = sum(high - low + 1 for low, high in found[MOST_RANGES:])
        return f"{', '.join(texts[:MOST_RANGES])} and {left} more"
    return ", ".join(texts)


def counted(amount: int, noun: str) -> str:
    """Return an amount with its noun, for example ``1 write`` or ``3 writes``."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
