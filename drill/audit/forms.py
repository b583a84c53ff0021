"""An audit as text for machines, and the checks as text for people. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from xml.etree import ElementTree as ET

from drill.audit.contract import Check
from drill.audit.judge import Audited
from drill.model import AuditFinding
from drill.target import Target

_HEAD = """# What `drill audit` looks for

Made from the checks themselves by `drill audit --explain`; a test keeps it fresh.

`DR` and a number is a failure of the [analysis that the project began with](architecture.md#what-mends-what);
`DX` is beyond it. A finding that another one explains is told as its consequence, not as a second
failure. What could not be looked at is listed, and never counts as passed.
"""


def listed(checks: Iterable[Check]) -> str:
    """Return one line for each check."""
    return "".join(f"{check.id}  {check.severity.value:<8}  {check.title}\n" for check in checks)


def explained(checks: Sequence[Check]) -> str:
    """Return the page that explains every check, as Markdown."""
    rows = "".join(
        f"| [{check.id}](#{check.id.lower()}) | {check.severity.value} | {check.title} |\n"
        for check in checks
    )
    table = f"| Check | Severity | When it finds something |\n| --- | --- | --- |\n{rows}"
    return f"{_HEAD}\n{table}\n" + "\n".join(_section(check) for check in checks)


def _section(check: Check) -> str:
    return f"## {check.id}\n\n**{check.title}.** {check.why}\n\n" + "".join(
        f"- {name}: {value}\n" for name, value in _facts(check) if value
    )


def _facts(check: Check) -> Iterator[tuple[str, str]]:
    yield "Severity", check.severity.value
    yield (
        "Failure in the analysis",
        ", ".join(str(number) for number in check.seed) or "none, it is beyond it",
    )
    yield "Mend", check.mend
    yield "Follows from", ", ".join(check.caused_by)
    yield "Explains in a drill's report", ", ".join(f"`{name}`" for name in check.explains)
    yield "Shown by", f"`{check.drill}`" if check.drill else ""
    yield "Asks", ", ".join(f"`{call}`" for call in check.calls)
    yield "Runs", "with `--active` it also writes and reads back" if check.active else ""
    yield "Source", ", ".join(f"<{address}>" for address in check.source)


def as_json(target: Target, audited: Audited) -> str:
    """Return an audit as one JSON object."""
    document = {
        "target": target.name,
        "exit_code": audited.exit_code,
        "complete": not audited.unevaluated,
        "checks": audited.checks,
        "findings": [asdict(one) for one in audited.findings],
        "not_evaluated": [asdict(one) for one in audited.unevaluated],
    }
    return json.dumps(document, indent=2)


def as_junit(target: Target, checks: Iterable[Check], audited: Audited) -> str:
    """Return an audit as JUnit XML: found is a failure, not evaluated an error, a consequence told in it."""
    suite = ET.Element("testsuite", name=f"drill audit {target.name}")
    failures = errors = 0
    for check in checks:
        case = ET.SubElement(suite, "testcase", classname="drill.audit", name=f"{check.id} {check.title}")
        found = [one for one in audited.findings if one.check == check.id]
        missed = [one for one in audited.unevaluated if one.check == check.id]
        if found:
            failures += 1
            failure = ET.SubElement(case, "failure", message=_clean(found[0].what), type=check.severity.value)
            failure.text = _clean("\n".join(told(one) for one in found))
        if missed:
            errors += 1
            error = ET.SubElement(case, "error", message="not evaluated", type="not evaluated")
            error.text = _clean("\n".join(f"{one.where}: {one.why}" for one in missed))
    suite.set("tests", str(len(audited.checks)))
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def told(one: AuditFinding) -> str:
    """Return a finding in one line."""
    follows = f" (follows from {', '.join(one.caused_by)})" if one.caused_by else ""
    return f"{one.check} {one.where}: {one.what}{follows}"


def _clean(text: str) -> str:
    """Take out what XML can't hold, https://www.w3.org/TR/xml/#charsets."""
    return "".join(each for each in text if each in "\t\n" or " " <= each <= "\ud7ff" or each >= "\ue000")
