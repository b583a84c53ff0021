"""The application without a browser: who may do what, what every answer carries, what bad input gets."""

import os
import re
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from drill import cli
from drill.errors import DrillError
from drill.signing import signed_off
from reports.review import app, database, keys, peer, sign_off
from reports.review.access import ANYBODY, Access
from reports.review.app import Settings
from reports.review.trail import DISPUTE, Said, Trail
from tests.reports import factory, hostile
from tests.reports.review import stand
from tests.reports.test_render import ILLEGAL, _Outline

PROXY = Access("X-Remote-User", "X-Remote-Roles")
REVIEWER = {"X-Remote-User": "nora@example.org", "X-Remote-Roles": "staff, reviewer"}
VIEWER = {"X-Remote-User": "otto@example.org", "X-Remote-Roles": "viewer"}


@dataclass(frozen=True)
class Desk:
    """The application over a folder with one run, and a reader before it."""

    settings: Settings
    folder: Path
    client: FlaskClient

    @property
    def address(self) -> str:
        """Return where the run is."""
        return f"/runs/{self.folder.name}"

    @property
    def trail(self) -> Trail:
        """Return the trail."""
        return Trail(self.settings.source.path)

    def form(self, **more: str) -> dict[str, str]:
        """Open the run's page and return its form, filled in."""
        page = self.client.get(self.address).get_data(as_text=True)
        hidden = {
            name: unescape(value)
            for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
        }
        return {**hidden, "who": "Nora", "text": "Within both objectives.", "kind": "sign-off", **more}

    def send(self, form: dict[str, str], **more: Any) -> TestResponse:
        """Send a form."""
        return self.client.post(self.address, data=form, **more)


def desk(tmp_path: Path, access: Access = ANYBODY, drill: factory.Drill | None = None) -> Desk:
    """Make a folder with one run and the application over it."""
    root = tmp_path / "runs"
    folder = stand.save(root, drill)
    settings = Settings(root, keys.signer(tmp_path / "keys", root), access)
    if access.name_header:  # the proxy's name is not ours
        settings = replace(settings, hosts=())
    return Desk(settings, folder, app.create(settings).test_client())


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Desk]:
    """Give the application as it is on one's own machine."""
    made = desk(tmp_path)
    with made.client:
        yield made


def test_a_sign_off_stands_on_the_page_and_is_proved(alone: Desk) -> None:
    """After the form is sent the page says who signed and that the files are those that were signed."""
    answer = alone.send(alone.form())
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{alone.address}#review")
    page = alone.client.get(alone.address).get_data(as_text=True)
    assert "Signed off by <strong>Nora</strong>" in page
    assert "Files unchanged since they were signed" in page
    assert "signed off" in alone.client.get("/").get_data(as_text=True)
    typed = [
        "verify",
        "--runs",
        str(alone.settings.root),
        "--keys",
        str(alone.settings.signer.folder),
        "--signed",
    ]
    assert cli.outcome_of(typed) == 0


def test_a_dispute_ends_a_sign_off_and_comments_do_not(alone: Desk) -> None:
    """The last decision holds; a comment decides nothing."""
    alone.send(alone.form())
    alone.send(alone.form(kind="comment", text="The alarm came late."))
    assert "Signed off by" in alone.client.get(alone.address).get_data(as_text=True)
    signed = signed_off(alone.folder)
    alone.send(alone.form(kind="dispute", text="Wrong load."))
    assert (True, False) == (signed, signed_off(alone.folder))
    page = alone.client.get(alone.address).get_data(as_text=True)
    assert "Disputed by <strong>Nora</strong>" in page
    assert "All that was said (3)" in page
    assert [entry.kind for entry in alone.trail.every()] == ["sign-off", "comment", "dispute"]


@pytest.mark.parametrize("name", ["journal.jsonl", "observations.sqlite", "record.json"])
def test_one_changed_byte_is_shown_and_can_not_be_signed(alone: Desk, name: str) -> None:
    """The page and the list say tampered with, and a sign-off is refused."""
    form = alone.form()
    alone.send(form)
    path = alone.folder / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))
    page = alone.client.get(alone.address)
    assert page.status_code == 200
    assert "Tampered with" in page.get_data(as_text=True)
    assert name in page.get_data(as_text=True)
    assert '<span class="badge breached">tampered with</span>' in alone.client.get("/").get_data(as_text=True)
    refused = alone.send({**form, "seen": "9"})
    assert refused.status_code == 422
    assert len(alone.trail.every()) == 1


PAGES = ("/", "/trend", "/audit", "/compare")


def test_what_is_planted_is_text_on_every_page(tmp_path: Path) -> None:
    """Markup, template code and controls in records, names and comments stay text, on every page."""
    made = desk(tmp_path, drill=hostile.drill())
    made.send(made.form(who=hostile.PLANT[:110].strip(), text=hostile.PLANT, kind="comment"))
    made.send(made.form(who="Nora", text=hostile.PLANT))
    pages = (
        *PAGES,
        made.address,
        f"{made.address}/verify",
        f"/compare?one={made.folder.name}&two={made.folder.name}",
    )
    for page in (*pages, f"/?text={hostile.PLANT}&scenario=<script>", "/runs/<script>alert(1)</script>"):
        answer = made.client.get(page)
        text = answer.get_data(as_text=True)
        assert answer.status_code in {200, 404}, page
        outline = _Outline(text)
        assert not outline.tags & {"script", "img", "iframe", "object", "embed", "style", "base"}, page
        assert not [name for name, _ in outline.attributes if name.startswith("on") or name == "style"], page
        assert not ILLEGAL.search(text), page


def test_every_answer_carries_the_policy(alone: Desk) -> None:
    """Pages, files, redirects and errors all forbid scripts, framing and other hosts."""
    answers = [
        alone.client.get(page)
        for page in (*PAGES, alone.address, "/style.css", "/nothing", f"{alone.address}/record.json")
    ]
    answers += [alone.send(alone.form()), alone.send({})]
    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == app.POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in app.POLICY
    assert "frame-ancestors 'none'" in app.POLICY


def test_another_name_for_this_machine_is_refused(alone: Desk) -> None:
    """A page elsewhere whose name is made to point here reads nothing."""
    answer = alone.client.get("/", headers={"Host": "rebound.example:8017"})
    assert answer.status_code == 400
    assert "region-outage" not in answer.get_data(as_text=True)


def test_a_form_of_another_site_writes_nothing_and_is_not_echoed(alone: Desk) -> None:
    """Neither a form without the token nor one that a browser says comes from elsewhere is taken."""
    form = alone.form()
    other = alone.send(form, headers={"Sec-Fetch-Site": "cross-site"})
    assert other.status_code == 403
    assert "Within both objectives." not in other.get_data(as_text=True)
    assert alone.send({**form, "csrf_token": "made-up"}).status_code == 400
    assert alone.trail.every() == ()


def test_nothing_typed_is_lost_when_the_session_ended(alone: Desk) -> None:
    """After a restart the form comes back with what was typed, and can be sent once more."""
    form = alone.form(text="A long thought.\nIn two lines.", kind="comment")
    again = Desk(alone.settings, alone.folder, app.create(alone.settings).test_client())
    answer = again.send(form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "Your session had ended" in page
    assert "A long thought.\nIn two lines.</textarea>" in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    assert again.send({**form, "csrf_token": token[1]}).status_code == 303
    assert [entry.text for entry in again.trail.every()] == ["A long thought.\nIn two lines."]


def test_the_second_of_two_reviewers_is_told_of_the_first(alone: Desk) -> None:
    """Who decides on an older page reads the other's decision first; the text is kept, and then it counts."""
    form = alone.form(who="Otto", text="Mine.")
    alone.trail.add(Said(alone.folder.name, DISPUTE, "Nora", "Wrong load.", {}), alone.settings.signer, 0)
    answer = alone.send(form)
    page = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 409
    assert "Nora disputed this run" in page
    assert "\u201cWrong load.\u201d" in page
    assert "Mine.</textarea>" in page
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    assert alone.send({**form, "seen": seen[1]}).status_code == 303


def test_of_many_who_sign_at_once_one_does(alone: Desk) -> None:
    """Eight sign-offs on one page at the same moment: one is taken, seven are told, the trail is whole."""
    form = alone.form()

    def signs(number: int) -> str:
        try:
            sign_off.sign_off(
                alone.folder, alone.trail, alone.settings.signer, (f"R{number}", "Fine."), int(form["seen"])
            )
        except DrillError as problem:
            return type(problem).__name__
        return "signed"

    with ThreadPoolExecutor(8) as threads:
        came_to = sorted(threads.map(signs, range(8)))
    assert came_to == ["Outdated"] * 7 + ["signed"]
    assert alone.trail.problems(alone.settings.signer) == ()


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"text": "  "}, 400, "needs a reason"),
        ({"text": "x" * 5000}, 400, "needs a reason of at most 4,000"),
        ({"who": " "}, 400, "needs a name"),
        ({"kind": "approve"}, 422, "none of ours"),
        ({"seen": "many"}, 422, "none of ours"),
        ({"text": "x" * 100_000}, 413, "Too Large"),
    ],
)
def test_a_form_that_says_too_little_or_too_much_is_given_back(
    alone: Desk, wrong: dict[str, str], code: int, words: str
) -> None:
    """Nothing is written, and the answer says what is wrong."""
    answer = alone.send(alone.form(**wrong))
    assert answer.status_code == code
    assert words in answer.get_data(as_text=True)
    assert alone.trail.every() == ()


def test_a_run_that_is_not_there_or_not_whole_says_so(alone: Desk) -> None:
    """No such run is a 404; one without a record, or with a newer one, has a page that says what to do."""
    assert alone.client.get("/runs/20200101t000000-none-0000").status_code == 404
    assert alone.client.get("/runs/latest").status_code == 404
    assert alone.client.get("/runs/..%2f..%2fetc").status_code == 404
    (alone.folder / "record.json").unlink()
    page = alone.client.get(alone.address)
    assert page.status_code == 200
    assert "This run has no report" in page.get_data(as_text=True)
    assert alone.client.get(f"{alone.address}/report.html").status_code == 422


def test_observations_that_are_gone_cost_the_pictures_only(alone: Desk) -> None:
    """The report is shown from the record, and the missing file as what it is."""
    (alone.folder / "observations.sqlite").unlink()
    page = alone.client.get(alone.address).get_data(as_text=True)
    assert "observations.sqlite: is missing" in page
    assert "There are no observations of clients to draw." in page


def test_observations_of_another_version_are_named(alone: Desk) -> None:
    """The report says why it has no pictures, and does not pretend that nobody watched."""
    connection = sqlite3.connect(alone.folder / "observations.sqlite")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    page = unescape(alone.client.get(alone.address).get_data(as_text=True))
    assert "Not all could be read: observations" in page
    assert "have version 1" in page


def test_a_review_file_of_another_version_is_refused(alone: Desk) -> None:
    """Nothing is read from it or written to it."""
    alone.client.get("/")
    connection = sqlite3.connect(alone.settings.root / database.FILE)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    answer = alone.client.get("/")
    assert answer.status_code == 422
    assert "has version 9, not 1" in answer.get_data(as_text=True)


def test_a_proxy_must_name_who_asks(tmp_path: Path) -> None:
    """Without a name, without a role or with one that is not known, nothing is shown."""
    made = desk(tmp_path, PROXY)
    for headers in (
        {},
        {"X-Remote-User": "x"},
        {"X-Remote-Roles": "reviewer"},
        {**VIEWER, "X-Remote-Roles": "admin"},
    ):
        answer = made.client.get("/", headers=headers)
        assert answer.status_code == 403
        assert made.folder.name not in answer.get_data(as_text=True)
    assert made.client.get("/", headers=VIEWER).status_code == 200


def test_a_viewer_reads_and_decides_nothing(tmp_path: Path) -> None:
    """A viewer has no form, and what is sent all the same is refused and not written."""
    made = desk(tmp_path, PROXY)
    page = made.client.get(made.address, headers=VIEWER).get_data(as_text=True)
    assert "<form" not in page
    assert "Your role is viewer" in page
    answer = made.client.post(
        made.address, headers=VIEWER, data={"kind": "sign-off", "text": "Fine.", "seen": "0"}
    )
    assert answer.status_code == 403
    assert made.trail.every() == ()


def test_a_name_from_the_proxy_can_not_be_typed_over(tmp_path: Path) -> None:
    """The trail has the name that the proxy vouches for, whatever the form says."""
    made = desk(tmp_path, PROXY)
    https = {
        "base_url": "https://review.example",
        "headers": {**REVIEWER, "Referer": "https://review.example/"},
    }
    page = made.client.get(made.address, **https).get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {"csrf_token": token[1], "seen": "0", "who": "The boss", "text": "Fine.", "kind": "sign-off"}
    assert made.client.post(made.address, data=form, **https).status_code == 303
    assert [entry.who for entry in made.trail.every()] == ["nora@example.org"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["--address", "0.0.0.0"], "not of the loopback"),  # noqa: S104 (refused)
        (["--address", "localhost"], "not of the loopback"),
        (["--user-header", "X-User"], "give both"),
        (["--runs", "/nowhere/at/all"], "no folder of runs"),
    ],
)
def test_what_would_let_anybody_in_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], typed: list[str], words: str
) -> None:
    """The command serves the loopback only, and takes a proxy's headers together or not at all."""
    given = typed if "--runs" in typed else ["--runs", str(tmp_path), *typed]
    assert cli.outcome_of(["review", *given]) == 64
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing hangs and no traceback is shown: another port is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        typed = ["review", "--runs", str(tmp_path), "--keys", str(tmp_path.parent / "k"), "--port", port]
        assert cli.outcome_of(typed) == 64
    assert "choose another with: --port 0" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1"])
def test_the_user_at_the_other_end_is_known(address: str) -> None:
    """Linux tells who holds a connection of the loopback; of one that is not there it tells nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.create_server((address, 0), family=family) as server,
        socket.create_connection(server.getsockname()[:2]) as client,
    ):
        port, (own, own_port, *_) = server.getsockname()[1], client.getsockname()
        assert peer.user_of(own, own_port, port) == os.getuid()
        assert peer.user_of(own, own_port, 1) is None
        assert peer.user_of(address, port, port) is None


@pytest.mark.parametrize(
    ("user", "code"),
    [(0, 200), (os.getuid(), 200), (54321, 403), (None, 403)],
    ids=["root", "own", "other", "unknown"],
)
def test_another_user_of_the_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int | None, code: int
) -> None:
    """On a shared machine the review is its user's alone, since whoever reaches it can sign."""
    made = desk(tmp_path)
    client = app.create(replace(made.settings, own_user_only=True)).test_client()
    monkeypatch.setattr(peer, "user_of", lambda *_: user)
    assert client.get("/", environ_base={"REMOTE_PORT": "40000"}).status_code == code
    assert client.get("/").status_code == 403
