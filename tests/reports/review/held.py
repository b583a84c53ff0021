"""Game days on disk as a scheduler leaves them, for tests of the review."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drill.cli.gameday_people import answering
from drill.gameday import folder, form
from drill.gameday.form import GameDay
from reports.review import app, keys
from reports.review.app import Settings
from reports.review.days import GameDays
from tests.drill.gameday.quick_day import Room


def day(place: Path, rules: str = "") -> GameDay:
    """Write the file of a day of two drills, the second of which waits for an approval, and read it."""
    path = Room(place, "").due()
    path.write_text(path.read_text(encoding="utf-8") + rules, encoding="utf-8")
    return form.load(path)


def planned(root: Path, given: GameDay, ago_days: int = 0) -> Path:
    """Make a day that is planned."""
    at = datetime.now(UTC) - timedelta(days=ago_days)
    return folder.begin(root, folder.day_id(given.name, at), given)


def waiting(root: Path, given: GameDay) -> Path:
    """Make a day whose second drill waits for an approval."""
    place = planned(root, given)
    folder.note(place, "begun")
    folder.note(place, "drill", **drilled(0, "20260101t100000-region-outage-0001"))
    folder.note(place, "notified", occasion="approval", text="waits", failed=[], number=1)
    return place


def ended(root: Path, given: GameDay, run_id: str, ago_days: int = 1) -> Path:
    """Make a day of one drill that is over."""
    place = planned(root, given, ago_days)
    folder.note(place, "begun")
    folder.note(place, "drill", **drilled(0, run_id))
    folder.note(place, "ended", reason="")
    return place


def drilled(number: int, run_id: str, reason: str = "Within both objectives.") -> dict[str, str | int]:
    """Return what a day's folder says of a drill that met its objectives."""
    what: dict[str, str | int] = {"number": number, "scenario": "region-outage", "run_id": run_id}
    return {**what, "outcome": "met", "exit_code": 0, "reason": reason}


def approve(days_root: Path, runs_root: Path, store: str, identifier: str) -> None:
    """Approve what a day asks for, as Nora does in the review application."""
    runs_root.mkdir(exist_ok=True)
    signer = keys.signer(runs_root.parent / "keys", runs_root)
    settings = Settings(runs_root, signer, days=GameDays(days_root, answering(days_root, store)))
    with app.create(settings).test_client() as reader:
        page = reader.get(f"/days/{identifier}").get_data(as_text=True)
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        form.update(kind="approve", who="Nora", text="Everybody is here.")
        assert 303 == reader.post(f"/days/{identifier}", data=form).status_code
