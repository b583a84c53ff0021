"""Game days in the review: who waits is shown, an answer is signed and reaches the day, what is left too."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from drill.errors import UsageError
from drill.gameday import folder
from drill.gameday.answers import Answer
from drill.gameday.form import Action, GameDay
from reports.review import app, keys
from reports.review.access import ANYBODY, Access
from reports.review.app import Settings
from reports.review.days import GameDays
from reports.review.trail import Trail
from tests.reports import hostile
from tests.reports.review import held, stand
from tests.reports.review.test_app import PROXY, REVIEWER, VIEWER
from tests.reports.test_render import ILLEGAL, _Outline

HTTPS: dict[str, Any] = {
    "base_url": "https://review.example",
    "headers": {**REVIEWER, "Referer": "https://review.example/"},
}


@dataclass
class Desk:
    """The application over a folder of days, a reader before it, and what reached the scheduler."""

    settings: Settings
    client: FlaskClient
    day: GameDay
    given: list[tuple[Answer, str]] = field(default_factory=list)
    away: str = ""

    def give(self, answer: Answer, by: str) -> None:
        """Take an answer as a scheduler's store does; or be away."""
        if self.away:
            raise UsageError(self.away)
        self.given.append((answer, by))

    @property
    def days(self) -> Path:
        """The folder of all days."""
        assert self.settings.days is not None
        return self.settings.days.root

    @property
    def trail(self) -> Trail:
        """The trail."""
        return Trail(self.settings.source.path)

    def planned(self) -> Path:
        """Make a day that is planned."""
        return held.planned(self.days, self.day)

    def waiting(self) -> Path:
        """Make a day whose second drill waits for an approval."""
        return held.waiting(self.days, self.day)

    def ended(self, run_id: str) -> Path:
        """Make a day of one drill that is over."""
        return held.ended(self.days, self.day, run_id)

    def form(self, place: Path, kind: str, **more: str) -> dict[str, str]:
        """Open the day's page and return its form, filled in."""
        page = self.client.get(f"/days/{place.name}").get_data(as_text=True)
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
        typed = {"who": "Nora", "text": "All is well.", "kind": kind, **more}
        return {**{name: unescape(value) for name, value in hidden}, **typed}

    def send(self, place: Path, form: dict[str, str]) -> TestResponse:
        """Send a form."""
        return self.client.post(f"/days/{place.name}", data=form)

    def page(self, path: str) -> str:
        """Return a page as it is read."""
        return unescape(self.client.get(path).get_data(as_text=True))


def make(tmp_path: Path, access: Access = ANYBODY, rules: str = "") -> Desk:
    """Make the application over an empty folder of days."""
    runs_root = tmp_path / "runs"
    runs_root.mkdir()
    day = held.day(tmp_path, rules)
    signer = keys.signer(tmp_path / "keys", runs_root)
    hosts = () if access.name_header else ("127.0.0.1", "localhost")

    def give(answer: Answer, by: str) -> None:
        made.give(answer, by)

    settings = Settings(runs_root, signer, access, hosts, days=GameDays(tmp_path / "days", give))
    made = Desk(settings, app.create(settings).test_client(), day)
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give the application as it is on one's own machine."""
    made = make(tmp_path)
    with made.client:
        yield made


def test_an_approval_is_signed_and_reaches_the_day(desk: Desk) -> None:
    """The list and the runs say who waits; the answer is on the trail, and the day hears it in that name."""
    place = desk.waiting()
    for page in ("/", "/days", f"/days/{place.name}"):
        assert re.search("[Dd]rill 2 of 2, region-outage, waits for an approval", desk.page(page)), page

    answer = desk.send(place, desk.form(place, "approve"))

    assert (303, f"/days/{place.name}#review") == (answer.status_code, answer.headers["Location"])
    assert [(Answer(place.name, 1, agreed=True), "Nora")] == desk.given
    (line,) = desk.trail.every()
    assert ("approve", place.name, "Nora", 2) == (line.kind, line.run_id, line.who, line.fields["drill"])
    assert () == desk.trail.problems(desk.settings.signer)
    page = desk.page(f"/days/{place.name}")
    assert "Approved by <strong>Nora</strong>" in page
    assert 'value="approve"' not in page
    assert f'<a href="/days/{place.name}">' in desk.page("/audit")


@pytest.mark.parametrize(
    ("kind", "number", "verb"), [("refuse", 1, "Refused"), ("veto", None, "Vetoed")], ids=["refuse", "veto"]
)
def test_a_no_reaches_the_day(desk: Desk, kind: str, number: int | None, verb: str) -> None:
    """A drill that waits is refused, a day that is planned is vetoed."""
    place = desk.planned() if kind == "veto" else desk.waiting()

    assert 303 == desk.send(place, desk.form(place, kind)).status_code

    assert [(Answer(place.name, number, agreed=False), "Nora")] == desk.given
    assert f"{verb} by <strong>Nora</strong>" in desk.page(f"/days/{place.name}")


def test_what_can_not_be_answered_any_more_is_refused(desk: Desk) -> None:
    """An approval of a drill that has begun meanwhile, a veto of a day that has, and a day that is over."""
    place = desk.waiting()
    form = desk.form(place, "approve")
    folder.note(place, "approved", number=1, by="Otto, at the terminal")
    late = desk.send(place, form)
    vetoed = desk.send(place, {**form, "kind": "veto"})
    folder.note(place, "ended", reason="")
    over = desk.send(place, form)

    for answer, words in ((late, "was answered or has begun"), (vetoed, "has begun"), (over, "is over")):
        assert 422 == answer.status_code
        assert words in unescape(answer.get_data(as_text=True))
    assert [] == desk.given
    assert () == desk.trail.every()


def test_an_answer_that_does_not_arrive_is_told_and_can_be_given_again(desk: Desk) -> None:
    """The page says why, the trail says so too, and the form is still there."""
    place = desk.waiting()
    desk.away = "the store can't be used: nobody is there"
    answer = desk.send(place, desk.form(place, "approve"))
    assert 422 == answer.status_code
    assert "nobody is there" in unescape(answer.get_data(as_text=True))
    assert ["approve", "undelivered"] == [line.kind for line in desk.trail.every()]

    desk.away = ""
    assert 303 == desk.send(place, desk.form(place, "approve")).status_code
    assert 1 == len(desk.given)


def test_the_second_of_two_reviewers_is_told_of_the_first(desk: Desk) -> None:
    """Who answers on an older page reads the other's answer first, and gives none."""
    place = desk.waiting()
    form = desk.form(place, "refuse", who="Otto", text="Not today.")
    desk.send(place, desk.form(place, "approve"))

    answer = desk.send(place, form)

    page = unescape(answer.get_data(as_text=True))
    assert 409 == answer.status_code
    assert "Nora approved this day" in page
    assert "Not today.</textarea>" in page
    assert 1 == len(desk.given)


def test_nothing_typed_is_lost_when_the_session_ended(desk: Desk) -> None:
    """The form comes back with what was typed, about the same drill, and can be sent once more."""
    place = desk.waiting()
    form = desk.form(place, "approve", text="A long thought.")
    assert 400 == desk.send(place, {**form, "csrf_token": "of another process"}).status_code
    page = desk.send(place, {**form, "csrf_token": ""}).get_data(as_text=True)
    assert "A long thought.</textarea>" in page
    assert 'name="drill" value="2"' in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None

    assert 303 == desk.send(place, {**form, "csrf_token": token[1]}).status_code
    assert 1 == len(desk.given)


def test_a_viewer_and_another_site_answer_nothing(tmp_path: Path) -> None:
    """The rules of sign-offs hold: the role, the name of the proxy, and no form of another site's page."""
    made = make(tmp_path, PROXY)
    place = made.waiting()
    page = made.client.get(f"/days/{place.name}", headers=VIEWER).get_data(as_text=True)
    assert "<form" not in page
    form = {"kind": "approve", "text": "Fine.", "seen": "0", "drill": "2"}
    assert 403 == made.client.post(f"/days/{place.name}", headers=VIEWER, data=form).status_code

    page = made.client.get(f"/days/{place.name}", **HTTPS).get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {**form, "csrf_token": token[1], "who": "The boss"}
    elsewhere = {**REVIEWER, "Referer": "https://review.example/", "Sec-Fetch-Site": "cross-site"}
    answer = made.client.post(
        f"/days/{place.name}", data=form, base_url="https://review.example", headers=elsewhere
    )
    assert 403 == answer.status_code
    assert [] == made.given
    assert 303 == made.client.post(f"/days/{place.name}", data=form, **HTTPS).status_code
    assert ["nora@example.org"] == [by for _, by in made.given]


@pytest.mark.parametrize("rule", ["warn", "block"])
def test_what_a_day_left_is_shown_with_whether_it_blocks_the_next(tmp_path: Path, rule: str) -> None:
    """Unsigned reports and overdue actions are listed; where the file says so, as what blocks."""
    made = make(tmp_path, rules=f"signed_off: {rule}\nopen_actions: {rule}\n")
    run_id = stand.save(made.settings.root).name
    place = made.ended(run_id)
    folder.write_action(place, Action(what="page the right team", owner="Ada", due=date(2026, 1, 2)))

    page = made.page("/days")

    assert f'href="/runs/{run_id}"' in page
    assert "page the right team (Ada, due 2026-01-02)" in page
    assert (rule == "block") is ("holds up the next day" in page)
    assert (2 if rule == "block" else 0) == page.count("the next day is not held")

    folder.write_action(
        place, Action(what="page the right team", owner="Ada", due=date(2026, 1, 2), done=True)
    )
    sign = made.page(f"/runs/{run_id}")
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', sign))
    signed = made.client.post(
        f"/runs/{run_id}", data={**hidden, "who": "Nora", "text": "Fine.", "kind": "sign-off"}
    )
    assert 303 == signed.status_code
    assert "Left by" not in made.page("/days")


def test_a_day_and_its_report_can_be_opened(desk: Desk) -> None:
    """The day's page names its drills with their reports; the file opens offline; a wrong id is told."""
    run_id = stand.save(desk.settings.root).name
    place = desk.ended(run_id)

    page = desk.page(f"/days/{place.name}")
    report = desk.client.get(f"/days/{place.name}/report.html")

    assert f'<a href="/runs/{run_id}">open</a>' in page
    assert "not signed off" in page
    assert 200 == report.status_code
    assert "attachment" in report.headers["Content-Disposition"]
    for wrong in ("latest", "quick-20200101t000000z", "..%2f..%2fetc"):
        assert desk.client.get(f"/days/{wrong}").status_code in {404, 422}


def test_a_damaged_day_hides_no_other(desk: Desk) -> None:
    """It is named, and the list and the runs still show the day that waits."""
    place = desk.waiting()
    damaged = desk.days / "quick-20260101t000000z"
    damaged.mkdir()
    (damaged / folder.DAY).write_text("{", encoding="utf-8")

    assert "quick-20260101t000000z can't be read" in desk.page("/days")
    for page in ("/", "/days"):
        assert place.name in desk.page(page)


def test_what_is_planted_is_text_on_every_page(desk: Desk) -> None:
    """Markup and controls in reasons, notes, actions and comments stay text."""
    place = desk.waiting()
    folder.write_note(place, hostile.PLANT, hostile.PLANT)
    folder.write_action(place, Action(what=hostile.PLANT, owner=hostile.PLANT, due=date(2026, 1, 2)))
    desk.send(place, desk.form(place, "comment", who=hostile.PLANT[:110].strip(), text=hostile.PLANT))
    folder.note(place, "drill", **held.drilled(1, "20260101t100000-region-outage-0002", hostile.PLANT))
    folder.note(place, "ended", reason=hostile.PLANT)

    for path in ("/days", f"/days/{place.name}", "/audit"):
        answer = desk.client.get(path)
        outline = _Outline(answer.get_data(as_text=True))
        assert 200 == answer.status_code
        assert not outline.tags & {"script", "img", "iframe", "object", "embed", "style", "base"}, path
        assert not [name for name, _ in outline.attributes if name.startswith("on") or name == "style"], path
        assert not ILLEGAL.search(answer.get_data(as_text=True)), path
