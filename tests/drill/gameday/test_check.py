"""What is wrong with a game-day file is said with line and column, and nothing starts."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from drill import catalogue
from drill.errors import DrillError, UsageError
from drill.gameday import check, form
from tests.drill.test_target import make_document

TREE = Path(__file__).parents[3]
DAY = """\
schema: 1
name: quarterly
owner: platform team
target: target.yaml
confirm: orders
schedule: {cron: "0 10 * * 2#1", zone: Europe/Berlin}
drills:
  - scenario: region-outage
    params: {blackout: true}
"""
FREEZE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:1
SUMMARY:code freeze
DTSTART;VALUE=DATE:20270101
DTEND;VALUE=DATE:20270201
END:VEVENT
END:VCALENDAR
"""
AFTER = datetime(2026, 12, 10, tzinfo=UTC)


def day_file(folder: Path, text: str = DAY, name: str = "day.yaml") -> Path:
    """Write a game-day file with a target beside it."""
    (folder / "target.yaml").write_text(yaml.safe_dump(make_document()), encoding="utf-8")
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_right_file_is_taken(tmp_path: Path) -> None:
    """Its length is what its drills add up to, and its target is found from anywhere."""
    day = check.day(day_file(tmp_path))

    assert tmp_path.resolve() / "target.yaml" == day.target
    assert day.lasts_s is not None
    assert day.lasts_s > 0


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("2#1", "9", "6:", "cron"),
        ('"0 10 * * 2#1"', '"0 0 30 2 *"', "6:1:", "cron"),
        ("Europe/Berlin", "Europe/Berlix", "6:34:", "no IANA time zone"),
        ("region-outage", "region-outrage", "8:5:", "did you mean region-outage"),
        ("blackout: true", "blackout: maybe", "9:14:", "blackout"),
        ("blackout: true", "darkness: true", "9:14:", "darkness"),
        ("owner: platform team", "boss: me", "1:1:", "owner"),
        ("confirm: orders", "confirm: other", "4:1:", "confirm: orders"),
        ("schema: 1", "schema: 2", "1:1:", "schema"),
        ("drills:", "notify:\n  - webhook_env: NO_SUCH_VARIABLE\ndrills:", "8:5:", "NO_SUCH_VARIABLE"),
        ("drills:", "stop: [\ndrills:", "9:3:", "not YAML"),
        ("drills:", "blackout: {calendar: none.ics, zone: UTC}\ndrills:", "6:1:", "none.ics"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, old: str, new: str, where: str, said: str
) -> None:
    """File, line, column, what is wrong, and what to type next; in one line."""
    path = day_file(tmp_path, DAY.replace(old, new, 1))

    with pytest.raises(DrillError) as refused:
        check.day(path)

    assert f"{path}:{where}" in str(refused.value)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert re.search(r"drill (gameday|scenarios)", str(refused.value))


def test_occasions_are_written_without_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML takes the key ``on`` for a boolean; the file's reader does not, and the docs write it so."""
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/")
    path = day_file(tmp_path, DAY + "notify:\n  - {webhook_env: HOOK, on: [start, end]}\n")

    assert ("start", "end") == check.day(path).notify[0].on


def test_dates_in_a_blackout_are_explained(tmp_path: Path) -> None:
    """A freeze of January skips January's day, by its name, and no other."""
    (tmp_path / "freeze.ics").write_text(FREEZE.replace("\n", "\r\n"), encoding="utf-8")
    path = day_file(tmp_path, DAY + "blackout: {calendar: freeze.ics, zone: Europe/Berlin}\n")

    shown = check.dates_upto(check.day(path), AFTER, ())

    assert check.SHOWN == len(shown)
    assert "code freeze" in shown[0].skipped
    assert not any(one.skipped for one in shown[1:])


def test_days_that_overlap_on_one_target_are_refused(tmp_path: Path) -> None:
    """Two files whose days would be held at the same time on one target; on another they may."""
    first, second = day_file(tmp_path), day_file(tmp_path, DAY.replace("quarterly", "monthly"), "other.yaml")
    days = [(path, check.day(path)) for path in (first, second)]

    with pytest.raises(UsageError, match=rf"{second}:6:1: on 2027-01-05 10:00 quarterly"):
        check.overlapping(second, days[1][1], days, AFTER)

    apart = days[1][1].model_copy(update={"target": tmp_path / "elsewhere.yaml"})
    check.overlapping(second, apart, days, AFTER)


def test_a_day_survives_the_store(tmp_path: Path) -> None:
    """What a workflow keeps of a day is the day."""
    day = check.day(day_file(tmp_path))

    assert day == form.from_document(form.as_document(day))


def test_the_published_schema_is_the_present_one() -> None:
    """Editors are told what the program takes; ``drill gameday schema`` writes it anew."""
    published = (TREE / "docs" / "schemas" / "gameday.json").read_text(encoding="utf-8")

    assert json.loads(published) == form.json_schema()


def test_the_example_is_right() -> None:
    """The ready-made day can be read, and each of its drills is there."""
    day = form.load(TREE / "examples" / "full-dr.yaml")

    assert all(catalogue.find(drill.scenario) for drill in day.drills)
    assert 10 == len(check.dates_upto(day, AFTER, ()))
