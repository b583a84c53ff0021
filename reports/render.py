"""The page as one HTML file that opens offline, asks for nothing and runs no script."""

import base64
import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drill import evidence, journal, runs
from drill import record as records
from drill.columns import Columns
from drill.errors import DrillError
from drill.observations import Store
from drill.record import Record
from reports import charts, view
from reports.comparison import Earlier, earlier
from reports.glossary import explained
from reports.text import clean

_TEMPLATE = "report.html.j2"
_STYLE = "report.css"
# How far back the best drill is looked for.
_MOST_BEFORE = 50


def render(record: Record, observations: view.Seen, beside: view.Beside = view.NOTHING) -> str:
    """Return the report of a finished drill.

    Args:
        record: The finished drill.
        observations: What its probes saw, by probe or in any order; None leaves out the pictures
            made of them.
        beside: What else the report shows: earlier drills, the journal, hashes.

    """
    return whole(view.page(record, observations, beside))


def whole(page: view.Page) -> str:
    """Return a page as one file."""
    templates = environment()
    style = source(templates, _STYLE)
    return templates.get_template(_TEMPLATE).render(
        page=page,
        style=Markup(style),  # noqa: S704  # our own file, and the policy below names its hash
        policy=policy(style),
    )


def page(
    run_folder: Path,
    record: Record,
    before: Earlier,
    observations: view.Seen,
    problems: tuple[str, ...] = (),
) -> view.Page:
    """Return the page of a run, with its journal and its manifest where they can be read.

    Args:
        run_folder: The run's folder.
        record: Its record.
        before: The drills that it is compared with.
        observations: As in :func:`render`.
        problems: What could not be read already, in words.

    """
    missing = list(problems)
    entries: tuple[journal.Entry, ...] = ()
    manifest = None
    try:
        if (run_folder / journal.FILE).exists():
            entries = journal.read(run_folder)
        manifest = evidence.sealed(run_folder)
    except DrillError as problem:
        missing.append(str(problem))
    return view.page(record, observations, view.Beside(before, entries, manifest, tuple(missing)))


def write(run_folder: Path, unread: str = "") -> Path:
    """Render the report of a run into its folder and return where it is.

    Args:
        run_folder: The run's folder.
        unread: Why its observations are not to be read: their pictures are left out and the page says so.

    Raises:
        UsageError: The run has no record, or one that can't be read.
        DrillError: Its observations can't be read.

    """
    record = records.read(run_folder / runs.RECORD)
    seen = None if unread else observed(run_folder / runs.OBSERVATIONS)
    before = earlier(record, tuple(_before(run_folder)))
    text = whole(page(run_folder, record, before, seen, (unread,) if unread else ()))
    path = run_folder / runs.REPORT
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return path


def _before(run_folder: Path) -> Iterator[Record]:
    """Yield the records of the drills before one, the newest first, of its scenario by their names."""
    scenario = run_folder.name[16:].rpartition("-")[0]
    folders = [one for one in runs.folders(run_folder.parent) if one.name < run_folder.name]
    alike = [one for one in reversed(folders) if one.name[16:].rpartition("-")[0] == scenario]
    for folder in alike[:_MOST_BEFORE]:
        # What can't be read is no reason for having no report of this drill.
        with contextlib.suppress(DrillError):
            yield records.read(folder / runs.RECORD)


def observed(path: Path) -> Mapping[str, Columns] | None:
    """Read the observations of every probe; None when the file is not there (any more).

    Raises:
        DrillError: They can't be read.

    """
    if not path.exists():
        return None
    with Store.open(path) as store:
        reader = store.reader()
        reader.more()
        store.see_that_all_is_there(reader)
    return reader.seen


def environment() -> Environment:
    """Return the room's templates: everything is escaped, and what is not given is an error."""
    templates = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["picture"] = charts.picture
    templates.filters["bar"] = charts.bar
    templates.filters["explained"] = explained
    return templates


def source(templates: Environment, name: str) -> str:
    """Return a file of the templates' folder as it is."""
    return templates.loader.get_source(templates, name)[0] if templates.loader else ""


def _printable(value: object) -> object:
    """Show control characters instead of writing them; what is markup already was cleaned when made."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def policy(sheet: str) -> str:
    """Return a policy that allows the page's one style sheet and an empty icon, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    allowed = f"style-src 'sha256-{digest}'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
