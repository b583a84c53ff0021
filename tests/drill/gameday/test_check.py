"""What is wrong with a game-day file is said with line and column, and nothing starts."""

import json
import re
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from drill import catalogue, cli, exit_codes
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
        ("drills:", "blackout: {calendar: none.ics, zone: UTC}\ndrills:", "7:12:", "none.ics"),
        ("drills:", "lasts_s: 1\ndrills:", "7:1:", "take up to"),
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

    shown = check.dates_upto(check.day(path), AFTER)

    assert check.SHOWN == len(shown)
    assert "code freeze" in shown[0].skipped
    assert not any(one.skipped for one in shown[1:])


def test_a_day_that_may_be_late_is_not_planned_before_a_blackout(tmp_path: Path) -> None:
    """What may begin a day late could begin in a freeze an hour after it is planned."""
    freeze = FREEZE.replace("DTSTART;VALUE=DATE:20270101", "DTSTART:20270105T100000Z")
    (tmp_path / "freeze.ics").write_text(freeze.replace("\n", "\r\n"), encoding="utf-8")
    text = DAY.replace("2#1", "2").replace("zone: Europe/Berlin", "zone: Europe/Berlin, late_s: 86400")
    path = day_file(tmp_path, text + "blackout: {calendar: freeze.ics, zone: Europe/Berlin}\n")

    before, late = check.dates_upto(check.day(path), datetime(2026, 12, 28, tzinfo=UTC))[:2]

    assert "" == before.skipped
    assert "code freeze" in late.skipped


def test_a_calendar_is_read_up_to_the_last_date_shown(tmp_path: Path) -> None:
    """Of ten yearly dates, the one in a year that is all frozen is skipped."""
    freeze = FREEZE.replace("20270101", "20300101").replace("20270201", "20310101")
    (tmp_path / "freeze.ics").write_text(freeze.replace("\n", "\r\n"), encoding="utf-8")
    text = DAY.replace("0 10 * * 2#1", "0 10 5 1 *")
    path = day_file(tmp_path, text + "blackout: {calendar: freeze.ics, zone: Europe/Berlin}\n")

    shown = check.dates_upto(check.day(path), AFTER)

    assert list(range(2027, 2037)) == [one.local.year for one in shown]
    assert [2030] == [one.local.year for one in shown if one.skipped]


def test_a_calendar_is_read_also_where_there_is_no_schedule(tmp_path: Path) -> None:
    """A day that is held by hand is not held in a blackout either, so its calendar must be there."""
    text = "".join(line for line in DAY.splitlines(keepends=True) if "schedule" not in line)
    path = day_file(tmp_path, text + "blackout: {calendar: none.ics, zone: UTC}\n")

    with pytest.raises(UsageError, match=rf"{path}:9:12: .*none.ics can't be read"):
        check.day(path)


def test_days_that_overlap_on_one_target_are_refused(tmp_path: Path) -> None:
    """Two files whose days would be held at the same time on one target; on another they may."""
    first, second = day_file(tmp_path), day_file(tmp_path, DAY.replace("quarterly", "monthly"), "other.yaml")
    days = [(path, check.day(path)) for path in (first, second)]

    with pytest.raises(UsageError, match=rf"{second}:6:1: on 2027-01-05 10:00 quarterly"):
        check.overlapping(second, days[1][1], days, AFTER)


@pytest.mark.parametrize(("name", "refused"), [("orders", True), ("others", False)])
def test_a_target_is_known_by_its_name(tmp_path: Path, name: str, refused: bool) -> None:
    """Another file of the same target is no other target; one of another name may be drilled meanwhile."""
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(make_document(name=name)), encoding="utf-8")
    text = DAY.replace("quarterly", "monthly").replace("target.yaml", "again.yaml")
    paths = (
        day_file(tmp_path),
        day_file(tmp_path, text.replace("confirm: orders", f"confirm: {name}"), "other.yaml"),
    )
    days = [(path, check.day(path)) for path in paths]

    with pytest.raises(UsageError, match="held on the same target") if refused else nullcontext():
        check.overlapping(*days[1], days, AFTER)


def test_a_yearly_day_is_seen_beside_a_daily_one(tmp_path: Path) -> None:
    """The other's dates are read as far as this one's are shown, and this one's as far as the other's."""
    yearly = day_file(tmp_path, DAY.replace("0 10 * * 2#1", "0 10 1 12 *"))
    daily = day_file(tmp_path, DAY.replace("quarterly", "daily").replace("* * 2#1", "* * *"), "other.yaml")
    days = [(path, check.day(path)) for path in (yearly, daily)]

    with pytest.raises(UsageError, match="on 2027-12-01 10:00 daily"):
        check.overlapping(*days[0], days, AFTER)


def test_a_day_whose_last_date_is_over_overlaps_with_none(tmp_path: Path) -> None:
    """A scheduler that goes on with it serves it beside another, which is as good as alone."""
    rule = 'rrule: "FREQ=DAILY;COUNT=1", start: 2026-01-01T10:00:00'
    over = day_file(tmp_path, DAY.replace('cron: "0 10 * * 2#1"', rule))
    days = [(path, check.day(path)) for path in (over, day_file(tmp_path, name="other.yaml"))]

    for path, day in days:
        check.overlapping(path, day, days, AFTER)


def test_serve_begins_nothing_if_days_overlap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It refuses what ``check`` refuses, in the same words."""
    files = [
        str(day_file(tmp_path, DAY)),
        str(day_file(tmp_path, DAY.replace("quarterly", "monthly"), "other.yaml")),
    ]
    said = []
    # An address that is none ends whatever would begin to serve.
    serve = ["serve", *files, "--days", str(tmp_path / "days"), "--health", "nowhere"]
    for words in (["check", *files], serve):
        assert exit_codes.USAGE == cli.outcome_of(["gameday", *words])
        said.append(capsys.readouterr().err)

    assert "held on the same target" in said[0]
    assert said[0] == said[1]
    assert not (tmp_path / "days").exists()


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
    assert 10 == len(check.dates_upto(day, AFTER))
