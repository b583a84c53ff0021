"""The application: who may ask what, what every answer carries, and what a problem looks like."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden, HTTPException, SecurityError

from drill.errors import DrillError, NoSuchRun
from reports.review import day_pages, pages, paging, peer
from reports.review.access import ANYBODY, Access
from reports.review.days import GameDays
from reports.review.index import Source
from reports.review.keys import Signer
from reports.review.listing import DUE_DAYS
from reports.review.trail import Outdated

# Nothing is loaded from elsewhere, no script runs, no other page may frame this one.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_SESSION_S = 8 * 3600
_LARGEST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """What the application serves, and to whom.

    Attributes:
        root: The folder of runs.
        signer: The key that signs.
        access: How a request tells who asks.
        hosts: The names under which it may be asked; empty for any, behind a proxy.
        due_days: After how many days without a decision a review is overdue.
        own_user_only: Whether who connects must be the user who started it, or root.
        days: Where the game days are; None to show none.

    """

    root: Path
    signer: Signer
    access: Access = ANYBODY
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    due_days: int = DUE_DAYS
    own_user_only: bool = False
    days: GameDays | None = None

    @property
    def source(self) -> Source:
        """Return where the index reads from."""
        return Source(self.root, self.signer)


def create(settings: Settings) -> Flask:
    """Return the application, ready to be served."""
    app = Flask("reports.review", static_folder=None)
    app.config.update(
        # Of this process alone: who was here before a restart sends the form once more.
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME="drill-review",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=bool(settings.access.name_header),
        WTF_CSRF_TIME_LIMIT=_SESSION_S,
        MAX_CONTENT_LENGTH=_LARGEST_BYTES,
        MAX_FORM_MEMORY_SIZE=_LARGEST_BYTES,
        # A page elsewhere whose name is made to point here must not read the reports.
        TRUSTED_HOSTS=list(settings.hosts) or None,
    )
    app.before_request(lambda: _let_in(settings))
    CSRFProtect(app)
    app.after_request(_guarded)
    pages.add(app, settings)
    if settings.days is not None:
        day_pages.add(app, settings, settings.days)
    app.register_error_handler(CSRFError, paging.again_after_session)
    app.register_error_handler(Outdated, paging.again_after_decision)
    app.register_error_handler(paging.Incomplete, paging.again_when_incomplete)
    app.register_error_handler(NoSuchRun, lambda problem: paging.problem(404, "No such run", str(problem)))
    app.register_error_handler(
        DrillError, lambda problem: paging.problem(422, "That can\u2019t be", str(problem))
    )
    app.register_error_handler(SecurityError, _elsewhere)
    app.register_error_handler(
        HTTPException,
        lambda problem: paging.problem(problem.code or 500, problem.name, problem.description or ""),
    )
    return app


def _elsewhere(_: SecurityError) -> Response:
    """Answer who asked for another name than ours, without a page: its addresses would be that name's."""
    return Response("This is not the name of the review; use the address that drill review printed.\n", 400)


def _let_in(settings: Settings) -> None:
    """Find out who asks, and refuse what another site's page makes a browser send."""
    if request.endpoint == "style":
        return
    if settings.own_user_only and not _own_user():
        msg = "This is the review of another user of this machine."
        raise Forbidden(msg)
    person = settings.access.person(request.headers)
    if person is None:
        msg = "The proxy named nobody, or gave no role: viewer or reviewer."
        raise Forbidden(msg)
    g.person = person
    if request.method != "POST":
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        msg = "Another site\u2019s page sent this; nothing was written."
        raise Forbidden(msg)
    if not person.decides:
        msg = f"{person.name} may read and not decide: the role is viewer. Nothing was written."
        raise Forbidden(msg)


def _own_user() -> bool:
    """Say whether the other end of the connection is held by the user of this process, or by root."""
    address, *ports = (
        request.environ.get(name, "") for name in ("REMOTE_ADDR", "REMOTE_PORT", "SERVER_PORT")
    )
    if not address or not all(ports):
        return False
    return peer.user_of(address, *map(int, ports)) in {os.getuid(), 0}


def _guarded(response: Response) -> Response:
    response.headers.update(
        {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
    )
    response.headers.setdefault("Cache-Control", "no-store")
    return response
