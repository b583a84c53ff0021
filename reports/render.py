"""The page as one HTML file that opens offline, asks for nothing and runs no script."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drill import record as records
from drill import runs
from drill.columns import Columns
from drill.model import Observation
from drill.observations import Store
from drill.record import Record
from reports import charts, view
from reports.text import clean

_TEMPLATE = "report.html.j2"
_STYLE = "report.css"


def render(record: Record, observations: Mapping[str, Columns] | Iterable[Observation] | None) -> str:
    """Return the report of a finished drill.

    Args:
        record: The finished drill.
        observations: What its probes saw, by probe or in any order; None leaves out the pictures
            made of them.

    """
    made = environment()
    sheet = style(made)
    return made.get_template(_TEMPLATE).render(
        page=view.page(record, observations),
        style=Markup(sheet),  # noqa: S704  # our own file, and the policy below names its hash
        policy=policy(sheet),
    )


def write(run_folder: Path) -> Path:
    """Render the report of a run into its folder and return where it is.

    Raises:
        UsageError: The run has no record, or one that can't be read.
        DrillError: Its observations can't be read.

    """
    record = records.read(run_folder / runs.RECORD)
    page = render(record, _observed(run_folder / runs.OBSERVATIONS))
    path = run_folder / runs.REPORT
    partial = path.with_suffix(".partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace(path)
    return path


def _observed(path: Path) -> Mapping[str, Columns] | None:
    """Read the observations of every probe; None when the file is not there (any more)."""
    if not path.exists():
        return None
    with Store.open(path) as store:
        reader = store.reader()
        reader.more()
        store.see_that_all_is_there(reader)
    return reader.seen


def environment() -> Environment:
    """Return what pages are made with: everything is escaped, nothing may be missing."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["picture"] = charts.picture
    made.filters["bar"] = charts.bar
    return made


def style(made: Environment) -> str:
    """Return the style sheet of all pages."""
    return made.loader.get_source(made, _STYLE)[0] if made.loader else ""


def _printable(value: object) -> object:
    """Show control characters instead of writing them; what is markup already was cleaned when made."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def policy(sheet: str) -> str:
    """Return a policy that allows the page's one style sheet and an empty icon, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    allowed = f"style-src 'sha256-{digest}'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
