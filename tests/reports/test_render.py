import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from drill import runs
from drill.errors import DrillError, UsageError
from drill.model import Goodness, Observation
from reports import render
from tests.reports import factory, hostile
from tests.reports.world import at_ns

# Line breaks and tabs are the only controls that HTML text may hold.
ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ud800-\udfff]")
VOID = {"meta", "link", "br", "img", "input"}


class _Outline(HTMLParser):
    """Collects tags, attributes, heads and text, and checks that tags close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.heads: list[int] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if re.fullmatch("h[1-6]", tag):
            self.heads.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(params=factory.EVERY)
def drill(request: pytest.FixtureRequest) -> factory.Drill:
    """Give each kind of finished drill."""
    return factory.EVERY[request.param]()


def test_every_kind_of_drill_becomes_a_small_well_formed_page(drill: factory.Drill) -> None:
    """All is one file below 300 KB, with tags in order, ids once and heads without a jump."""
    page = render.render(drill.record, drill.observations)
    outline = _Outline(page)
    assert len(page.encode()) < 300_000
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.heads[0] == 1
    assert outline.heads.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(outline.heads, outline.heads[1:], strict=False))


def test_nothing_is_asked_of_anyone(drill: factory.Drill) -> None:
    """There is no script, no style of an element, and no reference that leaves the page."""
    outline = _Outline(render.render(drill.record, drill.observations))
    assert not outline.tags & {"script", "img", "iframe", "object", "embed", "form", "base"}
    for name, value in outline.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "style", "action", "xlink:href"}
        if name == "href":
            assert value.startswith("#") or value == "data:,"
            assert value == "data:," or value[1:] in outline.ids


def test_the_policy_allows_the_one_style_sheet_and_nothing_else(drill: factory.Drill) -> None:
    """The page's policy forbids everything by default and names the hash of its style."""
    page = render.render(drill.record, drill.observations)
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert found
    allowed = found[1].replace("&#39;", "'").split("; ")
    assert allowed == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "url(" not in style
    assert "@import" not in style


def test_what_is_planted_is_text() -> None:
    """Markup, template code and controls in any string of a record or an observation stay text."""
    drill = hostile.drill()
    plain = _Outline(render.render(factory.blackout().record, factory.blackout().observations))
    page = render.render(drill.record, drill.observations)
    outline = _Outline(page)
    assert outline.tags == plain.tags
    assert {name for name, _ in outline.attributes} == {name for name, _ in plain.attributes}
    assert not ILLEGAL.search(page)
    text = "".join(outline.text)
    assert "<script>alert(1)</script>" in text
    assert "\\x1b[31m\\x00\\x7f\\x9b\\u202eevil\\u2028{{ 7 * 7 }}{% raw %}" in text


@pytest.mark.parametrize(
    "place", ["reason", "hypothesis", "title", "operator", "command", "target", "stopped_by"]
)
def test_each_string_of_a_record_is_shown(place: str) -> None:
    """What a record says reaches the reader (and so the plant above was tried everywhere)."""
    drill = factory.blackout()
    planted: Any = {place: "planted & shown"}
    page = render.render(replace(drill.record, **planted), drill.observations)
    assert "planted &amp; shown" in page


def test_a_long_drill_stays_small() -> None:
    """An hour of attempts makes no larger a page than a minute of them."""
    drill = factory.blackout()
    many = [
        Observation(
            "clients",
            n,
            at_ns(n / 20),
            at_ns(n / 20),
            at_ns(n / 20 + 0.01 * (n % 7)),
            Goodness.GOOD,
            "us-east-1",
        )
        for n in range(40_000)
    ]
    marks = replace(drill.record.marks, settled_ns=at_ns(2000.0))
    page = render.render(replace(drill.record, marks=marks), many)
    assert len(page.encode()) < 300_000


def test_a_run_is_written_into_its_folder(tmp_path: Path) -> None:
    """The page on disk is that of the record and the observations on disk."""
    drill = factory.blackout()
    folder = drill.save(tmp_path)
    path = render.write(folder)
    assert path == folder / runs.REPORT
    assert path.read_text(encoding="utf-8") == render.render(drill.record, drill.observations)
    assert not list(folder.glob("*.partial"))


def test_a_run_without_observations_is_written_without_pictures(tmp_path: Path) -> None:
    """Observations that were thrown away cost the pictures and nothing else."""
    drill = factory.blackout()
    folder = drill.save(tmp_path)
    (folder / runs.OBSERVATIONS).unlink()
    page = render.write(folder).read_text(encoding="utf-8")
    assert "There are no observations of clients to draw." in page
    assert "14 of 231 acknowledged writes" in page


def test_a_run_that_did_not_finish_names_the_next_command(tmp_path: Path) -> None:
    """Without a record there is nothing to render."""
    with pytest.raises(UsageError, match="drill recover"):
        render.write(tmp_path)


def test_damaged_observations_are_an_error_and_leave_the_old_report(tmp_path: Path) -> None:
    """A report is never made from half of what was seen."""
    folder = factory.blackout().save(tmp_path)
    (folder / runs.REPORT).write_text("old")
    (folder / runs.OBSERVATIONS).write_bytes(b"not a database" * 1000)
    with pytest.raises(DrillError):
        render.write(folder)
    assert (folder / runs.REPORT).read_text() == "old"
