"""The truth test: ``python -m tests.truth``; see ``make truth`` and docs/truth.md."""

import argparse
import sys
from pathlib import Path

from tests.truth.table import page
from tests.truth.truth import Asked, judged_again, played_out
from tests.truth.verdicts import problems

ALL = 216
PAGE = Path("docs/truth.md")


def main() -> int:
    """Play the drills that are asked for, print what is wrong, and write the table."""
    parser = argparse.ArgumentParser(prog="make truth", description=__doc__)
    parser.add_argument("--drills", type=int, default=ALL, help="how many")
    parser.add_argument("--first", type=int, default=0, help="from this seed on")
    parser.add_argument("--seed", type=int, action="append", help="this one alone; may be repeated")
    parser.add_argument("--at-once", type=int, default=2, help="how many clouds side by side")
    parser.add_argument("--longest", type=float, default=1.0, help="no client probe is slower (seconds)")
    parser.add_argument("--keep", type=Path, help="keep what the drills leave in this folder")
    parser.add_argument("--table", type=Path, help="write the page here (a whole run: docs/truth.md)")
    parser.add_argument("--judge", type=Path, nargs="+", help="judge again what was kept in these folders")
    typed = parser.parse_args()
    if typed.keep and typed.keep.exists() and any(typed.keep.iterdir()):
        parser.error(f"{typed.keep} is not empty: name a new folder")
    asked = Asked(
        tuple(sorted(typed.seed or range(typed.first, typed.first + typed.drills))),
        typed.longest,
        typed.at_once,
        typed.keep,
    )

    def told(line: str) -> None:
        print(line, flush=True)

    done = judged_again(typed.judge, told) if typed.judge else played_out(asked, told)
    wrong = problems(done.verdicts)
    for line in wrong:
        print(f"RED: {line}")
    whole = len(done.verdicts) >= ALL
    if typed.table or whole:
        typed.table = typed.table or PAGE
        typed.table.write_text(page(done), encoding="utf-8")
    print(f"{len(done.verdicts)} drills in {done.took_s:.0f} s: {'RED' if wrong else 'all true'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
