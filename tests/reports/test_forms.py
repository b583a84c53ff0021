"""The other forms of a report, and the schema that one of them promises."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from markdown_it import MarkdownIt

from drill import cli, record
from drill.errors import UsageError
from drill.record import OtherSchema
from reports.junit import junit
from reports.markdown import markdown, plain
from tests.reports import factory, hostile
from tests.reports.factory import Drill

TREE = Path(__file__).resolve().parents[2]
EVERY: dict[str, Callable[[], Drill]] = {**factory.EVERY, "hostile": hostile.drill}


@pytest.fixture(params=EVERY)
def drill(request: pytest.FixtureRequest) -> Drill:
    """Give each kind of finished drill."""
    return EVERY[request.param]()


def test_the_published_schema_is_that_of_the_code() -> None:
    """``docs/schemas/record.json`` is what the program prints; write it with: drill report --schema."""
    published = json.loads((TREE / "docs" / "schemas" / "record.json").read_text(encoding="utf-8"))

    assert published == record.json_schema()
    assert published["$id"].endswith(f":{record.SCHEMA}")


def test_every_record_keeps_to_the_schema(drill: Drill) -> None:
    """What the program writes is what the schema says, and a record of another version is not."""
    jsonschema.Draft202012Validator.check_schema(record.json_schema())
    written = json.loads(record.as_json(drill.record))
    jsonschema.validate(written, record.json_schema())

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**written, "schema": record.SCHEMA + 1}, record.json_schema())


@pytest.mark.parametrize(("version", "words"), [(2, "update drill"), (0, "use the drill that made it")])
def test_a_record_of_another_version_says_what_to_do(tmp_path: Path, version: int, words: str) -> None:
    """A newer or an older record is named as such, also when its form differs."""
    folder = factory.blackout().save(tmp_path)
    path = folder / "record.json"
    plain_record = json.loads(path.read_text())
    for fields in ({**plain_record, "schema": version}, {"schema": version, "form": "another"}):
        path.write_text(json.dumps(fields))
        with pytest.raises(OtherSchema, match=words):
            record.read(path)


def test_half_a_record_is_called_damaged(tmp_path: Path) -> None:
    """A record that was cut off is told apart from one of another version."""
    path = factory.blackout().save(tmp_path) / "record.json"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UsageError, match=r"is damaged.*drill verify"):
        record.read(path)


def test_a_build_server_sees_what_was_not_met(drill: Drill) -> None:
    """Breached is a failure, inconclusive an error, and the counts are those of the cases."""
    suite = ET.fromstring(junit(drill.record))[0]  # noqa: S314 (our own)
    cases = {case.get("name"): case for case in suite.iter("testcase")}

    assert len(cases) == 3 + len(drill.record.judgements)
    outcome = {None: "met", "failure": "breached", "error": "inconclusive"}
    for name, one in zip(list(cases)[3:], drill.record.judgements, strict=True):
        problem = next((child.tag for child in cases[name]), None)
        assert outcome[problem] == one.outcome.value
    assert suite.get("failures") == str(len(suite.findall(".//failure")))
    assert suite.get("errors") == str(len(suite.findall(".//error")))
    put_back = cases["everything was put back"].find("failure")
    assert (put_back is None) == drill.record.rolled_back


def test_an_unseen_fault_is_no_green_case() -> None:
    """A drill whose fault did not bite has an error, even where nothing was judged."""
    suite = ET.fromstring(junit(replace(factory.inconclusive().record, judgements=())))[0]  # noqa: S314
    assert suite.get("errors") == "2"


def test_markdown_holds_no_markup_but_its_own() -> None:
    """Nothing that is planted in a record becomes a link, a picture, emphasis, HTML or a row."""
    rendered = MarkdownIt("commonmark").enable("table")
    plain_page = rendered.parse(markdown(factory.blackout().record))
    planted = rendered.parse(markdown(hostile.drill().record))

    assert [token.type for token in planted] == [token.type for token in plain_page]
    inside = {child.type for token in planted for child in token.children or ()}
    assert inside <= {"text", "text_special", "strong_open", "strong_close", "code_inline", "softbreak"}


@pytest.mark.parametrize(
    "text",
    [
        "# a",
        "- a",
        "+ a",
        "1. a",
        "2) a",
        "===",
        "---",
        "> a",
        "*a*",
        "[a](b)",
        "![a](b)",
        "<b>",
        "&lt;",
        "`a`",
        "~~~",
        "a|b",
    ],
)
def test_no_text_begins_anything(text: str) -> None:
    """Each beginning of a Markdown block or span stays the text that it is."""
    tokens = MarkdownIt("commonmark").parse(plain(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert "".join(child.content for child in tokens[1].children or ()) == text


@pytest.mark.parametrize("form", ["json", "junit", "markdown"])
def test_each_form_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    """``--format`` prints the form and nothing else, without a control character."""
    hostile.drill().save(tmp_path)
    assert cli.outcome_of(["report", "--runs", str(tmp_path), "--format", form]) == 0
    printed = capsys.readouterr().out

    assert printed.startswith({"json": "{", "junit": "<testsuites", "markdown": "# Met"}[form])
    assert all(character.isprintable() or character == "\n" for character in printed)
