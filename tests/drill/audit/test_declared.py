"""What the checks say of themselves: whole, true, and the same in the docs."""

import importlib
import re
from pathlib import Path

import pytest
from policy_sentry.querying.actions import get_action_data

from drill.audit import catalogue, forms, needs
from drill.audit.contract import Check

CHECKS = catalogue.every()
MEASURES = Path(__file__).parents[3] / "drill" / "measure"
DOCS = Path(__file__).parents[3] / "docs" / "audit.md"


def test_every_row_of_the_seed_that_an_audit_can_read_has_its_check() -> None:
    """All but the seed's tests (12) and documents (13), each under its own number."""
    seed = {check.id: check.seed for check in CHECKS if check.seed}

    assert seed == {f"DR{number:02}": (number,) for number in range(1, 19) if number not in {12, 13}}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_says_all_that_a_reader_needs(check: Check) -> None:
    """Title, reason, how to mend it and a source; in a file whose first line names its id."""
    assert re.fullmatch(r"DR\d\d|DX\d\d", check.id)
    assert not check.title.endswith(".")
    assert check.why.endswith(".")
    assert check.mend
    assert all(address.startswith("https://") for address in check.source)
    assert (importlib.import_module(type(check).__module__).__doc__ or "").startswith(f"{check.id}: ")
    assert check.calls or check.active


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_explains_what_is_measured(check: Check) -> None:
    """Each name is that of a measurement, whole or one part of it."""
    source = "".join(path.read_text(encoding="utf-8") for path in MEASURES.glob("*.py"))

    names = [name.partition("/")[0] for name in check.explains]
    assert [name for name in names if f'"{name}"' not in source] == []


def test_causes_are_checks_and_never_go_round() -> None:
    """Each cause is an installed check, and none explains what it follows from."""
    causes = {check.id: set(check.caused_by) for check in CHECKS}
    assert {cause for found in causes.values() for cause in found} <= causes.keys()

    left = dict(causes)
    while left:
        first = [one for one, found in left.items() if not found & left.keys()]
        assert first, f"these go round: {sorted(left)}"
        for one in first:
            del left[one]


@pytest.mark.parametrize("action", sorted({needs.action(call) for check in CHECKS for call in check.calls}))
def test_the_policy_names_permissions_that_exist(action: str) -> None:
    """IAM takes an action that does not exist, and then allows nothing."""
    service, _, name = action.partition(":")

    assert get_action_data(service, name), action


def test_the_policy_only_reads() -> None:
    """No action of it changes anything."""
    document = needs.policy(CHECKS)
    assert isinstance(document, dict)
    (statement,) = document["Statement"]

    assert all(re.search(r":(Describe|Get|List|View)", action) for action in statement["Action"])


def test_the_docs_are_what_the_checks_say() -> None:
    """``docs/audit.md`` is what ``drill audit --explain`` prints."""
    assert DOCS.read_text(encoding="utf-8") == forms.explained(CHECKS)


def test_only_the_order_check_writes() -> None:
    """And it says so; everything else reads alone."""
    assert [check.id for check in CHECKS if check.active] == ["DR10"]
    assert [check.id for check in CHECKS if type(check).writing is not Check.writing] == ["DR10"]
