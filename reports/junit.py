"""A drill as a JUnit file, for build servers: each objective is a test case."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from drill.model import Outcome
from drill.record import Record
from reports.text import clean
from reports.wording import limit, measured, seconds_since


def junit(record: Record) -> str:
    """Return the file: breached is a failure, inconclusive an error, since neither may pass as green.

    Besides the objectives there are three cases: the drill as a whole, whether the fault took effect,
    and whether everything was put back.
    """
    cases = list(_cases(record))
    took_s = seconds_since(record.ended.monotonic_ns, record.started.monotonic_ns)
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": 0,
        "time": f"{took_s:.3f}",
    }
    attributes = {name: str(value) for name, value in counts.items()}
    suites = ET.Element("testsuites", attributes)
    named = {"name": clean(f"drill.{record.scenario}"), "timestamp": record.started.wall[:19], **attributes}
    suite = ET.SubElement(suites, "testsuite", named)
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(record):
        ET.SubElement(properties, "property", {"name": clean(name), "value": clean(value)})
    suite.extend(cases)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def _cases(record: Record) -> Iterator[ET.Element]:
    yield _case(record, "the drill", record.outcome, record.reason)
    effect = Outcome.INCONCLUSIVE if record.took_effect is False else Outcome.MET
    yield _case(record, "the fault took effect", effect, "The fault was not seen to take effect.")
    back = Outcome.MET if record.rolled_back else Outcome.BREACHED
    yield _case(record, "everything was put back", back, f"Put it back: drill recover {record.run_id}")
    for one in record.judgements:
        objective = one.objective
        found = measured(one.measurement) if one.measurement else "not measured"
        wanted = limit(objective.limit, objective.unit)
        name = f"{objective.name} {objective.part}".strip()
        yield _case(record, name, one.outcome, f"{one.why} ({found}; wanted: at most {wanted})")


def _case(record: Record, name: str, outcome: Outcome, why: str) -> ET.Element:
    case = ET.Element(
        "testcase", {"classname": clean(f"drill.{record.scenario}"), "name": clean(name), "time": "0"}
    )
    if outcome is not Outcome.MET:
        kind = "failure" if outcome is Outcome.BREACHED else "error"
        problem = ET.SubElement(case, kind, {"type": outcome.value, "message": clean(why)})
        problem.text = clean(why)
    return case


def _properties(record: Record) -> Iterator[tuple[str, str]]:
    yield "run_id", record.run_id
    yield "target", record.target
    yield "operator", record.operator
    yield from record.environment.items()
    yield from record.versions.items()
    for one in record.measured.measurements:
        yield one.label, measured(one)
