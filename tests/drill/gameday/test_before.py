"""What keeps a day from being held: it was missed, or the one before it left something that blocks it."""

import json
import re
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from drill import runs
from drill.gameday import folder, form, serving, workflow
from drill.gameday.before import blocked, missed, warnings
from drill.gameday.folder import Held
from drill.gameday.form import Action, GameDay
from drill.signing import DISPUTES, SIGN_OFFS
from tests.drill.gameday.quick_day import WAIT_S, Room, silent, until
from tests.drill.test_target import make_document

PLANNED = datetime(2026, 11, 3, 9, tzinfo=UTC)
RUN = "20261006t090000-region-outage-0001"


def day(folder: Path, rules: str = "", late_s: int = 0) -> GameDay:
    """Return a day with rules of its own."""
    path = Room(folder, "").due()
    text = path.read_text(encoding="utf-8").replace("late_s: 600", f"late_s: {late_s}")
    path.write_text(text + rules, encoding="utf-8")
    return form.load(path)


def begun(root: Path, given: GameDay, at: datetime) -> Path:
    """Make a day's folder."""
    return folder.begin(root, folder.day_id(given.name, at), given)


@pytest.mark.parametrize(
    ("late_s", "behind_s", "held"), [(0, 59, True), (0, 61, False), (600, 599, True), (600, 601, False)]
)
def test_a_day_does_not_begin_late(tmp_path: Path, late_s: int, behind_s: int, held: bool) -> None:
    """However long its scheduler was away since its notice; a minute is for whoever looks once a minute."""
    place = begun(tmp_path / "days", day(tmp_path, late_s=late_s), PLANNED)
    now = PLANNED + timedelta(seconds=behind_s)

    assert held is not bool(missed(folder.read(place), now))

    folder.note(place, "begun")
    assert "" == missed(folder.read(place), now + timedelta(hours=9))


def test_a_day_whose_scheduler_died_after_the_notice_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workflow goes on with what it had found at the notice, and looks once more before it begins."""
    place = begun(tmp_path, day(tmp_path), PLANNED)
    monkeypatch.setattr(serving.SERVING, "root", tmp_path)

    assert "it was missed" in workflow._blocked(place.name)
    assert "planned" == folder.read(place).state


def second(tmp_path: Path, rule: str) -> tuple[Held, Path]:
    """Return a day that is to be held, and the one before it, which left an action and an unsigned report."""
    given, root = day(tmp_path, f"signed_off: {rule}\nopen_actions: {rule}\n"), tmp_path / "days"
    first = begun(root, given, PLANNED - timedelta(days=28))
    folder.note(first, "drill", number=0, scenario="region-outage", run_id=RUN, outcome="met", exit_code=0)
    folder.note(first, "ended", reason="")
    (tmp_path / "runs" / RUN).mkdir(parents=True)
    (tmp_path / "runs" / RUN / runs.RECORD).touch()
    folder.write_action(first, Action(what="page somebody", owner="Ada", due=date(2026, 1, 2)))
    return folder.read(begun(root, given, PLANNED)), first


@pytest.mark.parametrize("rule", ["warn", "block"])
def test_what_the_day_before_left_blocks_or_is_told(tmp_path: Path, rule: str) -> None:
    """Unsigned reports and overdue actions, until one is signed off and the other done."""
    held, first = second(tmp_path, rule)
    where = (tmp_path / "days", tmp_path / "runs")

    assert 2 == len(warnings(held, *where))
    assert (rule == "block") is bool(blocked(held, *where))

    run = tmp_path / "runs" / RUN
    (run / SIGN_OFFS).write_text(decided(1) + decided(4), encoding="utf-8")
    (run / DISPUTES).write_text(decided(3), encoding="utf-8")
    folder.write_action(first, Action(what="page somebody", owner="Ada", due=date(2026, 1, 2), done=True))
    assert ((), "") == (warnings(held, *where), blocked(held, *where))


def decided(seq: int) -> str:
    """Return a line as the review leaves it in a run's folder."""
    return json.dumps({"body": json.dumps({"seq": seq}), "key": "k", "signature": "s"}) + "\n"


@pytest.mark.parametrize("disputed", [decided(5), "?\n"])
def test_a_dispute_ends_a_sign_off(tmp_path: Path, disputed: str) -> None:
    """What was disputed after it was signed off is as unsigned; so is what nobody can read."""
    held, _ = second(tmp_path, "block")
    run = tmp_path / "runs" / RUN
    (run / SIGN_OFFS).write_text(decided(4), encoding="utf-8")
    signed = warnings(held, tmp_path / "days", tmp_path / "runs")
    (run / DISPUTES).write_text(disputed, encoding="utf-8")

    assert 1 == len(signed)
    assert 2 == len(warnings(held, tmp_path / "days", tmp_path / "runs"))


def test_a_day_before_that_can_not_be_read_blocks(tmp_path: Path) -> None:
    """Nobody can say what it left, so the next is not held; why is told."""
    held, first = second(tmp_path, "warn")
    (first / folder.DAY).write_text("{", encoding="utf-8")

    assert "can't be read" in blocked(held, tmp_path / "days", tmp_path / "runs")


def test_a_folder_whose_making_was_cut_off_is_no_day(tmp_path: Path) -> None:
    """A scheduler that died while it made one keeps no later day from being held."""
    held, _ = second(tmp_path, "warn")
    (tmp_path / "days" / folder.day_id("quick", PLANNED - timedelta(days=1))).mkdir()

    assert "" == blocked(held, tmp_path / "days", tmp_path / "runs")
    assert 2 == len(folder.listed(tmp_path / "days"))


FREEZE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:1
SUMMARY:code freeze
DTSTART:{begins:%Y%m%dT%H%M%SZ}
DURATION:PT1H
END:VEVENT
END:VCALENDAR
"""


def frozen(place: Path, in_s: float) -> str:
    """Write a calendar whose freeze begins in so many seconds, and return what a day's file says of it."""
    begins = datetime.now(UTC) + timedelta(seconds=in_s)
    (place / "freeze.ics").write_text(FREEZE.format(begins=begins).replace("\n", "\r\n"), encoding="utf-8")
    return "blackout: {calendar: freeze.ics, zone: UTC}\nlasts_s: 3600\n"


@pytest.mark.parametrize(
    ("in_s", "said"), [(-1800, "code freeze"), (1800, "code freeze"), (7200, ""), (None, "can't")]
)
def test_a_blackout_that_was_added_since_the_notice_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_s: float | None, said: str
) -> None:
    """The calendar is read again before the day begins, for all of the day; if it is gone, none is held."""
    place = begun(tmp_path / "days", day(tmp_path, frozen(tmp_path, 99999)), datetime.now(UTC))
    monkeypatch.setattr(serving.SERVING, "root", place.parent)
    if in_s is None:
        (tmp_path / "freeze.ics").unlink()
    else:
        frozen(tmp_path, in_s)

    why = workflow._blocked(place.name)

    assert said in why
    assert bool(said) is bool(why)
    assert ("planned" if said else "going") == folder.read(place).state


@pytest.mark.parametrize(
    ("name", "behind_s", "held"), [("orders", 0, False), ("others", 0, True), ("orders", 7200, True)]
)
def test_no_day_begins_beside_another_on_its_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, behind_s: int, held: bool
) -> None:
    """A target is known by its name; a day whose time is over, whatever became of it, keeps none away."""
    root, now = tmp_path / "days", datetime.now(UTC)
    given = day(tmp_path, "lasts_s: 3600\n")
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(make_document(name=name)), encoding="utf-8")
    other = given.model_copy(update={"name": "other", "target": tmp_path / "again.yaml"})
    folder.note(begun(root, other, now - timedelta(seconds=behind_s)), "begun")
    place = begun(root, given, now)
    monkeypatch.setattr(serving.SERVING, "root", root)

    why = workflow._blocked(place.name)

    assert held is ("" == why)
    assert held or re.fullmatch(r"other-\d{8}t\d{6}z is held on the same target", why)


def test_of_two_days_on_one_store_and_target_one_is_held(tmp_path: Path) -> None:
    """Both are due at once, and their target files differ: the second is skipped, and its record says why."""
    with silent() as (endpoint, close):
        room = Room(tmp_path, "", endpoint)
        file = room.due()
        text = "".join(
            line for line in file.read_text(encoding="utf-8").splitlines(True) if "gate" not in line
        )
        file.write_text(text, encoding="utf-8")
        (tmp_path / "again.yaml").write_bytes((tmp_path / "target.yaml").read_bytes())
        (tmp_path / "other.yaml").write_text(
            text.replace("name: quick", "name: other").replace("target.yaml", "again.yaml"), encoding="utf-8"
        )
        (room.days / "other.since").write_bytes((room.days / "quick.since").read_bytes())
        with subprocess.Popen(room.typed("tick", str(file), str(tmp_path / "other.yaml"))) as ticking:
            try:
                until(lambda: room.events("skipped"), "one to be skipped")
                close()
                assert 0 == ticking.wait(WAIT_S)
            finally:
                ticking.kill()

    skipped, ended = sorted(folder.listed(room.days), key=lambda one: one.state, reverse=True)
    assert ("skipped", "ended") == (skipped.state, ended.state)
    assert f"{ended.id} is held on the same target" == folder.reason(skipped)
    assert ((), 1) == (skipped.drills, len(ended.drills))
