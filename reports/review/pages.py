"""The pages: what is asked for, and what is answered."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from drill import record as records
from drill import runs
from drill.errors import DrillError, NoSuchRun
from drill.gameday.folder import is_id
from reports import render
from reports.comparison import compare
from reports.review import days, index, paging, run_page
from reports.review.listing import REVIEWS, Wanted, listing
from reports.review.proof import prove
from reports.review.run_page import Reports
from reports.review.sign_off import dispute, sign_off
from reports.review.trail import DISPUTE, SIGN_OFF, Said, Trail
from reports.review.trend import trend
from reports.wording import wall_time

if TYPE_CHECKING:
    from pathlib import Path

    from reports.review.app import Settings

_FILTERS = ("scenario", "outcome", "target", "reviewer", "review", "text")
_MOST_LINES = 500


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
        where = self._settings.days
        return paging.page(
            "runs.html.j2",
            found=found,
            wanted=wanted,
            reviews=REVIEWS,
            pages=pages,
            root=self._settings.root,
            waiting=days.waiting(where.root) if where else (),
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
        return paging.page(
            "run.html.j2",
            run_id=run_id,
            page=page,
            panel=panel,
            problem=problem,
            form=paging.EMPTY,
            longest=paging.LONGEST,
        )

    def decide(self, run_id: str) -> Answer:
        """Comment on a run, dispute it or sign it off."""
        folder = self._folder(run_id)
        kind, who, text, seen = paging.typed(paging.RUN_KINDS)
        if kind == SIGN_OFF:
            sign_off(folder, self._trail, self._settings.signer, (who, text), seen)
        elif kind == DISPUTE:
            dispute(folder, self._trail, self._settings.signer, (who, text), seen)
        else:
            self._trail.add(Said(run_id, kind, who, text, {}), self._settings.signer)
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
        return paging.page("compare.html.j2", one=one, two=two, choices=choices, compared=compared)

    def trend(self) -> str:
        """Show how the numbers of a scenario went."""
        index.refresh(self._source)
        asked = request.args
        found = trend(self._source.path, asked.get("scenario", ""), asked.get("series", ""))
        return paging.page("trend.html.j2", found=found)

    def audit(self) -> str:
        """Show the whole audit trail, and whether it is whole."""
        entries = self._trail.every()
        newest = entries[: -_MOST_LINES - 1 : -1]
        said = [(entry.run_id, run_page.shown(entry), entry.signature.key) for entry in newest]
        return paging.page(
            "audit.html.j2",
            said=said,
            page_of=self._page_of,
            total=len(entries),
            problems=self._trail.problems(self._settings.signer),
        )

    def verify(self, run_id: str) -> str:
        """Show everything that was looked at to prove a run."""
        proof = prove(self._folder(run_id), self._trail, self._settings.signer)
        return paging.page("verify.html.j2", run_id=run_id, proof=proof)

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

    def _page_of(self, about: str) -> str:
        """Return where what a line of the trail is about is shown; empty for a day where none are shown."""
        if not is_id(about):
            return url_for("run", run_id=about)
        return url_for("day", day=about) if self._settings.days is not None else ""

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


def _style() -> Response:
    answer = Response(paging.STYLE, mimetype="text/css")
    answer.headers["Cache-Control"] = "max-age=300"
    return answer
