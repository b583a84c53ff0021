"""The review application in a real Chromium: what a reviewer sees, types and is told."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from drill.gameday import folder
from drill.gameday.form import Action
from tests.browser.test_report import FAINT, PAPER, PHONE, QUIET, STICKING_OUT, TOO_WIDE, WIDE
from tests.reports import factory, hostile
from tests.reports.review import held, stand

pytestmark = pytest.mark.browser
# A busy machine may take long over a page; a page that never comes is the test's own limit to end.
_PATIENCE_MS = 150_000


@dataclass(frozen=True)
class Review:
    """A review that is served, and a browser before it."""

    address: str
    root: Path
    browser: Browser

    @contextmanager
    def visit(self, path: str = "/", **more: Any) -> Iterator["Visit"]:
        """Open a page in a browser of its own; afterwards nothing may have gone wrong behind it."""
        context = self.browser.new_context(**{"viewport": WIDE, **more})
        context.set_default_timeout(_PATIENCE_MS)
        visit = Visit(context, context.new_page(), self.address)
        try:
            visit.go(path)
            yield visit
        finally:
            context.close()
        assert visit.complaints == []
        assert [url for url in visit.requests if not url.startswith((self.address, "data:"))] == []

    def folder(self, day: int) -> Path:
        """Return the folder of the run of a day."""
        return next(self.root.glob(f"*-{day:04x}"))


class Visit:
    """One browser on the review, with all that it complained of or asked for."""

    def __init__(self, context: BrowserContext, page: Page, address: str) -> None:
        """Listen."""
        self.context, self.page, self.address = context, page, address
        self.complaints: list[str] = []
        self.requests: list[str] = []
        # A status of 400 or 409 is what the test asked for, and not an error of the page.
        page.on("console", lambda message: self._complain(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.address + path, wait_until="load")

    def fill(self, kind: str, text: str, who: str = "Nora") -> None:
        """Fill in the form and send it."""
        if self.page.get_by_label("Name").count():
            self.page.get_by_label("Name").fill(who)
        self.page.get_by_label("Reason or comment").fill(text)
        self.press(kind)

    def press(self, name: str, role: Literal["button", "link"] = "button") -> None:
        """Press something that leads to another page, and wait for it."""
        with self.page.expect_navigation():
            self.page.get_by_role(role, name=name, exact=True).last.click()

    def _complain(self, words: str) -> None:
        if "the server responded with a status of 4" not in words:
            self.complaints.append(words)


@contextmanager
def served(root: Path, *more: str) -> Iterator[str]:
    """Type ``drill review``, give the address that it prints, and press Ctrl-C afterwards."""
    typed = [sys.executable, "-m", "drill", "review", "--runs", str(root), "--port", "0"]
    command = [*typed, "--keys", str(root.parent / "keys"), "--days", str(root.parent / "days"), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = next(filter(None, (re.search(r"http://\S+", line) for line in server.stdout)))
        try:
            yield found[0].rstrip("/")
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a Chromium that asks for nothing by itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a run of every kind."""
    place = tmp_path_factory.mktemp("review") / "runs"
    every = (factory.blackout, *factory.EVERY.values(), hostile.drill)
    for day, make in enumerate(every):
        stand.save(place, stand.at(day, make()))
    game_day = held.day(place.parent, "open_actions: block\n")
    over = held.ended(place.parent / "days", game_day, stand.at(1).record.run_id)
    folder.write_action(over, Action(what="Page somebody", owner="Ada", due=date(2026, 1, 2)))
    held.waiting(place.parent / "days", game_day)
    return place


@pytest.fixture(scope="module")
def review(root: Path, browser: Browser) -> Iterator[Review]:
    """Give the review as it is on one's own machine."""
    with served(root) as address:
        yield Review(address, root, browser)


# Runs by day: 1 blackout, 2 inversion, 3 breached, 4 inconclusive, 5 stopped, 6 hostile.
BREACHED = 3


def of(review: Review, day: int) -> str:
    """Return the address of a run's page."""
    return f"/runs/{review.folder(day).name}"


def test_verdict_cause_and_sign_off_are_seen_without_scrolling(review: Review) -> None:
    """On 1280 x 800 a reviewer sees what came of it, why, against what, and where to sign."""
    with review.visit(of(review, BREACHED)) as visit:
        for part in ("h1", ".reason", ".cause", ".restored", ".tile .bar", "#who", "#text", "button.primary"):
            box = visit.page.locator(part).first.bounding_box()
            assert box is not None, part
            assert box["y"] >= 0, part
            assert box["y"] + box["height"] <= WIDE["height"], part
        assert visit.page.locator("h1").inner_text() == "Breached"
        assert "took longest" in visit.page.locator(".cause").inner_text()


PAGES = ("/", "/trend", "/compare", "/audit", "/days")


def waits(review: Review) -> str:
    """Return the address of the game day that waits for an approval."""
    return f"/days/{folder.ids(review.root.parent / 'days')[-1]}"


def test_every_page_is_accessible(review: Review) -> None:
    """Axe finds nothing serious on any page, and nothing sticks out."""
    axe = Axe()
    compared = f"/compare?one={review.folder(BREACHED).name}&two={review.folder(1).name}"
    with review.visit() as visit:
        paths = (*PAGES, compared, of(review, BREACHED), f"{of(review, 1)}/verify", waits(review))
        for path in paths:
            visit.go(path)
            violations = axe.run(visit.page).response["violations"]
            serious = [one for one in violations if one["impact"] in {"serious", "critical"}]
            assert [(path, one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []
            assert visit.page.evaluate(STICKING_OUT) == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_told_from_its_ground(review: Review, scheme: str) -> None:
    """Words have a contrast of at least 4.5 to 1, in light and in dark."""
    with review.visit(color_scheme=scheme) as visit:
        for path in (*PAGES, of(review, BREACHED), of(review, 5), waits(review)):
            visit.go(path)
            assert visit.page.evaluate(FAINT) == [], path


def test_a_phone_needs_no_sideways_scrolling(review: Review) -> None:
    """On a narrow screen the form comes below the verdict, and the page is no wider than the screen."""
    with review.visit(viewport=PHONE) as visit:
        for path in (*PAGES, of(review, BREACHED), of(review, 1), waits(review)):
            visit.go(path)
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_a_compared_report_prints_on_a4(review: Review) -> None:
    """On paper the form is gone, and the comparison with earlier drills is no wider than the sheet."""
    with review.visit(of(review, 1), viewport=PAPER, color_scheme="dark") as visit:
        assert visit.page.locator("#compared").count() == 1
        visit.page.emulate_media(media="print")
        assert visit.page.evaluate(TOO_WIDE) == []
        assert not visit.page.locator("form").is_visible()


def test_what_is_planted_stays_text(review: Review) -> None:
    """A run whose every string is mischief opens no dialog and adds no element, on any page."""
    with review.visit(of(review, 6)) as visit:
        for path in (
            of(review, 6),
            "/",
            "/trend",
            f"/compare?one={review.folder(6).name}&two={review.folder(1).name}",
        ):
            visit.go(path)
            assert visit.page.locator("script, img, iframe, svg[onload]").count() == 0
        visit.go("/?text=<script>alert(1)</script>")
        assert visit.page.get_by_label("id or reason has").input_value() == "<script>alert(1)</script>"


def test_the_list_is_filtered(review: Review) -> None:
    """Choosing a verdict leaves its runs; the counts lead to what is overdue."""
    with review.visit() as visit:
        rows = visit.page.locator(".runs tbody tr")
        assert rows.count() == 7
        visit.page.get_by_label("verdict").select_option("breached")
        visit.press("Filter")
        assert rows.count() == 1
        rows.get_by_role("link").click()
        assert visit.page.locator("h1").inner_text() == "Breached"


def test_two_runs_are_compared(review: Review) -> None:
    """From a report to the comparison: choose the other run, and read what got longer."""
    with review.visit(of(review, BREACHED)) as visit:
        visit.press("Compare", "link")
        visit.page.get_by_label("against").select_option(review.folder(1).name)
        visit.press("Compare")
        row = visit.page.locator(
            "tr", has=visit.page.get_by_role("rowheader", name="recovery time", exact=True)
        )
        assert "longer" in row.inner_text()
        assert "breached" in visit.page.locator("tr", has_text="verdict").first.inner_text()


def test_a_run_is_signed_off_commented_and_disputed(review: Review) -> None:
    """Each decision stands on the page with name, reason and time, in the list, and on the trail."""
    with review.visit(of(review, 1)) as visit:
        visit.fill("Sign off", "Within all three objectives.")
        state = visit.page.locator(".review .state")
        assert "Signed off by Nora" in state.inner_text()
        assert "unchanged since they were signed" in visit.page.locator(".proof").inner_text()
        visit.fill("Comment", "Compare the load next time.\n<b>please</b>")
        assert "Compare the load next time.\n<b>please</b>" in visit.page.locator(".said").inner_text()
        visit.fill("Dispute", "The load was half of production's.", who="Otto")
        assert "Disputed by Otto" in state.inner_text()
        visit.go("/?review=dispute")
        assert "Otto" in visit.page.locator(".runs tbody").inner_text()
        visit.go("/audit")
        assert "every signature holds" in visit.page.locator("main").inner_text()
        assert visit.page.locator("tbody tr").count() >= 3


def test_a_game_day_that_waits_is_answered(review: Review) -> None:
    """From the list of runs to the answer; one that reaches no scheduler is told, and stays to be given."""
    day = waits(review)
    with review.visit("/") as visit:
        visit.press(day.rpartition("/")[2], "link")
        for part in ("h1", "#who", "#text", "button.primary"):
            box = visit.page.locator(part).first.bounding_box()
            assert box is not None, part
            assert box["y"] + box["height"] <= WIDE["height"], part
        visit.fill("Approve", "Everybody is here.")
        assert "no scheduler has used the store" in visit.page.locator("main").inner_text()
        visit.go(day)
        assert "did not reach" in visit.page.locator(".said").inner_text()
        assert 1 == visit.page.get_by_role("button", name="Approve").count()
        visit.go("/days")
        assert "holds up the next day" in visit.page.locator("main").inner_text()


def test_an_empty_reason_goes_nowhere(review: Review) -> None:
    """The browser itself asks for the reason, and nothing is sent."""
    with review.visit(of(review, 4)) as visit:
        before = len(visit.requests)
        visit.page.get_by_role("button", name="Sign off").click()
        assert visit.page.evaluate("document.activeElement.id") == "text"
        assert len(visit.requests) == before


def test_a_reviewer_needs_no_mouse(review: Review) -> None:
    """Tab leads from the skip link past the menu to name, reason and the button; Enter signs."""
    with review.visit(of(review, 2)) as visit:
        press = visit.page.keyboard.press
        press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        press("Enter")
        seen = []
        for _ in range(25):
            press("Tab")
            seen.append(visit.page.evaluate("document.activeElement.id || document.activeElement.value"))
            if seen[-1] == "text":
                visit.page.keyboard.type("Within the objective.")
            if seen[-1] == "sign-off":
                break
        assert seen[-3:] == ["who", "text", "sign-off"]
        outline = visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        press("Enter")
        visit.page.wait_for_url("**#review")
        assert "Signed off by" in visit.page.locator(".review .state").inner_text()


def test_an_ended_session_loses_nothing(review: Review) -> None:
    """When the session ends in the middle of a comment, it comes back and can be sent once more."""
    with review.visit(of(review, 4)) as visit:
        visit.page.get_by_label("Reason or comment").fill("A long thought.\nIn two lines.")
        visit.context.clear_cookies()
        visit.press("Comment")
        assert "Your session had ended" in visit.page.locator(".reason").inner_text()
        assert visit.page.get_by_label("Reason or comment").input_value() == "A long thought.\nIn two lines."
        visit.press("Comment")
        assert "A long thought." in visit.page.locator(".said").inner_text()


def test_two_reviewers_at_once(review: Review) -> None:
    """The second one reads what the first decided, keeps the text, and may then decide."""
    with review.visit(of(review, 5 - 1)) as first, review.visit(of(review, 5 - 1)) as second:
        first.fill("Dispute", "The fault did not bite.", who="Nora")
        second.fill("Sign off", "Fine for me.", who="Otto")
        assert "Nora disputed this run" in second.page.locator(".reason").inner_text()
        assert second.page.get_by_label("Reason or comment").input_value() == "Fine for me."
        second.press("leave it", "link")
        assert "Disputed by Nora" in second.page.locator(".review .state").inner_text()


def test_what_is_still_broken_is_not_signed_off(review: Review) -> None:
    """A run that was not put back says what to type, and takes no sign-off."""
    with review.visit(of(review, 5)) as visit:
        assert "drill recover" in visit.page.locator(".alarm").inner_text()
        visit.fill("Sign off", "Whatever.")
        assert "put it back first" in visit.page.locator(".reason").inner_text()


def test_a_tampered_file_is_seen_at_once(review: Review) -> None:
    """One changed byte: list and report say so, naming the file, above everything else."""
    path = review.folder(0) / "observations.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    try:
        with review.visit("/?review=tampered") as visit:
            visit.press("region-outage", "link")
            alarm = visit.page.locator(".tampered")
            assert "observations.sqlite" in alarm.inner_text()
            box = alarm.bounding_box()
            assert box is not None
            assert box["y"] < 200
            assert "Files changed" in visit.page.locator(".proof").inner_text()
    finally:
        path.write_bytes(whole)


def test_roles_of_a_proxy(root: Path, browser: Browser) -> None:
    """A viewer has no form, a reviewer signs under the proxy's name, and nobody without a name reads."""

    def named(name: str, role: str) -> dict[str, Any]:
        return {"extra_http_headers": {"X-Remote-User": name, "X-Remote-Roles": role}}

    with served(root, "--user-header", "X-Remote-User", "--role-header", "X-Remote-Roles") as address:
        review = Review(address, root, browser)
        with review.visit(of(review, BREACHED), **named("otto", "viewer")) as visit:
            assert visit.page.locator("form").count() == 0
            assert "Your role is viewer" in visit.page.locator(".review").inner_text()
        with review.visit(of(review, BREACHED)) as visit:
            assert "The proxy named nobody" in visit.page.locator("main").inner_text()
            assert visit.page.get_by_text("Breached").count() == 0
        with review.visit(of(review, BREACHED), **named("nora", "reviewer")) as visit:
            assert visit.page.get_by_label("Name").count() == 0
            visit.fill("Sign off", "Known; a fix is planned.")
            assert "Signed off by nora" in visit.page.locator(".review .state").inner_text()
