"""SVG elements whose every attribute and text is escaped."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from reports.text import clean


def element(name: str, attributes: Mapping[str, str | float], *inside: Markup) -> Markup:
    """Return one element; numbers are written with one decimal, which is a tenth of a pixel."""
    # Thousands of these make a picture: markupsafe's format would take five times as long.
    written = "".join(
        f' {key}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
    )
    # Names are our own, attributes are escaped above, and what is inside is markup already.
    return Markup(f"<{name}{written}>{''.join(inside)}</{name}>")  # noqa: S704


def text(content: str, x: float, y: float, kind: str, anchor: str = "start") -> Markup:
    """Return a line of text at a place; ``anchor`` says which of its ends stands there."""
    place: dict[str, str | float] = {"class": kind, "x": x, "y": y}
    if anchor != "start":
        place["text-anchor"] = anchor
    return element("text", place, escape(clean(content)))


def titled(content: str) -> Markup:
    """Return a title, which a pointer and a screen reader show."""
    return element("title", {}, escape(clean(content)))


def drawing(
    key: str,
    words: tuple[str, str],
    size: tuple[float, float],
    inside: Sequence[Markup],
    kind: str = "picture",
) -> Markup:
    """Return a whole picture with its title and description.

    Args:
        key: Unique on the page.
        words: Title and description.
        size: Width and height of its own units; on the page it scales.
        inside: What is drawn.
        kind: The class of the style sheet.

    """
    title, description = words
    return element(
        "svg",
        {
            "class": kind,
            "viewBox": f"0 0 {number(size[0])} {number(size[1])}",
            "role": "img",
            "aria-labelledby": f"{key}-title {key}-desc",
        },
        element("title", {"id": f"{key}-title"}, escape(clean(title))),
        element("desc", {"id": f"{key}-desc"}, escape(clean(description))),
        *inside,
    )


def number(value: float) -> str:
    """Return a coordinate with no more digits than can be seen."""
    written = f"{value:.1f}"
    return written.removesuffix(".0")
