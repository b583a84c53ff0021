"""The pages of game days: the list, one day with its report, and the answer that somebody gives it."""

from typing import TYPE_CHECKING

from flask import Flask, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from drill.errors import DrillError, UsageError
from drill.gameday import answers, folder
from drill.gameday.folder import Held
from reports import gameday
from reports.review import days, paging
from reports.review.days import GameDays
from reports.review.trail import APPROVE, COMMENT, UNDELIVERED, VETO, Said, Trail

if TYPE_CHECKING:
    from pathlib import Path

    from reports.review.app import Settings


class DayPages:
    """The pages of one folder of game days."""

    def __init__(self, settings: "Settings", where: GameDays) -> None:
        """Take the settings."""
        self._settings, self._where = settings, where
        self._trail = Trail(settings.source.path)

    def days(self) -> str:
        """Show all days, and what is left to be done before the next."""
        found = days.overview(self._where.root, self._settings.root)
        return paging.page("days.html.j2", found=found, root=self._where.root)

    def day(self, day: str) -> str:
        """Show a day's report with what was said of it, and the form that answers it."""
        held, place = self._held(day)
        report = gameday.page(held, place, self._where.root, self._settings.root)
        return paging.page(
            "day.html.j2",
            page=report,
            panel=days.panel(held, self._trail.about(day)),
            link=lambda row: url_for("run", run_id=row.run_id) if row.there else "",
            form=paging.EMPTY,
            longest=paging.LONGEST,
        )

    def answer(self, day: str) -> Answer:
        """Answer a day: approve or refuse the drill that waits, veto the day, or comment."""
        held, _ = self._held(day)
        kind, who, text, seen = paging.typed(paging.DAY_KINDS)
        if kind == COMMENT:
            self._trail.add(Said(day, kind, who, text, {}), self._settings.signer)
        else:
            answer = _answer(held, kind)
            drill = {} if answer.number is None else {"drill": answer.number + 1}
            self._give(answer, Said(day, kind, who, text, drill), seen)
        return redirect(url_for("day", day=day) + "#review", 303)

    def report(self, day: str) -> Response:
        """Give the day's report as the one file that opens offline."""
        _, place = self._held(day)
        text = gameday.text(place, self._where.root, self._settings.root)
        answer = Response(text, mimetype="text/html")
        answer.headers["Content-Disposition"] = f'attachment; filename="{day}.html"'
        return answer

    def _give(self, answer: answers.Answer, said: Said, seen: int) -> None:
        """Write an answer down, then give it; one that does not arrive is written down as that.

        Raises:
            DrillError: It did not reach the day.

        """
        self._trail.add(said, self._settings.signer, seen)
        try:
            self._where.give(answer, said.who)
        except DrillError as problem:
            lost = Said(said.run_id, UNDELIVERED, said.who, str(problem), {})
            self._trail.add(lost, self._settings.signer)
            raise

    def _held(self, day: str) -> "tuple[Held, Path]":
        if day == "latest":
            msg = f"no game day {day!r}; list them with: drill gameday history"
            raise UsageError(msg)
        place = folder.find(self._where.root, day)
        return folder.read(place), place


def _answer(held: Held, kind: str) -> answers.Answer:
    if kind == VETO:
        return answers.veto(held)
    number = request.form.get("drill", type=int)
    return answers.approval(held, None if number is None else number - 1, agreed=kind == APPROVE)


def add(app: Flask, settings: "Settings", where: GameDays) -> None:
    """Add the pages to the application."""
    pages = DayPages(settings, where)
    app.add_url_rule("/days", "days", pages.days, methods=["GET"])
    app.add_url_rule("/days/<day>", "day", pages.day, methods=["GET"])
    app.add_url_rule("/days/<day>", "answer", pages.answer, methods=["POST"])
    app.add_url_rule("/days/<day>/report.html", "day_report", pages.report, methods=["GET"])
