import xml.etree.ElementTree as ET

import pytest

from drill.model import Outcome
from reports import axis, charts
from reports.axis import Horizontal
from reports.series import Bar, Failures, Lane, Latency, Mark, Picture, Segment, Shade, Spread, Tally, Window

EVIL = '<script>alert("x")</script>\x1b'


def _picture(*panels: Lane | Latency | Failures) -> Picture:
    marks = (Mark(0.0, f"fault {EVIL}"), Mark(0.05, "rollback"))
    return Picture("p", f"title {EVIL}", "words", Window(-1.0, 9.0), panels, marks, (Shade(1.0, 2.0, EVIL),))


def _drawn(picture: Picture) -> ET.Element:
    return _parsed(charts.picture(picture))


def _parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314  # drawn by our own code


def test_every_panel_is_drawn_as_text_and_shapes_alone() -> None:
    """A picture is well-formed, has its words, and planted markup is text in it."""
    root = _drawn(
        _picture(
            Lane(EVIL, (Segment(0.0, 2.0, "phase", EVIL, EVIL, -0.5, 2.5),)),
            Latency("latency", (Spread(0.0, 0.001, 0.002, 0.9), None, Spread(1.0, 0.001, 0.002, 0.003))),
            Failures("failures", (Tally(0.0, 3, 1, 5), Tally(1.0, 0, 0, 5)), 1.0),
        )
    )
    assert {element.tag for element in root.iter()} <= {
        "svg", "title", "desc", "g", "rect", "line", "path", "text",
    }  # fmt: skip
    assert root.get("role") == "img"
    assert root.findtext("desc") == "words"
    assert "\x1b" not in "".join(root.itertext())


def test_bounds_are_drawn_pale_around_what_is_certain() -> None:
    """A phase's soft bar spans its earliest to its latest, its solid bar only what is certain."""
    root = _drawn(_picture(Lane("phase", (Segment(2.0, 4.0, "phase", "t", "", 1.0, 5.0),))))
    soft, sure = (_span(root, kind) for kind in ("soft", "sure"))
    assert soft[1] == pytest.approx(2 * sure[1], abs=0.3)
    assert soft[0] < sure[0]


def test_overlapping_bounds_leave_nothing_certain() -> None:
    """A phase that may have had no length has no solid bar."""
    root = _drawn(_picture(Lane("phase", (Segment(3.0, 2.0, "phase", "t", "", 1.0, 5.0),))))
    assert not [one for one in root.iter("rect") if one.get("class") == "sure"]


def test_a_gap_breaks_the_line() -> None:
    """Where nothing was answered no line is drawn, and a lone column is still seen."""
    spread = Spread(0.0, 0.001, 0.002, 0.003)
    root = _drawn(_picture(Latency("l", (spread, spread, None, spread))))
    assert len([one for one in root.iter("path") if one.get("class") == "median"]) == 2


@pytest.mark.parametrize(
    ("low", "high", "limit"),
    [(1.8, 2.1, 5.0), (1.8, 2.1, 0.001), (0.0, 0.0, 0.0), (12.0, None, 5.0), (0.0, None, 5.0)],
)
def test_a_bar_stays_inside_its_picture(low: float, high: float | None, limit: float) -> None:
    """However the interval and the objective lie, all is drawn inside, and the interval can be seen."""
    root = _parsed(charts.bar(Bar("words", low, high, limit, "5 s", Outcome.MET), "b"))
    width = float(root.get("viewBox", "").split()[2])
    for rect in root.iter("rect"):
        left, wide = float(rect.get("x", "")), float(rect.get("width", ""))
        assert 0 <= left <= left + wide <= width
    (measured,) = [one for one in root.iter("rect") if "measured" in one.get("class", "")]
    assert float(measured.get("width", "")) >= 4


@pytest.mark.parametrize("length_s", [0.05, 1.0, 13.7, 95.0, 400.0, 86_400.0, 1e7])
def test_ticks_are_few_and_round(length_s: float) -> None:
    """From a blink to days there are some ticks, never more than eleven, and zero is one of them."""
    ticks = Horizontal(Window(-length_s * 0.2, length_s * 0.8), 0.0, 100.0).ticks()
    assert 3 <= len(ticks) <= 12
    assert 0.0 in ticks


@pytest.mark.parametrize(
    ("at_s", "shown"),
    [(0.0, "0"), (1.5, "+1.5 s"), (-2.0, "\u22122 s"), (120.0, "+2 min"), (90.0, "+1 min 30 s")],
)
def test_ticks_are_written_for_people(at_s: float, shown: str) -> None:
    """A tick carries its sign and unit."""
    assert axis.tick_text(at_s) == shown


def _span(root: ET.Element, kind: str) -> tuple[float, float]:
    (rect,) = [one for one in root.iter("rect") if one.get("class") == kind]
    return float(rect.get("x", "")), float(rect.get("width", ""))
