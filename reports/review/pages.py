"""The pages: what is asked for, and what is answered."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, Response, g, redirect, request, url_for
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.wrappers import Response as Answer

from drill import record as records
from drill import runs
from drill.errors import DrillError, NoSuchRun, UsageError
from reports import render
from reports.comparison import compare
from reports.review import index, run_page, trend_picture
from reports.review.listing import REVIEWS, Wanted, listing
from reports.review.proof import prove
from reports.review.run_page import Reports
from reports.review.sign_off import sign_off
from reports.review.trail import COMMENT, DISPUTE, SIGN_OFF, Outdated, Said, Trail
from reports.review.trend import trend
from reports.wording import wall_time

if TYPE_CHECKING:
    from pathlib import Path

    from reports.review.app import Settings

_LONGEST = 4000
_EMPTY: Mapping[str, str] = {"who": "", "text": ""}
_FILTERS = ("scenario", "outcome", "target", "reviewer", "review", "text")
_LONGEST_NAME = 120
_MOST_LINES = 500
_TEMPLATES = render.environment()
_TEMPLATES.filters["curve"] = trend_picture.curve
_TEMPLATES.filters["wall_time"] = wall_time
_TEMPLATES.filters["capitalize_first"] = lambda words: words[:1].upper() + words[1:]
_STYLE = render.source(_TEMPLATES, "report.css") + render.source(_TEMPLATES, "review/review.css")


class Incomplete(DrillError):
    """A form says too little, or too much; nothing was written."""


class Pages:
    """The pages of one folder of runs."""

    def __init__(self, settings: "Settings") -> None:
        """Take the settings."""
        self._settings = settings
        self._source = settings.source
        self._trail = Trail(self._source.path)
        self._reports = Reports(self._source)

    def runs(self) -> str:
        """Show the list of runs, with filters."""
        index.refresh(self._source)
        asked = request.args
        texts = {name: asked.get(name, "").strip() for name in _FILTERS}
        wanted = Wanted(**texts, page=asked.get("page", 1, type=int))
        found = listing(self._source.path, wanted, self._settings.due_days)
        pages = [
            (number, f"?{urlencode({**wanted.asked(), 'page': number})}")
            for number in range(1, found.pages + 1)
        ]
        return _page(
            "runs.html.j2", found=found, wanted=wanted, reviews=REVIEWS, pages=pages, root=self._settings.root
        )

    def run(self, run_id: str) -> str:
        """Show a run's report with what was said of it."""
        folder = self._folder(run_id)
        problem, page, record = "", None, None
        try:
            record = records.read(folder / runs.RECORD)
            page = self._reports.page(folder)
        except DrillError as error:
            problem = str(error)
        panel = run_page.panel(folder, self._source, record)
        return _page(
            "run.html.j2",
            run_id=run_id,
            page=page,
            panel=panel,
            problem=problem,
            form=_EMPTY,
            longest=_LONGEST,
        )

    def decide(self, run_id: str) -> Answer:
        """Comment on a run, dispute it or sign it off."""
        folder = self._folder(run_id)
        kind, who, text, seen = _typed()
        if kind == SIGN_OFF:
            sign_off(folder, self._trail, self._settings.signer, (who, text), seen)
        else:
            said = Said(run_id, kind, who, text, {})
            self._trail.add(said, self._settings.signer, None if kind == COMMENT else seen)
        return redirect(url_for("run", run_id=run_id) + "#review", 303)

    def compare(self) -> str:
        """Compare two runs."""
        one, two = (request.args.get(name, "").strip() for name in ("one", "two"))
        index.refresh(self._source)
        choices = [
            (row["run_id"], f"{wall_time(row['started'])[:16]} {row['scenario']} {row['outcome']}")
            for row in index.rows(
                self._source.path, "SELECT * FROM run WHERE series != '' ORDER BY started DESC LIMIT 200", ()
            )
        ]
        compared = None
        if one and two:
            mine, other = (records.read(self._folder(name) / runs.RECORD) for name in (one, two))
            compared = compare(mine, {other.run_id: other})
        return _page("compare.html.j2", one=one, two=two, choices=choices, compared=compared)

    def trend(self) -> str:
        """Show how the numbers of a scenario went."""
        index.refresh(self._source)
        asked = request.args
        found = trend(self._source.path, asked.get("scenario", ""), asked.get("series", ""))
        return _page("trend.html.j2", found=found)

    def audit(self) -> str:
        """Show the whole audit trail, and whether it is whole."""
        entries = self._trail.every()
        newest = entries[: -_MOST_LINES - 1 : -1]
        said = [(entry.run_id, run_page.shown(entry), entry.signature.key) for entry in newest]
        return _page(
            "audit.html.j2",
            said=said,
            total=len(entries),
            problems=self._trail.problems(self._settings.signer),
        )

    def verify(self, run_id: str) -> str:
        """Show everything that was looked at to prove a run."""
        proof = prove(self._folder(run_id), self._trail, self._settings.signer)
        return _page("verify.html.j2", run_id=run_id, proof=proof)

    def report(self, run_id: str) -> Response:
        """Give the report as the one file that opens offline."""
        folder = self._folder(run_id)
        answer = Response(render.whole(self._reports.page(folder)), mimetype="text/html")
        answer.headers["Content-Disposition"] = f'attachment; filename="{run_id}.html"'
        return answer

    def record(self, run_id: str) -> Response:
        """Give the record as it is on disk."""
        answer = Response((self._folder(run_id) / runs.RECORD).read_bytes(), mimetype="application/json")
        answer.headers["Content-Disposition"] = f'attachment; filename="{run_id}.json"'
        return answer

    def _folder(self, run_id: str) -> "Path":
        """Return the folder of a run by its whole id."""
        found = runs.find(self._settings.root, run_id)
        if found.name != run_id:
            msg = f"no run {run_id!r} in {self._settings.root}"
            raise NoSuchRun(msg)
        return found


def add(app: Flask, settings: "Settings") -> None:
    """Add the pages to the application."""
    pages = Pages(settings)
    routes = (
        ("/", "runs", pages.runs),
        ("/runs/<run_id>", "run", pages.run),
        ("/runs/<run_id>/report.html", "report", pages.report),
        ("/runs/<run_id>/record.json", "record", pages.record),
        ("/runs/<run_id>/verify", "verify", pages.verify),
        ("/compare", "compare", pages.compare),
        ("/trend", "trend", pages.trend),
        ("/audit", "audit", pages.audit),
        ("/style.css", "style", _style),
    )
    for rule, name, shown in routes:
        app.add_url_rule(rule, name, shown, methods=["GET"])
    app.add_url_rule("/runs/<run_id>", "decide", pages.decide, methods=["POST"])


def problem(code: int, title: str, words: str) -> tuple[str, int]:
    """Show what went wrong."""
    return _page("problem.html.j2", title=title, words=words), code


def again_after_session(_: CSRFError) -> tuple[str, int]:
    """Give back what was typed when the session had ended meanwhile."""
    return _again(
        "Your session had ended, so nothing was written. What you typed is below: send it once more."
    ), 400


def again_after_decision(since: Outdated) -> tuple[str, int]:
    """Give back what was typed when somebody else decided meanwhile."""
    entry = run_page.shown(since.since)
    words = (
        f"{entry.who} {entry.verb} this run at {entry.at}, after you had opened it: \u201c{entry.text}\u201d"
    )
    return _again(
        f"{words} Nothing of yours was written. If it still holds, send it once more.", since.since.seq
    ), 409


def again_when_incomplete(wrong: Incomplete) -> tuple[str, int]:
    """Give back what was typed when something is missing."""
    return _again(f"{wrong} Nothing was written."), 400


def _again(words: str, seen: int | None = None) -> str:
    form = {name: _lines(request.form.get(name, "")) for name in ("kind", "who", "text", "seen")}
    if seen is not None:
        form["seen"] = str(seen)
    run_id = (request.view_args or {}).get("run_id", "")
    return _page("again.html.j2", run_id=run_id, words=words, form=form, longest=_LONGEST)


def _typed() -> tuple[str, str, str, int]:
    """Return what a form says: the kind, who, the text and what was seen.

    Raises:
        Incomplete: Something is missing or too long.
        UsageError: It is not one of our forms.

    """
    form = request.form
    kind, text = form.get("kind", ""), _lines(form.get("text", "")).strip()
    who = g.person.name if g.person.named else form.get("who", "").strip()
    seen = form.get("seen", type=int)
    if kind not in {COMMENT, DISPUTE, SIGN_OFF} or seen is None:
        msg = "this form is none of ours; open the run again"
        raise UsageError(msg)
    if not who or len(who) > _LONGEST_NAME:
        msg = f"A decision needs a name of at most {_LONGEST_NAME} letters."
        raise Incomplete(msg)
    if not text or len(text) > _LONGEST:
        msg = (
            f"A {kind} needs a reason of at most {_LONGEST:,} letters."
            if kind != COMMENT
            else "It is empty or too long."
        )
        raise Incomplete(msg)
    return kind, who, text, seen


def _lines(text: str) -> str:
    """Return a text with the ends of lines as everywhere else; a form sends them as carriage returns too."""
    return text.replace("\r\n", "\n")


def _page(template: str, **shown: Any) -> str:  # noqa: ANN401 (a template takes what it shows)
    """Render a page with what every page shows besides."""
    beside: Mapping[str, object] = {
        "person": g.get("person"),
        "here": request.endpoint or "",
        "csrf": generate_csrf,
        "url": url_for,
    }
    return _TEMPLATES.get_template(f"review/{template}").render(**beside, **shown)


def _style() -> Response:
    answer = Response(_STYLE, mimetype="text/css")
    answer.headers["Cache-Control"] = "max-age=300"
    return answer
