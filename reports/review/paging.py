"""What every page of the review is made with: its templates, and the forms in which people decide."""

from collections.abc import Collection, Mapping

from flask import current_app, g, request, url_for
from flask_wtf.csrf import CSRFError, generate_csrf

from drill.errors import DrillError, UsageError
from reports import render
from reports.review import run_page, trend_picture
from reports.review.trail import APPROVE, COMMENT, DISPUTE, REFUSE, SIGN_OFF, VETO, Outdated
from reports.wording import wall_time

LONGEST = 4000
EMPTY: Mapping[str, str] = {"who": "", "text": ""}
RUN_KINDS: Mapping[str, str] = {SIGN_OFF: "Sign off", DISPUTE: "Dispute", COMMENT: "Comment"}
DAY_KINDS: Mapping[str, str] = {
    APPROVE: "Approve",
    REFUSE: "Refuse",
    VETO: "Veto the day",
    COMMENT: "Comment",
}
_LONGEST_NAME = 120
_HIDDEN = ("seen", "drill")
_TEMPLATES = render.environment()
_TEMPLATES.filters["curve"] = trend_picture.curve
_TEMPLATES.filters["wall_time"] = wall_time
_TEMPLATES.filters["capitalize_first"] = lambda words: words[:1].upper() + words[1:]
STYLE = render.source(_TEMPLATES, "report.css") + render.source(_TEMPLATES, "review/review.css")


class Incomplete(DrillError):
    """A form says too little, or too much; nothing was written."""


def page(template: str, **shown: object) -> str:
    """Render a page with what every page shows besides."""
    beside: Mapping[str, object] = {
        "person": g.get("person"),
        "here": request.endpoint or "",
        "csrf": generate_csrf,
        "url": url_for,
        "with_days": "days" in current_app.view_functions,
    }
    return _TEMPLATES.get_template(f"review/{template}").render(**beside, **shown)


def problem(code: int, title: str, words: str) -> tuple[str, int]:
    """Show what went wrong."""
    return page("problem.html.j2", title=title, words=words), code


def again_after_session(_: CSRFError) -> tuple[str, int]:
    """Give back what was typed when the session had ended meanwhile."""
    return _again(
        "Your session had ended, so nothing was written. What you typed is below: send it once more."
    ), 400


def again_after_decision(since: Outdated) -> tuple[str, int]:
    """Give back what was typed when somebody else decided meanwhile."""
    entry = run_page.shown(since.since)
    what = "day" if _about_day() else "run"
    words = f"{entry.who} {entry.verb} this {what} at {entry.at}, after you had opened it"
    return _again(
        f"{words}: \u201c{entry.text}\u201d Nothing of yours was written. "
        "If it still holds, send it once more.",
        since.since.seq,
    ), 409


def again_when_incomplete(wrong: Incomplete) -> tuple[str, int]:
    """Give back what was typed when something is missing."""
    return _again(f"{wrong} Nothing was written."), 400


def typed(kinds: Collection[str]) -> tuple[str, str, str, int]:
    """Return what a form says: the kind, who, the text and what was seen.

    Args:
        kinds: What it may be.

    Raises:
        Incomplete: Something is missing or too long.
        UsageError: It is not one of our forms.

    """
    form = request.form
    kind, text = form.get("kind", ""), _lines(form.get("text", "")).strip()
    who = g.person.name if g.person.named else form.get("who", "").strip()
    seen = form.get("seen", type=int)
    if kind not in kinds or seen is None:
        msg = "this form is none of ours; open the page again"
        raise UsageError(msg)
    if not who or len(who) > _LONGEST_NAME:
        msg = f"A decision needs a name of at most {_LONGEST_NAME} letters."
        raise Incomplete(msg)
    if not text or len(text) > LONGEST:
        msg = (
            f"A {kind} needs a reason of at most {LONGEST:,} letters."
            if kind != COMMENT
            else "It is empty or too long."
        )
        raise Incomplete(msg)
    return kind, who, text, seen


def _again(words: str, seen: int | None = None) -> str:
    form = {name: _lines(request.form.get(name, "")) for name in ("kind", "who", "text")}
    hidden = {name: request.form[name] for name in _HIDDEN if name in request.form}
    if seen is not None:
        hidden["seen"] = str(seen)
    named = request.view_args or {}
    # Only the form's own kind, about a day: what else may be answered is on its page.
    every = DAY_KINDS if _about_day() else RUN_KINDS
    kinds = [(kind, label) for kind, label in every.items() if not _about_day() or kind == form["kind"]]
    return page(
        "again.html.j2",
        about=named.get("run_id") or named.get("day", ""),
        address=request.path,
        words=words,
        form=form,
        hidden=hidden,
        kinds=kinds,
        longest=LONGEST,
    )


def _about_day() -> bool:
    return request.endpoint == "answer"


def _lines(text: str) -> str:
    """Return a text with the ends of lines as everywhere else; a form sends them as carriage returns too."""
    return text.replace("\r\n", "\n")
