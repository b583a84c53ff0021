"""The report in a real Chromium: first look, no error, no request, nothing cut off."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from reports import render
from tests.reports import factory, hostile

pytestmark = pytest.mark.browser
QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WIDE = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
PAPER = ViewportSize(width=695, height=980)
Scheme: TypeAlias = Literal["light", "dark"]
DRILLS = {**factory.EVERY, "hostile": hostile.drill}
# What lies outside the window sideways and is not inside something that scrolls by itself.
STICKING_OUT = """() => [...document.querySelectorAll('body *')].filter(e =>
    !e.closest('.scroll') && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(e => e.outerHTML.slice(0, 120))"""


# What is wider than a sheet of paper with its margins.
TOO_WIDE = """() => [...document.querySelectorAll('svg, table')].filter(e =>
    e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(e => e.innerText.slice(0, 60))"""


class Opened:
    """A report that was opened, with everything that the browser complained of or asked for."""

    def __init__(self, page: Page, path: Path) -> None:
        """Open the report."""
        self.page, self.path = page, path
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri(), wait_until="load")


def _is_hostile(page: Page) -> bool:
    """Say whether every string is a hundred characters of mischief, which take the room they need."""
    return "onerror" in page.title()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a Chromium that asks for nothing by itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the report of a kind of drill, made once."""
    return cache(lambda kind: render.write(DRILLS[kind]().save(tmp_path_factory.mktemp("runs"))))


@pytest.fixture(scope="module")
def desk(browser: Browser, reports: Callable[[str], Path]) -> Callable[[str, Scheme], Opened]:
    """Give a report as it opens on a desk in light or dark; it is opened once, so tests only look."""
    return cache(
        lambda kind, scheme: Opened(
            browser.new_context(viewport=WIDE, color_scheme=scheme).new_page(), reports(kind)
        )
    )


@pytest.fixture(params=DRILLS)
def report(reports: Callable[[str], Path], request: pytest.FixtureRequest) -> Path:
    """Give the report of each kind of drill."""
    return reports(request.param)


@pytest.fixture(params=[(kind, scheme) for kind in DRILLS for scheme in ("light", "dark")], ids="-".join)
def opened(desk: Callable[[str, Scheme], Opened], request: pytest.FixtureRequest) -> Opened:
    """Give each report as it opens on a desk, in light and in dark."""
    return desk(*request.param)


def test_it_opens_without_an_error_or_a_request(opened: Opened) -> None:
    """The console stays empty, nothing but the file itself is asked for, and no script is in it."""
    assert opened.complaints == []
    assert [url for url in opened.requests if url != "data:,"] == [opened.path.as_uri()]
    assert opened.page.locator("script").count() == 0
    assert opened.page.locator("[src], link[rel=stylesheet], [href^=http]").count() == 0


def test_its_policy_is_obeyed(browser: Browser, reports: Callable[[str], Path]) -> None:
    """The policy is there, the one style sheet is applied and another is refused."""
    page = Opened(browser.new_page(), reports("blackout")).page
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert page.evaluate("document.styleSheets.length") == 1
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), {textContent: 'p{}'}))"
    )
    assert page.evaluate("document.styleSheets.length") == 1
    page.close()


def test_the_verdict_is_seen_without_scrolling(opened: Opened) -> None:
    """Verdict, reason, what became of the system and the first number fit the first screen."""
    restored = ".alarm pre" if opened.page.locator(".alarm").count() else ".verdict .restored"
    for part in ("h1", ".reason", restored, ".place", ".tile .value"):
        box = opened.page.locator(part).first.bounding_box()
        assert box is not None, part
        if not _is_hostile(opened.page):
            assert box["y"] + box["height"] <= WIDE["height"], part


def test_every_text_can_be_told_from_its_ground(opened: Opened) -> None:
    """Words have a contrast of at least 4.5 to 1 in light and in dark."""
    assert opened.page.evaluate(FAINT) == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desk", "phone"])
def test_nothing_sticks_out_sideways(browser: Browser, report: Path, size: ViewportSize) -> None:
    """The page never scrolls sideways; wide pictures and tables scroll by themselves."""
    context = browser.new_context(viewport=size)
    page = Opened(context.new_page(), report).page
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate(STICKING_OUT) == []
    context.close()


def test_it_prints_on_a4_without_a_cut(browser: Browser, report: Path) -> None:
    """On paper it is light, and no picture or table is wider than the page."""
    context = browser.new_context(viewport=PAPER, color_scheme="dark")
    page = Opened(context.new_page(), report).page
    page.emulate_media(media="print")
    assert (
        page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')") == "#ffffff"
    )
    if not _is_hostile(page):
        assert page.evaluate(TOO_WIDE) == []
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()


# The contrast of each piece of HTML text with the nearest ground painted behind it.
FAINT = """() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c =>
    c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, n) =>
    sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const painted = getComputedStyle(e).backgroundColor;
      if ((channels(painted)[3] ?? 1) === 1) return painted;
    }
    return 'rgb(255, 255, 255)';
  };
  const faint = [];
  for (const e of document.querySelectorAll('body *:not(svg):not(svg *)')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [one, two] = [getComputedStyle(e).color, ground(e)].map(c => light(channels(c)));
    const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (contrast < 4.5) faint.push(e.tagName + '.' + e.className + ' ' + contrast.toFixed(2));
  }
  return [...new Set(faint)];
}"""
